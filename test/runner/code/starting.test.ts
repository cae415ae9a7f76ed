/** The bundled packages of a stage's process behave as those that Node loads. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeEach, expect, test } from "vitest";
import { CodeBook, prepareStart } from "../../../runner/code/index.ts";
import { Project } from "../project.ts";

const project = new Project();
afterAll(() => project.remove());

/** Packages of every make, by their files; `lock` is what package-lock.json says of them. */
const PACKAGES: Record<string, { lock?: object; files: Record<string, string> }> = {
  counter: {
    files: {
      "package.json": '{ "version": "1.0.0" }',
      "index.js": `"use strict"; let count = 0; exports.next = () => ++count; exports.place = __filename;
        exports.strict = (function () { return this === undefined; })(); globalThis.loaded = (globalThis.loaded ?? 0) + 1;`,
    },
  },
  modern: {
    lock: { dependencies: { counter: "1" } },
    files: {
      "package.json":
        '{ "version": "1.0.0", "type": "module", "exports": { "import": "./i.js", "require": "./r.cjs" } }',
      "i.js": `import { next } from "counter"; export const kind = "module"; export default () => next();
        export const here = import.meta.url;`,
      "r.cjs": `exports.kind = "required";`,
    },
  },
  single: {
    files: { "package.json": '{ "version": "1.0.0" }', "index.js": "module.exports = class Single {};" },
  },
  waits: {
    files: {
      "package.json": '{ "version": "1.0.0", "type": "module", "exports": "./i.js" }',
      "i.js": "export const value = await Promise.resolve(7);",
    },
  },
  picks: {
    files: {
      "package.json": '{ "version": "1.0.0" }',
      "index.js": 'const name = "./" + "other.js"; exports.other = require(name);',
      "other.js": "module.exports = 8;",
    },
  },
  remarks: {
    files: {
      "package.json": '{ "version": "1.0.0" }',
      "index.js":
        'exports.sep = require(/* for ** a bundler */ /**/ "path").sep; exports.count = require(/*"*/"counter").next;',
    },
  },
  guesses: {
    files: {
      "package.json": '{ "version": "1.0.0" }',
      "index.js": 'const name = "./other.js"; exports.other = require(/* "a" */ name + /* the */ "");',
      "other.js": "module.exports = 9;",
    },
  },
  asks: {
    files: {
      "package.json": '{ "version": "1.0.0", "type": "module", "main": "index.js" }',
      "index.js": "export const found = typeof require;",
    },
  },
  native: {
    lock: { hasInstallScript: true, dependencies: { shared: "1" } },
    files: { "package.json": '{ "version": "1.0.0" }', "index.js": 'exports.state = require("shared");' },
  },
  shared: { files: { "package.json": '{ "version": "1.0.0" }', "index.js": "module.exports = {};" } },
};

const STAGE = "stages/numbers/stage.ts";
const LONG_AGO = new Date(Date.now() - 31 * 24 * 3600 * 1000);
const PART = "stages/scale/hows/times.ts";

beforeEach(() => {
  const lock: Record<string, object> = { "": {} };
  for (const [name, { lock: more = {}, files }] of Object.entries(PACKAGES)) {
    lock[`node_modules/${name}`] = { version: "1.0.0", ...more };
    for (const [file, text] of Object.entries(files)) project.write(`node_modules/${name}/${file}`, text);
  }
  project.reset({ "package-lock.json": JSON.stringify({ lockfileVersion: 3, packages: lock }) });
});

/** Gives the stage and the part what they are to export as `default`. */
function write(stage: string, part = "export default {};"): void {
  project.write(STAGE, stage);
  project.write(PART, part);
}

/** Prepares both, and runs a text of code in a process of its own in which `stage` and `part` are what they export. */
async function start(
  text: string,
  root = project.root,
): Promise<{ printed: unknown; folder: string; bundled: boolean }> {
  const codes = [...(await new CodeBook(root).read([STAGE, PART])).values()];
  const forms = await prepareStart(root, codes);
  const [stage, part] = codes.map(({ bundle }) => forms.get(bundle) ?? bundle);
  const load = (path: string) => `(await import(${JSON.stringify(pathToFileURL(path).href)})).default`;
  const code = `const stage = ${load(stage)}, part = ${load(part)}; console.log(JSON.stringify(await (${text})()))`;
  writeFileSync(join(root, "node_modules/start.mjs"), code);
  const out = execFileSync(process.execPath, ["node_modules/start.mjs"], {
    cwd: root,
    encoding: "utf8",
  });
  return { printed: JSON.parse(out), folder: dirname(stage), bundled: forms.size > 0 };
}

