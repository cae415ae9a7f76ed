/**
 * Times the runner on large pipelines, each against its limit: `status` of 100,000 instances (5 s, 1 GB), a run with
 * nothing to do of 30 instances that share a folder of 20,000 files (1 s, each file looked at once), `gc` of 50,000
 * results (60 s), a run of 3,000 trivial stages (90 s). Arguments pick some of: status, folder, gc, run. Beside the wall
 * clock it prints the processor time and the load of the machine, since other processes only slow the clock.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { sha256 } from "../runner/files/statcache.ts";
import { written } from "../runner/store/record.ts";
import { Store } from "../runner/store/store.ts";
import { ECHO } from "../test/runner/echo.ts";
import { Project } from "../test/runner/project.ts";

const MAIN = resolve("runner/main.mjs");

/** Runs in the process that is timed: writes its peak memory, its processor time, and how often it looked at files. */
const PROBE = `
const fs = require("node:fs");
const looks = new Map();
const watched = process.env.PROBE_FOLDER;
for (const name of ["statSync", "lstatSync", "openSync", "readlinkSync", "readFileSync"]) {
  const real = fs[name];
  fs[name] = (path, ...rest) => {
    if (watched && String(path).startsWith(watched + "/")) looks.set(name + path, (looks.get(name + path) ?? 0) + 1);
    return real(path, ...rest);
  };
}
require("node:module").syncBuiltinESMExports();
process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const most = Math.max(0, ...looks.values());
  if (!process.env.PROBE_CHILD)
    fs.writeFileSync(process.env.PROBE_OUT, JSON.stringify({ maxRSS, processor: (userCPUTime + systemCPUTime) / 1e6, most, looks: looks.size }));
});
process.env.NODE_OPTIONS = "";
`;

interface Timed {
  seconds: number;
  /** Seconds of processor time of the process itself, without its stages. */
  processor: number;
  megabytes: number;
  /** How many files below the watched folder were looked at, by kind of call; the most looks at one. */
  looks: number;
  most: number;
  out: string;
}

/** Runs a command of the pipeline in a project. @throws Error when it fails */
function time(project: Project, args: string[], folder = ""): Timed {
  const out = project.path("probe.json");
  writeFileSync(project.path("probe.cjs"), PROBE);
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: project.root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: {
      ...process.env,
      NODE_OPTIONS: `--require=${project.path("probe.cjs")}`,
      PROBE_OUT: out,
      PROBE_FOLDER: folder,
    },
  });
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0)
    throw new Error(`${args.join(" ")}: exit code ${status}: ${stdout.slice(-500)}${stderr.slice(-500)}`);
  const { maxRSS, processor, most, looks } = JSON.parse(readFileSync(out, "utf8"));
  return { seconds, processor, megabytes: maxRSS / 1000, looks, most, out: stdout };
}

function report(name: string, { seconds, processor, megabytes }: Timed, limit: number, more = ""): void {
  const load = loadavg()[0].toFixed(1);
  console.log(
    `${name}: ${seconds.toFixed(2)} s, ${(seconds / limit).toFixed(2)} of the limit of ${limit} s; ` +
      `${processor.toFixed(2)} s of processor time, ${megabytes.toFixed(0)} MB${more} (load ${load})`,
  );
}

const pipeline = (stages: Record<string, unknown>) => JSON.stringify({ profiles: { small: {} }, stages });
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** `status` of 100,000 instances: two joined matrices. */
function status(): void {
  const project = new Project({
    "pipeline.yaml": pipeline({
      numbers: { uses: "numbers" },
      scale: {
        uses: "scale",
        matrix: { by: range(50_000) },
        inputs: { values: "numbers.values" },
        with: { how: { use: "times", by: "${by}" } },
      },
      again: {
        uses: "scale",
        matrix: "scale",
        inputs: { values: "scale.values" },
        with: { how: { use: "plus", by: "${by}" } },
      },
    }),
  });
  try {
    time(project, ["--only", "numbers"]);
    const timed = time(project, ["status"]);
    const memory = `, ${(timed.megabytes / 1000).toFixed(2)} of the limit of 1 GB`;
    report("status of 100,001 instances", timed, 5, memory);
  } finally {
    project.remove();
  }
}

/** A run with nothing to do, of instances that share an input folder. */
function folder(): void {
  const project = new Project({
    "pipeline.yaml": pipeline({
      count: {
        run: "echo ${by} > ${out.text}; ls ${in.files} | wc -l >> ${out.text}",
        matrix: { by: range(30) },
        inputs: { files: "./files" },
        outputs: { text: "text.txt" },
      },
    }),
  });
  try {
    const files = project.path("files");
    mkdirSync(files);
    for (let file = 0; file < 20_000; file++) writeFileSync(join(files, `${file}.txt`), `file ${file}\n`);
    time(project, []);
    const timed = time(project, [], files);
    report(
      "nothing to do, 30 instances that share 20,000 files",
      timed,
      1,
      `; ${timed.looks} looks at files, at most ${timed.most} at one`,
    );
  } finally {
    project.remove();
  }
}

/** `gc` of 50,000 results, none of which any run or report uses. */
function gc(): void {
  const project = new Project({ "pipeline.yaml": pipeline({ numbers: { uses: "numbers" } }) });
  try {
    time(project, []);
    const store = new Store(project.path("cache"));
    const [record] = store.records();
    const old = new Date("2020-01-01");
    for (let result = 0; result < 50_000; result++) {
      const content = `result ${result}\n`;
      const hash = sha256(content);
      const object = store.objectPath(hash);
      mkdirSync(join(object, ".."), { recursive: true });
      writeFileSync(object, content);
      const key = sha256(`key ${result}`);
      const outputs = { values: { hash, bytes: content.length, measured: false } };
      writeFileSync(
        store.recordPath(key),
        written({ ...record, key, id: `old[${result}]`, outputs, ended: old.toISOString() }),
      );
    }
    const timed = time(project, ["gc", "--max-size", "0B"]);
    if (!/50000 records/.test(timed.out)) throw new Error(`gc did not remove them: ${timed.out.slice(-300)}`);
    report("gc of 50,000 results", timed, 60);
  } finally {
    project.remove();
  }
}

/** Runs of 3,000 stages that do next to nothing: of a kind that may share its process, and of one that may not. */
function run(): void {
  for (const [uses, how] of [
    ["echo", "in processes that they share"],
    ["trouble", "in a process each"],
  ]) {
    const project = new Project({
      ...ECHO,
      "pipeline.yaml": pipeline({
        work: {
          uses,
          matrix: { word: range(3000).map((index) => `w${index}`) },
          with: { word: "${word}" },
        },
      }),
    });
    try {
      report(`a run of 3,000 trivial stages ${how}`, time(project, ["--quiet"]), 90);
    } finally {
      project.remove();
    }
  }
}

const benches = { status, folder, gc, run };
const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(benches);
for (const name of chosen) {
  const bench = benches[name as keyof typeof benches];
  if (!bench) throw new Error(`large: no "${name}". There are ${Object.keys(benches).join(", ")}.`);
  bench();
}
