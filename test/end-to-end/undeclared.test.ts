/** A stage that reads or writes what it does not declare is named. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { Project } from "../runner/project.ts";

/** A stage whose `how` is its undeclared action. */
const STAGE = `
import fs, { createReadStream, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { type DownloadFolders, defineStage } from "../../runner/stage.ts";
const work = async (how: string, given: string, downloads: DownloadFolders): Promise<unknown> => {
  switch (how) {
    case "mirror": return readFileSync(join(downloads.mirror!, "m.csv"));
    case "download": {
      fs.mkdirSync(downloads.kept, { recursive: true });
      return writeFileSync(join(downloads.kept, "kept.csv"), "");
    }
    case "input": return readFileSync(given);
    case "sync": return readFileSync("data/a.csv");
    case "async": return readFile("data/a.csv", "utf8");
    case "url": return new Promise((done) => fs.readFile(pathToFileURL("data/a.csv"), done));
    case "stream": return text(createReadStream("data/a.csv"));
    case "handle": return (await fs.promises.open("data/a.csv")).close();
    case "old": return fs.closeSync(openSync(join(process.cwd(), "data/../data/a.csv"), "r"));
    case "require": return createRequire(import.meta.url)(join(process.cwd(), "data/a.json"));
    case "folder": return readdirSync("data");
    case "worker": {
      const worker = new Worker("require('node:fs').readFileSync('data/a.csv')", { eval: true });
      return new Promise((done, failed) => worker.on("exit", done).on("error", failed));
    }
    case "several": return ["b", "c", "a", "d"].map((name) => readFileSync("data/" + name + ".csv"));
    case "write": return writeFileSync("data/new.csv", "");
    case "append": return fs.createWriteStream("data/more.csv", { flags: "a" }).end("x").on("error", () => {});
    case "remove": return fs.promises.rm("data/gone.csv");
    case "home": return writeFileSync(join(process.env.HOME!, "left-behind"), "");
    case "temporary": return writeFileSync(join(tmpdir(), "deephash-temporary-" + process.pid), "");
    case "package": return createRequire(join(process.cwd(), "x.js"))("a-package");
  }
};
export default defineStage<{ how: string }>({
  params: "peek",
  inputs: { given: { artifact: "values", optional: true } },
  outputs: { text: "text.txt", folder: "folder/" },
  async run({ params, inputs, outputs, downloads }) {
    await work(params.how, inputs.given, downloads);
    writeFileSync(outputs.text, params.how);
    fs.mkdirSync(join(outputs.folder, "deep/er"), { recursive: true });
    await fs.promises.writeFile(join(outputs.folder, "deep/er/file"), "");
  },
});
`;

const project = new Project();
afterAll(() => project.remove());

function make(stages: object, files: Record<string, string> = {}): void {
  project.reset({
    "pipeline.yaml": JSON.stringify({ profiles: { small: {} }, stages }),
    "schemas/peek.params.schema.json": '{ "type": "object", "properties": { "how": { "type": "string" } } }',
    "stages/peek/stage.ts": STAGE,
    "node_modules/a-package/index.js": "module.exports = 1;",
    "data/a.json": "{}",
    ...Object.fromEntries(["a", "b", "c", "d", "gone"].map((name) => [`data/${name}.csv`, name])),
    ...files,
  });
}
/** One stage for each thing to do. */
const peeks = (hows: string[], given?: string) => ({
  peek: {
    uses: "peek",
    matrix: { how: hows },
    with: { how: "${how}" },
    ...(given ? { inputs: { given } } : {}),
  },
});
/** The message about each of them. */
const named = (out: string) =>
  Object.fromEntries(
    [...out.matchAll(/^[!✗] peek\[how=(\w+)\]: (.*)$/gm)].map(([, how, line]) => [how, line]),
  );

const reads = (what: string) =>
  `reads ${what}, which its key does not cover: a change there would go unnoticed. Declare it as an input (in stage.ts and pipeline.yaml), or import it as code.`;
const writes = (what: string) =>
  `writes ${what}, which is none of its outputs: a later hit would not write it.`;

const BEYOND = {
  sync: reads("data/a.csv"),
  async: reads("data/a.csv"),
  url: reads("data/a.csv"),
  stream: reads("data/a.csv"),
  handle: reads("data/a.csv"),
  old: reads("data/a.csv"),
  require: reads("data/a.json"),
  folder: reads("data"),
  worker: reads("data/a.csv"),
  several: reads("data/a.csv, data/b.csv, data/c.csv and 1 more"),
  write: writes("data/new.csv"),
  append: writes("data/more.csv"),
  remove: writes("data/gone.csv"),
};

test("a file that a stage does not declare is named, by every way to it", async () => {
  const home = mkdtempSync(join(tmpdir(), "deephash-home-"));
  vi.stubEnv("HOME", home);
  vi.stubEnv("TMPDIR", project.path("tmp"));
  try {
    make(peeks([...Object.keys(BEYOND), "home"]), { "tmp/file": "" });
    const { code, out } = await project.run();
    expect(named(out)).toEqual({ ...BEYOND, home: writes(`${home}/left-behind`) });
    expect(code).toBe(0);
  } finally {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true });
  }
});

test("declared files, packages and temporary files are not reported", async () => {
  make(peeks(["input", "sync", "url", "temporary", "package", "nothing"], "./data/a.csv"));
  const { code, out } = await project.run("--strict");
  expect(named(out)).toEqual({});
  expect(code).toBe(0);
  make(peeks(["several", "folder"], "./data")); // a folder covers its files
  expect((await project.run("--strict")).code).toBe(0);
});

test("a stage may read the folder of --mirror, and write to the folder of downloads", async () => {
  make(peeks(["mirror", "download"]), { "far/m.csv": "m" });
  expect(await project.run("--strict", "--mirror", "far")).toMatchObject({ code: 0 });
  expect(existsSync(project.path("cache/downloads/kept.csv"))).toBe(true);
});

test("--strict makes it a failure, also of a result that is there", async () => {
  make(peeks(["sync"], "./data/b.csv"));
  expect((await project.run()).code).toBe(0);
  expect((await project.run()).out).toContain("Nothing to do");
  const { code, out } = await project.run("--strict");
  expect(named(out)).toEqual({ sync: BEYOND.sync });
  expect(code).toBe(2);
  expect((await project.run("status")).out).toContain("up to date"); // for who is not strict
});

test("a shell stage that changes the project is named, where git can tell", async () => {
  const study = (run: string) =>
    JSON.stringify({ profiles: { small: {} }, stages: { shell: { run, outputs: { text: "t" } } } });
  make(
    {},
    {
      "pipeline.yaml": study(
        "echo b > data/b.csv; echo e > data/e.csv; rm data/c.csv; echo i > data/i.log; echo t > ${out.text}",
      ),
      ".gitignore": "*.log\ncache/\nnode_modules/\n",
    },
  );
  const git = (...args: string[]) => execFileSync("git", args, { cwd: project.root, stdio: "ignore" });
  git("init");
  git("add", ".");
  const { code, out } = await project.run("--strict");
  expect(out).toContain(
    "✗ shell: while it ran, data/b.csv, data/c.csv, data/e.csv of the project changed: it wrote that beside its outputs, or somebody else did.\n",
  );
  expect(code).toBe(2);
  project.write("pipeline.yaml", study("cat data/*.csv > ${out.text}"));
  expect((await project.run("--strict")).code).toBe(0); // what it reads is not seen
});
