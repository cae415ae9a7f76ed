import { execFileSync } from "node:child_process";
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hashFile } from "../../../runner/files/statcache.ts";
import type { Plan } from "../../../runner/plan/plan.ts";
import { publish, refuseObstacles } from "../../../runner/publish/publish.ts";
import type { StageRecord } from "../../../runner/store/record.ts";
import { Store } from "../../../runner/store/store.ts";

let root: string;
let store: Store;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "deephash-publish-"));
  store = new Store(join(root, "cache"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** The content of an output: a file's text, or the texts of a folder's files. */
type Content = string | Record<string, string>;

/** A plan of one published stage that is known. @param made by path of the output; a path with "clock" is measured */
function planOf(made: Record<string, Content>, id = "a", folder = "reports/x"): Plan {
  const scratch = store.scratch("k".repeat(64));
  const put = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  const outputs = Object.fromEntries(
    Object.entries(made).map(([path, content], index) => {
      const at = join(scratch, String(index));
      if (typeof content === "string") put(at, content);
      else {
        mkdirSync(at);
        for (const [name, text] of Object.entries(content)) put(join(at, name), text);
      }
      return [path, store.keepOutput(at, path.includes("clock"))];
    }),
  );
  const task = {
    id,
    stage: id,
    publish: folder,
    outputs: Object.fromEntries(
      Object.keys(made).map((path) => [path, { path, measured: path.includes("clock") }]),
    ),
    at: (...path: string[]) => `p.yaml:1:1(${path})`,
  };
  return { tasks: [task], states: new Map([[id, { kind: "hit", record: { outputs } }]]) } as unknown as Plan;
}
const run = (plan: Plan) => publish(plan, store, root);
const ask = (plan: Plan) => refuseObstacles(plan.tasks, store, root);
const at = (path: string) => join(root, "reports/x", path);
const read = (path: string) => readFileSync(at(path), "utf8");
const write = (path: string, text: string) => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
};
/** All files of the published folder but its list, and what they hold. */
const found = () =>
  Object.fromEntries(
    readdirSync(at(""), { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && !entry.name.startsWith(".published"))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(at("").length + 1), readFileSync(path, "utf8")]),
  );
const listed = () => JSON.parse(read(".published")).files as Record<string, [string, string]>;

describe("what a stage made is published", () => {
  test("where it differs, and its folder is told only then", () => {
    const plan = planOf({ "m.json": "1", "figures/": { a: "A", "sub/b": "B" }, "clock.json": "t1" });
    expect(run(plan)).toEqual(["reports/x"]);
    const whole = { "m.json": "1", "figures/a": "A", "figures/sub/b": "B", "clock.json": "t1" };
    expect(found()).toEqual(whole);
    expect(statSync(at("m.json")).mode & 0o777).toBe(0o644);
    const { mtimeMs, ino } = statSync(at(".published"));
    expect(run(plan)).toEqual([]);
    expect(statSync(at(".published"))).toMatchObject({ mtimeMs, ino });
    expect(Object.keys(listed()).sort()).toEqual(["figures/a", "figures/sub/b", "m.json"]);
    write("m.json", "2");
    rmSync(at("figures/a"));
    expect(run(plan)).toEqual(["reports/x"]);
    expect(found()).toEqual(whole);
  });

  test("under any name, and executable files stay executable", () => {
    const names = ["a b", "-rf", "__proto__", "constructor", "n".repeat(255), "\u00e9", ".published"];
    const plan = planOf({ "d/": Object.fromEntries(names.map((name) => [name, name])), "x.sh": "#!" });
    const { outputs } = (plan.states.get("a") as { record: StageRecord }).record;
    outputs["x.sh"].files = [["", outputs["x.sh"].hash, "x"]];
    run(plan);
    for (const name of names) expect(read(`d/${name}`)).toBe(name);
    expect(statSync(at("x.sh")).mode & 0o777).toBe(0o755);
    expect(run(plan)).toEqual([]);
    run(planOf({ "x.sh": "#!" }));
    expect(readdirSync(at("")).sort()).toEqual([".published", "x.sh"]);
  });

  test("with a list of the written files and their stages", () => {
    run(planOf({ "m.json": "1", "figures/": { "sub/b": "B" } }));
    expect(listed()).toEqual({
      "figures/sub/b": ["a", hashFile(at("figures/sub/b"))],
      "m.json": ["a", hashFile(at("m.json"))],
    });
  });

  test("by a clock when its stage ran since, or the file is missing", () => {
    run(planOf({ "clock.json": "t1" }));
    write("clock.json", "of another machine");
    expect(run(planOf({ "clock.json": "t1" }))).toEqual([]);
    expect(read("clock.json")).toBe("of another machine");
    expect(run(planOf({ "clock.json": "t2" }))).toEqual(["reports/x"]);
    expect(read("clock.json")).toBe("t2");
    rmSync(at("clock.json"));
    expect(run(planOf({ "clock.json": "t2" }))).toEqual(["reports/x"]);
    expect(read("clock.json")).toBe("t2");
  });
});