test("packages of both kinds are to a stage what Node makes of them", async () => {
  write(
    `import * as counter from "counter"; import whole, { next } from "counter"; import one, { kind, here } from "modern"; import Single from "single";
     export default { params: "numbers", inputs: {}, outputs: {}, run: () =>
       [next(), whole.next(), one(), kind, here, Object.keys(counter).sort(), new Single().constructor.name, counter.place, counter.strict, import.meta.url.startsWith("file://")] };`,
  );
  const own = await start("stage.run");
  expect(own.bundled).toBe(true);
  const place = project.path("node_modules/counter/index.js");
  const here = pathToFileURL(project.path("node_modules/modern/i.js")).href;
  const keys = ["default", "next", "place", "strict"];
  expect(own.printed).toEqual([1, 2, 3, "module", here, keys, "Single", place, true, true]);
});

test("a stage and its part share the state of a package, and each loads once, when it is asked for", async () => {
  write(
    'import { next } from "counter"; export default { params: "numbers", inputs: {}, outputs: {}, run: next };',
    'import one from "modern"; export default { apply: one };',
  );
  const { printed } = await start("() => [stage.run(), part.apply(), stage.run(), globalThis.loaded]");
  expect(printed).toEqual([1, 2, 3, 1]);
  write(
    'export default { params: "numbers", inputs: {}, outputs: {}, run: async () => [globalThis.loaded, (await import("counter")).next(), globalThis.loaded] };',
  );
  expect((await start("stage.run")).printed).toEqual([null, 1, 1]);
});

test("a stage and its part have one module of a package, as with Node", async () => {
  write(
    'import * as modern from "modern"; import * as counter from "counter"; export default { params: "numbers", inputs: {}, outputs: {}, run: () => [modern, counter] };',
    'import * as modern from "modern"; import * as counter from "counter"; export default { all: [modern, counter] };',
  );
  const same = await start("() => stage.run().map((module, i) => module === part.all[i])");
  expect(same).toMatchObject({ printed: [true, true], bundled: true });
});

test("a thread of a stage's bundle takes its packages from there as well", async () => {
  write(`import { isMainThread, parentPort, Worker } from "node:worker_threads"; import { next } from "counter";
    if (!isMainThread) parentPort.postMessage(next() + 10);
    export default { params: "numbers", inputs: {}, outputs: {}, run: () =>
      new Promise((done) => new Worker(new URL(import.meta.url)).once("message", (answer) => done([answer, next()]))) };`);
  expect((await start("stage.run")).printed).toEqual([11, 1]);
});

test("what cannot be bundled is left to Node, with what it shares with the stage", async () => {
  write(`import { value } from "waits"; import { other } from "picks"; import { found } from "asks"; import { state } from "native"; import own from "shared"; import { next } from "counter"; import * as guesses from "guesses"; import { sep, count } from "remarks";
    export default { params: "numbers", inputs: {}, outputs: {}, run: () => [value, other, found, state === own, next(), guesses.other, sep, count()] };`);
  const { printed, folder, bundled } = await start("stage.run");
  expect(printed).toEqual([7, 8, "undefined", true, 1, 9, "/", 2]);
  expect(bundled).toBe(true);
  expect(
    JSON.parse(project.read(join("node_modules/.cache/deephash", folder.split("/").at(-1)!, "packages.json")))
      .names,
  ).toEqual(["counter", "remarks"]);
});

