/** Failures: stages that fail, processes that are killed, a full disk, two runs at once. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { Project, RAN } from "../runner/project.ts";

const project = new Project();
afterAll(() => project.remove());

/** A study of `numbers`, a stage `trouble` of some mode, and `after`, which needs it. */
function make(mode: string, more: object = {}, files: Record<string, string> = {}): void {
  project.reset({
    "pipeline.yaml": JSON.stringify({
      profiles: { small: {} },
      stages: {
        numbers: { uses: "numbers" },
        trouble: { uses: "trouble", inputs: { values: "numbers.values" }, with: { mode }, ...more },
        after: { uses: "trouble", inputs: { values: "trouble.text" } },
        other: { uses: "numbers", with: { count: 9 } },
      },
    }),
    ...files,
  });
}

/** Every object has the content of its name, every record's objects are there, and no scratch is left. */
function expectWholeStore(folder = project.path("cache")): void {
  const below = (name: string) =>
    existsSync(join(folder, name))
      ? readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
      : [];
  const objects = new Set<string>();
  for (const path of below("objects")) {
    const hash = createHash("sha256").update(readFileSync(path)).digest("hex");
    expect(path.endsWith(hash), path).toBe(true);
    objects.add(hash);
  }
  for (const path of below("records")) {
    expect(path).toMatch(/[0-9a-f]{64}\.json$/);
    const record = JSON.parse(readFileSync(path, "utf8"));
    for (const output of Object.values<{ hash: string; files?: [string, string][] }>(record.outputs))
      for (const hash of output.files?.map(([, hash]) => hash) ?? [output.hash])
        expect(objects.has(hash), `${record.id} ${hash}`).toBe(true);
  }
  expect(below("scratch")).toEqual([]);
}

/** Waits until `found` gives something. */
async function until<T>(found: () => T | undefined, what: string): Promise<T> {
  for (let tries = 0; tries < 600; tries++) {
    const value = found();
    if (value) return value;
    await sleep(25);
  }
  throw new Error(`${what} did not come about`);
}

/** The processes that the stage named in pids.log. */
const pids = (count: number) =>
  until(() => {
    const path = project.path("pids.log");
    const found = existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").map(Number) : [];
    return found.length >= count ? found : undefined;
  }, `pids.log with ${count} lines`);