test("a folder that nobody may write to is told in one line", () => {
  const { copyFileSync } = fs;
  fs.copyFileSync = () => {
    throw Object.assign(new Error("EACCES: permission denied, copyfile 'a' -> 'b'"), { code: "EACCES" });
  };
  syncBuiltinESMExports();
  try {
    expect(() => run(planOf({ "m.json": "1" }))).toThrow(
      /^reports\/x: cannot be written to \(EACCES: permission denied, .*\)\. Change its permissions and run again: the results are in the cache\.$/,
    );
  } finally {
    fs.copyFileSync = copyFileSync;
    syncBuiltinESMExports();
  }
  expect(run(planOf({ "m.json": "1" }))).toEqual(["reports/x"]);
});

describe("what a stage no longer makes", () => {
  test.each(["d/", "d", "./d"])("goes from its folder %s, with folders that are empty then", (d) => {
    run(planOf({ [d]: { x: "X", "old/y": "Y" }, "old.json": "O" }));
    const plan = planOf({ [d]: { z: "Z" } });
    expect(run(plan)).toEqual(["reports/x"]);
    expect(found()).toEqual({ "d/z": "Z" });
    expect(readdirSync(at("d"))).toEqual(["z"]);
    expect(run(plan)).toEqual([]);
  });

  test("gives way when a file becomes a folder, or a folder a file", () => {
    const [file, folder] = [planOf({ d: "D", "e/f": "F" }), planOf({ "d/": { x: "X" }, e: "E" })];
    for (const [plan, whole] of [
      [file, { d: "D", "e/f": "F" }],
      [folder, { "d/x": "X", e: "E" }],
      [file, { d: "D", "e/f": "F" }],
    ] as const) {
      ask(plan);
      run(plan);
      expect(found()).toEqual(whole);
    }
  });

  test("stays when a person changed it", () => {
    run(planOf({ "d/": { x: "X", z: "Z" } }));
    write("d/x", "mine by now");
    const plan = planOf({ "d/": { z: "Z" } });
    expect(run(plan)).toEqual([]);
    expect(found()).toEqual({ "d/x": "mine by now", "d/z": "Z" });
    expect(Object.keys(listed())).toEqual(["d/z"]);
  });

  test("is not looked for behind a link", () => {
    run(planOf({ "d/": { x: "X" }, e: "E" }));
    renameSync(at("d"), join(root, "elsewhere"));
    symlinkSync(join(root, "elsewhere"), at("d"));
    expect(run(planOf({ e: "E" }))).toEqual([]);
    expect(readFileSync(join(root, "elsewhere/x"), "utf8")).toBe("X");
  });

  test("is not looked for where the published folder has become a link out of the project", () => {
    run(planOf({ "d/": { x: "X" } }));
    const outside = mkdtempSync(join(tmpdir(), "deephash-outside-"));
    renameSync(at(""), join(outside, "x"));
    symlinkSync(join(outside, "x"), join(root, "reports/x"));
    expect(() => run(planOf({ "d/": { y: "Y" } }))).toThrow("reports/x: is a link out of the project by now");
    expect(readdirSync(join(outside, "x/d"))).toEqual(["x"]);
    rmSync(outside, { recursive: true });
  });

  test("stays where another stage of the same folder made it", () => {
    run(planOf({ "a.json": "A" }, "a"));
    run(planOf({ "b.json": "B" }, "b"));
    expect(run(planOf({ "a.json": "A2" }, "a"))).toEqual(["reports/x"]);
    expect(found()).toEqual({ "a.json": "A2", "b.json": "B" });
  });
});