test("a package that changed in place is bundled again; the compiled code is kept for the next process", async () => {
  write(
    'import { next } from "counter"; export default { params: "numbers", inputs: {}, outputs: {}, run: next };',
  );
  const { folder } = await start("stage.run");
  const compiled = () => readdirSync(folder).filter((name) => name.endsWith(".v8")).length;
  expect(compiled()).toBe(1);
  expect((await start("stage.run")).printed).toBe(1);
  project.edit("node_modules/counter/index.js", "++count", "(count += 100)");
  const changed = await start("stage.run");
  expect(changed.printed).toBe(100);
  expect(changed.folder).not.toBe(folder);
  expect(existsSync(join(folder, "packages.cjs"))).toBe(true); // a run that began earlier starts from here
  expect((await start("stage.run")).folder).toBe(changed.folder);
});

const COUNTS =
  'import { next, place } from "counter"; export default { params: "numbers", inputs: {}, outputs: {}, run: () => [next(), place] };';

test("a link to a file of a package changes nothing, and what no run used for a month is removed", async () => {
  write(COUNTS);
  const { folder: old } = await start("stage.run");
  rmSync(join(project.root, "linked.js"), { force: true });
  linkSync(project.path("node_modules/counter/index.js"), join(project.root, "linked.js"));
  expect((await start("stage.run")).folder).toBe(old);
  project.edit("node_modules/counter/index.js", "++count", "(count += 100)");
  const { folder: used } = await start("stage.run");
  const age = (folder: string) => utimesSync(join(folder, "packages.json"), LONG_AGO, LONG_AGO);
  age(old);
  age(used);
  expect((await start("stage.run")).folder).toBe(used);
  expect(existsSync(old)).toBe(true); // until the next bundle
  project.edit("node_modules/counter/index.js", "+= 100", "+= 1000");
  expect((await start("stage.run")).printed).toEqual([1000, expect.any(String)]);
  expect([existsSync(old), existsSync(used)]).toEqual([false, true]);
});

test("a project that moved has its own place in its packages", async () => {
  write(COUNTS);
  await start("stage.run");
  const to = `${project.root}-moved`;
  renameSync(project.root, to);
  const { printed } = await start("stage.run", to).finally(() => renameSync(to, project.root));
  expect(printed).toEqual([1, join(to, "node_modules/counter/index.js")]);
});

test("each stage keeps the compiled code that it needs, that of the start too, after memory was collected", async () => {
  const lines = Array.from({ length: 400 }, (_, i) => `if (a === ${i}) b += a * ${i} + "text ${i}".length;`);
  project.write(
    "node_modules/counter/index.js",
    `exports.next = (a = 1, b = 0) => { ${lines.join("")} return 1; };`,
  );
  const stage = (rest: string) => {
    write(`import { next } from "counter"; import { setFlagsFromString } from "node:v8"; import { runInNewContext } from "node:vm";
      export default { params: "numbers", inputs: {}, outputs: {}, run: () => {
        setFlagsFromString("--expose-gc"); setFlagsFromString("--stress-flush-code"); // at any age
        const collect = runInNewContext("gc"), made = next();
        ${rest}
        return made; } };`);
    return start("stage.run");
  };
  const { folder } = await stage("");
  const [one, ...none] = readdirSync(folder).filter((name) => name.endsWith(".v8"));
  expect(none).toEqual([]);
  await stage("collect();");
  const [other, ...rest] = readdirSync(folder).filter((name) => name.endsWith(".v8") && name !== one);
  expect(rest).toEqual([]);
  const size = (name: string) => statSync(join(folder, name)).size;
  expect(size(one)).toBeGreaterThan(10_000);
  expect(size(other)).toBeGreaterThan(0.9 * size(one));
});

test("without a lock file the versions are unknown, so nothing is bundled", async () => {
  project.reset();
  write(
    'import { next } from "counter"; export default { params: "numbers", inputs: {}, outputs: {}, run: next };',
  );
  expect(await start("stage.run")).toMatchObject({ printed: 1, bundled: false });
});

test("are found where node_modules is a link to a folder elsewhere, those too that cannot be bundled", async () => {
  const elsewhere = join(project.root, "elsewhere");
  mkdirSync(elsewhere);
  renameSync(join(project.root, "node_modules"), join(elsewhere, "node_modules"));
  symlinkSync(join(elsewhere, "node_modules"), join(project.root, "node_modules"));
  write(
    'import { value } from "waits"; import { next } from "counter"; export default { value, next: next() };',
  );
  expect((await start("() => stage")).printed).toEqual({ value: 7, next: 1 });
});