/** Whether a process is there and is no zombie. */
function lives(pid: number): boolean {
  try {
    return !/^\S+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
const gone = (found: number[]) =>
  until(() => (found.some(lives) ? undefined : true), "the end of the children");

describe("a stage that fails", () => {
  test.each([
    ["throw", 1, "✗ trouble: the sum is wrong\n"],
    ["later", 1, "✗ trouble: the sum is wrong, later\n"],
    ["user", 2, "✗ trouble: values.json: row 3 is not a number. Correct it.\n"],
    [
      "kill",
      1,
      "✗ trouble: was killed (SIGKILL), probably because memory ran out. Try --jobs 1, or a smaller batch.\n",
    ],
    ["text", 1, "✗ trouble: a text, red\n"],
    ["reject", 1, "✗ trouble: a text, rejected\n"],
    ["null", 1, "✗ trouble: threw null\n"],
    ["empty", 1, "✗ trouble: Error without a message\n"],
    [
      "never",
      1,
      "✗ trouble: its run() waits for a promise that nothing is left to settle. Resolve or reject it on every way.\n",
    ],
    ["exit", 1, "✗ trouble: ended with exit code 7 before it was done. See its log.\n"],
    ["nothing", 1, '✗ trouble: ended well but did not write its output "text" (text.txt).\n'],
    [
      "full",
      1,
      "✗ trouble: the disk is full (ENOSPC: no space left on device, write). Free some space and run again: finished stages are kept.\n",
    ],
  ])("by %s: exit code %i and one line", async (mode, exit, line) => {
    make(mode);
    const { code, out, err } = await project.run("--jobs", "1");
    expect(code).toBe(exit);
    expect(out).toContain(line);
    expect(out + err).not.toMatch(/^\s+at /m);
    expect(err).toMatch(/^1 stage failed, 2 stages skipped; 1 of 4 are up to date/);
    expectWholeStore();
  });

  test("by waiting for ever is none that waits for a thread which keeps no process", async () => {
    make("thread");
    expect((await project.run("--only", "trouble")).code).toBe(0);
  });

  test("--keep-going goes on with what does not depend on it", async () => {
    make("throw");
    const { code, err } = await project.run("--keep-going");
    expect(code).toBe(1);
    expect(err).toMatch(/^1 stage failed, 1 stage skipped; 2 of 4 are up to date/);
    expect(project.ran().sort()).toEqual(["numbers", "other", "trouble"]);
    expect((await project.run("status")).out).toContain("trouble  to run (never ran)");
  });

  test("--debug shows the stack, and the log holds it in any case", async () => {
    make("throw");
    const { out } = await project.run("--debug");
    expect(out).toMatch(/^ {4}at .*run/m);
    const [, log] = /log: (.*)/.exec(out)!;
    expect(readFileSync(log, "utf8")).toContain("Error: the sum is wrong\nand more of it\n    at ");
  });

  test("is tried again as often as it may", async () => {
    make("throw", { retries: 2 });
    const { code, out } = await project.run("--only", "trouble");
    expect(code).toBe(1);
    expect(out).toContain("! trouble: the sum is wrong Tried again (2 of 2).");
    expect(project.ran()).toEqual(["numbers", "trouble", "trouble", "trouble"]);
  });

  test("is ended when its time is over, also when it does not listen", async () => {
    make("deaf", { timeout: 1 });
    const { code, out } = await project.run("--only", "trouble");
    expect(code).toBe(1);
    expect(out).toContain("✗ trouble: took longer than its timeout of 1 s and was ended.");
    await gone(await pids(1));
  });

  test("is repaired by the next run, which keeps finished stages", async () => {
    make("throw");
    await project.run();
    project.ran();
    const { code } = await project.run("--set", "trouble.mode=none");
    expect(code).toBe(0);
    expect(project.ran()).not.toContain("numbers");
  });
});

describe("Ctrl-C", () => {
  // npm passes on the signal that the terminal sent already, so it comes twice.
  test.each([
    ["sleep", 2],
    ["deaf", 1],
  ])("ends the children of a stage that does %s, loses nothing, and the same command goes on", async (mode, count) => {
    make(mode);
    const run = project.start("--jobs", "1");
    const children = await pids(count);
    run.child.kill("SIGINT");
    await sleep(20);
    run.child.kill("SIGINT");
    const { code, out } = await run.ended;
    expect(code).toBe(130);
    expect(out).toContain(
      "! cancelled: ending the running stages. Press Ctrl-C again to end them at once.\n",
    );
    expect(out).toMatch(
      /^Cancelled after .*: 1 stage ended and kept\. The same command continues from here\.$/m,
    );
    await gone(children);
    expectWholeStore();
    project.ran();
    expect((await project.run("--set", "trouble.mode=none")).code).toBe(0);
    expect(project.ran()).not.toContain("numbers");
  });

  test("a second time ends everything at once", async () => {
    make("deaf");
    const run = project.start("--jobs", "1");
    const children = await pids(1);
    run.child.kill("SIGINT");
    await sleep(700);
    run.child.kill("SIGINT");
    const { code, out } = await run.ended;
    expect(code).toBe(130);
    expect(out).not.toContain("Cancelled after"); // which waits for the children
    await gone(children);
  });

  test("ends a shell stage with all it started", async () => {
    make("none", {
      uses: undefined,
      with: undefined,
      run: "sleep 63 & echo $! >> pids.log; sleep 64 & echo $! >> pids.log; wait; touch ${out.text}",
      outputs: { text: "text.txt" },
    });
    const run = project.start("--only", "trouble");
    const children = await pids(2);
    run.child.kill("SIGINT");
    expect((await run.ended).code).toBe(130);
    await gone(children);
  });
});

describe("kill -9", () => {
  test("of the runner ends its stages, and the next run goes on", async () => {
    make("sleep");
    const run = project.start("--jobs", "1");
    const children = await pids(2);
    run.child.kill("SIGKILL");
    expect((await run.ended).signal).toBe("SIGKILL");
    await gone(children);
    project.ran();
    // The lock, the scratch folder: nothing of it keeps the next one.
    const { code, err } = await project.run("--set", "trouble.mode=none");
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(project.ran()).not.toContain("numbers");
    expectWholeStore();
  });

  test("of the runner while the same stage is to run again", async () => {
    make("pause");
    const run = project.start("--only", "trouble");
    await until(() => run.said().includes("▸ trouble") || undefined, "the start of trouble");
    await until(() => readdirSync(project.path("cache/locks")).length || undefined, "its lock");
    run.child.kill("SIGKILL");
    await run.ended;
    const { code, out } = await project.run("--only", "trouble");
    expect(code).toBe(0);
    expect(out).not.toContain("waits:");
    expectWholeStore();
  });

  test("of a runner ends the command of a shell stage", async () => {
    make("none", {
      uses: undefined,
      with: undefined,
      run: "echo $$ >> pids.log; sleep 65; touch ${out.text}",
      outputs: { text: "text.txt" },
    });
    const run = project.start("--only", "trouble");
    const children = await pids(1);
    run.child.kill("SIGKILL");
    await run.ended;
    await gone(children);
  });
});

describe("one store", () => {
  test("two runs at once do each stage once", async () => {
    make("pause");
    const ends = await Promise.all([project.run(), project.run()]);
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    expect(project.ran().sort()).toEqual(["after", "numbers", "other", "trouble"]);
    expect(ends.map(({ out }) => out).join()).toMatch(
      /^! trouble: waits: process \d+ on .* is making the same result\.$/m,
    );
    expectWholeStore();
  });

  /** A study of two profiles that share `trouble`, which ends when the file `go` is there. */
  function makeShared(): void {
    make("none", {
      uses: undefined,
      with: undefined,
      run: "mkdir -p node_modules; echo trouble >> node_modules/ran.log; until test -e go; do sleep 0.05; done; cp ${in.values} ${out.text}",
      outputs: { text: "text.txt" },
    });
    project.edit(
      "pipeline.yaml",
      '"profiles":{"small":{}}',
      '"profile":"small","profiles":{"small":{},"large":{}}',
    );
  }
  /** Starts one run, and another of the profile `large` that waits for it. */
  async function startTwo() {
    makeShared();
    const first = project.start("--only", "trouble");
    await until(
      () => (existsSync(project.path(RAN)) ? project.read(RAN) : "").includes("trouble") || undefined,
      "the start of trouble",
    );
    const second = project.start("--only", "trouble", "--profile", "large");
    const line = `! trouble: waits: process ${first.child.pid} on ${hostname()} is making the same result.\n`;
    await until(() => second.said().includes(line) || undefined, "the wait of the second run");
    return { first, second };
  }

  test("a run of another profile waits for the first, and takes what it made", async () => {
    const { first, second } = await startTwo();
    project.write("go", "");
    expect([(await first.ended).code, (await second.ended).code]).toEqual([0, 0]);
    expect(project.ran()).toEqual(["numbers", "trouble"]);
    expectWholeStore();
  });

  test("a run that waits takes over when the first dies", async () => {
    const { first, second } = await startTwo();
    first.child.kill("SIGKILL");
    await until(
      () => (existsSync(project.path(RAN)) ? project.read(RAN) : "").split("trouble").length > 2 || undefined,
      "a second start",
    );
    project.write("go", "");
    expect((await second.ended).code).toBe(0);
    expect(project.ran()).toEqual(["numbers", "trouble", "trouble"]);
    expect((await project.run("--only", "numbers")).code).toBe(0); // which sweeps what the dead process left
    expectWholeStore();
  });

  test("a corrupt object is quarantined, reported, and rebuilt", async () => {
    make("none");
    await project.run();
    project.ran();
    const record = readdirSync(project.path("cache/records"))
      .map((file) => JSON.parse(project.read(`cache/records/${file}`)))
      .find(({ id }) => id === "numbers");
    const { hash } = record.outputs.values;
    const object = project.path("cache/objects", hash.slice(0, 2), hash);
    rmSync(object);
    writeFileSync(object, "[1,2,4]");
    expect((await project.run()).out).toContain("Nothing to do"); // nobody needs it
    const { code, err } = await project.run("--set", "trouble.word=a", "--only", "trouble");
    expect(code).toBe(0);
    expect(err).toBe(
      `! cache: object ${hash.slice(0, 8)}… does not match its hash (disk fault or edited by hand). Quarantined; numbers runs again.\n`,
    );
    expect(project.ran()).toEqual(["numbers", "trouble"]);
    expect(readdirSync(project.path("cache/bad"))).toHaveLength(1);
    expectWholeStore();
  });

  test("a record cut off, a stat cache and a memo of no use: lost results are made again", async () => {
    make("none");
    await project.run();
    project.ran();
    for (const file of readdirSync(project.path("cache/records"))) {
      const path = `cache/records/${file}`;
      if (JSON.parse(project.read(path)).id === "other") project.write(path, project.read(path).slice(0, 40));
    }
    project.write("cache/stat.json", '{"a":');
    project.write("node_modules/.cache/deephash/code.json", "");
    const { code } = await project.run();
    expect(code).toBe(0);
    expect(project.ran()).toEqual(["other"]);
  });

  test("a full disk: one line, exit code 1, and the store whole", async (context) => {
    make("fill");
    const disk = project.path("small-disk");
    mkdirSync(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]);
    if (mounted.status !== 0) context.skip("needs the right to mount a tmpfs");
    try {
      const { code, out, err } = await project.run("--cache", "small-disk/cache");
      expect(code).toBe(1);
      expect(out).toMatch(/^✗ trouble: the disk is full \(ENOSPC.*\)\. Free some space and run again/m);
      expect(out + err).not.toMatch(/^\s+at /m);
      expectWholeStore(join(disk, "cache"));
      // Full to the last byte when the runner itself wants to write.
      writeFileSync(join(disk, "ballast"), "");
      spawnSync("dd", ["if=/dev/zero", `of=${join(disk, "ballast")}`, "bs=1024"]);
      const full = await project.run("--cache", "small-disk/cache", "--set", "trouble.mode=none");
      expect(full.code).toBe(1);
      expect(full.out + full.err).toContain("the disk is full (ENOSPC");
      expect(full.out + full.err).not.toMatch(/^\s+at /m);
      expectWholeStore(join(disk, "cache"));
      rmSync(join(disk, "ballast"));
      expect((await project.run("--cache", "small-disk/cache", "--set", "trouble.mode=none")).code).toBe(0);
      expectWholeStore(join(disk, "cache"));
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

test("a fault in pipeline.yaml: one line, exit code 2, no stack without --debug, the store whole", async () => {
  make("none");
  await project.run();
  project.ran();
  const good = project.read("pipeline.yaml");
  const faults: [string, string, RegExp][] = [
    ['"stages"', '"stags"', /^pipeline\.yaml:1:26 stags: unknown key\. Did you mean "stages"\?\n$/],
    [
      '"uses":"numbers"',
      '"uses":"number"',
      /^pipeline\.yaml:1:\d+ numbers\.uses: no stage "number" in stages\/\. Did you mean "numbers"\?\n$/,
    ],
    ['"mode"', '"mod"', /^pipeline\.yaml:1:\d+ trouble\.with\.mod: unknown key\. Did you mean "mode"\?\n$/],
    [
      '{"uses":"numbers"}',
      '{"uses":"trouble","inputs":{"values":"after.text"}}',
      /^pipeline\.yaml:1:\d+ stages form a circle: numbers → trouble → after → numbers\. Remove one of these inputs\.\n$/,
    ],
  ];
  for (const [before, after, line] of faults) {
    project.write("pipeline.yaml", good);
    project.edit("pipeline.yaml", before, after);
    const { code, out, err } = await project.run();
    expect(err).toMatch(line);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  }
  expect((await project.run("--debug")).err).toMatch(/^\s+at /m);
  project.write("pipeline.yaml", good);
  expect((await project.run()).out).toContain("Nothing to do");
  expect(project.ran()).toEqual([]);
  expectWholeStore();
});

test("a fault on the command line: one or two lines, exit code 2", async () => {
  make("none");
  const faults: [string[], string][] = [
    [["stauts"], 'no command "stauts". Did you mean "status"?\n'],
    [["--onyl", "numbers"], "run: unknown option '--onyl'. Did you mean --only?\n"],
    [["why"], "why: <stage> is missing: a stage, or one instance of it. See: npm run pipeline -- help why\n"],
    [["why", "--al", "numbers"], "why: unknown option '--al'. Did you mean --all?\n"],
    [["gc", "--nonesuch"], "gc: unknown option '--nonesuch'. See: npm run pipeline -- help gc\n"],
    [
      ["--jobs", "0"],
      "run: option '-j, --jobs <n>' argument '0' is invalid. It must be a whole number from 1.\n",
    ],
    [["--only", "num"], '--only num: the profile small has no such stage. Did you mean "numbers"?\n'],
    [["why", "numbers[by=7]"], "why numbers[by=7]: no such stage. numbers has one instance.\n"],
    [["why", "elsewhere"], "why elsewhere: no such stage. The command status lists the stages.\n"],
    [["--only", "number"], '--only number: the profile small has no such stage. Did you mean "numbers"?\n'],
    [["--profile", "smal"], 'no profile "smal". Known are small. Did you mean "small"?\n'],
    [
      ["--set", "numbers.cuont=4"],
      '--set numbers.cuont: numbers.with.cuont: unknown key. Did you mean "count"?\n',
    ],
    [["--set", "number.count=4"], '--set number.count: no stage "number". Did you mean "numbers"?\n'],
    [
      ["--pipeline", "none.yaml"],
      `${project.path("none.yaml")}: no such file. Run this in the project's folder, or name it with --pipeline.\n`,
    ],
  ];
  const ends = await Promise.all(faults.map(([args]) => project.run(...args)));
  for (const [index, [, line]] of faults.entries()) {
    expect(ends[index].err).toBe(line);
    expect(ends[index].code).toBe(2);
  }
  for (const args of [
    ["--jobs", "0"],
    ["--set", "count"],
    ["--set", "numbers.count=[1"],
  ])
    expect((await project.run(...args)).code).toBe(2);
});