describe("a person's file", () => {
  test("beside the outputs, or later put into their folder, is left alone", () => {
    run(planOf({ "d/": { x: "X" } }));
    write("notes.md", "by hand");
    write("d/notes.md", "by hand");
    const plan = planOf({ "d/": { y: "Y" } });
    ask(plan);
    run(plan);
    expect(found()).toEqual({ "d/notes.md": "by hand", "d/y": "Y", "notes.md": "by hand" });
  });

  const mine = { "lib/mine": "precious" };
  test.each([
    ["o.txt", { "o.txt": "1" }, { "o.txt": "mine" }, "reports/x/o.txt was not published by a"],
    ["lib/", { "lib/": { made: "1" } }, mine, "reports/x/lib/mine was not published by a"],
    ["lib", { lib: "1" }, mine, "reports/x/lib/mine was not published by a"],
    ["lib/mine/o", { "lib/mine/o": "1" }, mine, "reports/x/lib/mine is a file, and a folder is"],
    ["lib/mine/", { "lib/mine/": { o: "1" } }, mine, "reports/x/lib/mine is a file, and a folder is"],
  ] as [
    string,
    Record<string, Content>,
    Record<string, string>,
    string,
  ][])("in the place of the output %s is refused before anything runs", (_, made, files, message) => {
    for (const [path, text] of Object.entries(files)) write(path, text);
    expect(() => ask(planOf(made))).toThrow(`p.yaml:1:1(publish) a.publish: ${message}`);
    expect(found()).toEqual(files);
  });

  test.each([
    "mine.txt",
    "mine.txt/below/it",
  ])("in the place of the folder %s itself is refused", (folder) => {
    writeFileSync(join(root, "mine.txt"), "mine");
    const plan = planOf({ o: "1" }, "a", folder);
    for (const work of [ask, run])
      expect(() => work(plan)).toThrow(
        "a.publish: mine.txt is a file, and a folder is to be published there",
      );
    expect(readFileSync(join(root, "mine.txt"), "utf8")).toBe("mine");
  });

  test("that turns out to have the name of a new file is kept, while other stages are published", () => {
    run(planOf({ "d/": { x: "X" } }));
    write("d/y", "mine");
    const [one, other] = [planOf({ "d/": { y: "Y", z: "Z" } }), planOf({ o: "O" }, "b")];
    const both = {
      tasks: [...one.tasks, ...other.tasks],
      states: new Map([...one.states, ...other.states]),
    } as unknown as Plan;
    ask(both);
    expect(() => run(both)).toThrow("a.publish: reports/x/d/y was not published by a. Move it away");
    expect(found()).toMatchObject({ "d/y": "mine", o: "O" });
    rmSync(at("d/y"));
    run(both);
    expect(found()).toEqual({ "d/y": "Y", "d/z": "Z", o: "O" });
  });

  test.each([
    "o.txt",
    "d",
    "d/o",
  ])("that is a link in the place %s is refused, and nothing behind it changes", (link) => {
    mkdirSync(join(root, "elsewhere"));
    writeFileSync(join(root, "elsewhere/o"), "precious");
    mkdirSync(dirname(at(link)), { recursive: true });
    symlinkSync(join(root, link === "d" ? "elsewhere" : "elsewhere/o"), at(link));
    const plan = planOf(link === "o.txt" ? { "o.txt": "1" } : { "d/": { o: "1" } });
    expect(() => ask(plan)).toThrow(`reports/x/${link} is a link or no file`);
    expect(() => run(plan)).toThrow(`reports/x/${link} is a link or no file`);
    expect(readFileSync(join(root, "elsewhere/o"), "utf8")).toBe("precious");
    expect(readdirSync(join(root, "elsewhere"))).toEqual(["o"]);
  });

  test("is nothing that the store holds: then it is a result", () => {
    run(planOf({ "o.txt": "1" }));
    rmSync(at(".published"));
    const plan = planOf({ "o.txt": "2" });
    ask(plan);
    expect(run(plan)).toEqual(["reports/x"]);
    rmSync(at(".published"));
    rmSync(join(root, "cache/objects"), { recursive: true });
    expect(() => ask(plan)).toThrow("reports/x/o.txt was not published by a");
  });

  test("is nothing that git holds as it is: then it can be had again", () => {
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=n", "-c", "user.email=e", ...args], { cwd: root, stdio: "pipe" });
    write("o.txt", "of another machine");
    write("d/x", "of another machine");
    git("init", "--quiet");
    git("add", "reports");
    const plan = planOf({ "o.txt": "1", "d/": { y: "Y" } });
    expect(() => ask(plan)).toThrow("reports/x/o.txt was not published by a"); // no commit holds it
    git("commit", "--quiet", "-m", "Reports");
    write("o.txt", "edited since");
    expect(() => ask(plan)).toThrow("reports/x/o.txt was not published by a");
    write("o.txt", "of another machine");
    ask(plan);
    run(plan);
    expect(found()).toEqual({ "o.txt": "1", "d/x": "of another machine", "d/y": "Y" });
  });
});

describe("what another stage published", () => {
  test("is taken over as it was published, and not when it was changed", () => {
    run(planOf({ "o.txt": "1", "d/": { x: "X" } }, "old-name"));
    rmSync(join(root, "cache/objects"), { recursive: true });
    const plan = planOf({ "o.txt": "2", "d/": { y: "Y" } }, "new-name");
    ask(plan);
    run(plan);
    expect(found()).toEqual({ "o.txt": "2", "d/y": "Y" });
    write("o.txt", "mine");
    expect(() => ask(planOf({ "o.txt": "3" }, "third-name"))).toThrow(
      "reports/x/o.txt was not published by third-name",
    );
  });
});

describe("the list", () => {
  test.each([
    ["text", "<<<<<<< HEAD"],
    ["a path out of the folder", '{"files": {"../../precious": ["a", "HASH"]}}'],
    ["an absolute path", '{"files": {"/precious": ["a", "HASH"]}}'],
    ["no hash", '{"files": {"o.txt": ["a", "1"]}}'],
    ["no files", "{}"],
  ])("that holds %s is refused, and nothing is removed", (_, text) => {
    writeFileSync(join(root, "precious"), "p");
    write("o.txt", "mine");
    write(".published", text.replace("HASH", hashFile(join(root, "precious"))));
    for (const work of [ask, run])
      expect(() => work(planOf({ "p.txt": "1" }))).toThrow(
        /^reports\/x\/\.published: is no list of published files\. Restore it/,
      );
    expect(existsSync(join(root, "precious"))).toBe(true);
    expect(found()).toEqual({ "o.txt": "mine" });
  });

  test("that is a link is refused", () => {
    write("o.txt", "mine");
    symlinkSync(at("o.txt"), at(".published"));
    expect(() => ask(planOf({ "p.txt": "1" }))).toThrow("is no list");
  });
});
