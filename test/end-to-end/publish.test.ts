/** The files that a run publishes, removes and leaves alone, as a person runs it. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { Project } from "../runner/project.ts";

const project = new Project();
afterAll(() => project.remove());

/** Two profiles with one stage each, that writes the text into the files named, and publishes its folder d. */
const stages = (profiles: Record<string, object>) => {
  const all = Object.entries(profiles).map(([name, stage]) => [name, { stages: stage }]);
  project.write("pipeline.yaml", JSON.stringify({ profiles: Object.fromEntries(all), stages: {} }));
};
const stage = (text: string, files: string[], publish = "reports") => ({
  run: files.map((file) => `echo ${text} > \${out.d}/${file}`).join("; "),
  outputs: { d: "d/" },
  publish,
});
const run = async (...args: string[]) => {
  const { code, out, err } = await project.run(...args);
  expect(err).toBe("");
  expect(code).toBe(0);
  return out;
};
const found = () => {
  const files = readdirSync(project.path("reports"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== ".published")
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(project.path("reports").length + 1));
  return Object.fromEntries(files.sort().map((file) => [file, project.read(`reports/${file}`).trim()]));
};
const IDLE = /^Nothing to do: all 1 stages are up to date\.\n$/;
beforeEach(() => project.reset());

describe("a person's file", () => {
  test("in the place of an output is refused before anything runs", async () => {
    project.write("t/src/lib/mine.txt", "precious");
    stages({ a: { n: { ...stage("1", ["made.txt"], "t/src"), outputs: { d: "lib/" } } } });
    const { code, out, err } = await project.run("--profile", "a");
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(
      /^pipeline\.yaml:1:\d+ n\.publish: t\/src\/lib\/mine\.txt was not published by n\. Move it away, or name another folder\.\n$/,
    );
    expect(readdirSync(project.path("t/src"), { recursive: true })).toEqual(["lib", "lib/mine.txt"]);
    expect(existsSync(project.path("cache/records"))).toBe(false);
  });

  test("that came later stays through gc, a lost cache and another one, while old files are removed", async () => {
    stages({ a: { n: stage("1", ["x", "y"]) } });
    await run();
    project.write("reports/d/mine", "precious");
    stages({ a: { n: stage("2", ["x", "z"]) } });
    await run();
    const whole = { "d/mine": "precious", "d/x": "2", "d/z": "2" };
    expect(found()).toEqual(whole);
    await run("gc", "--older-than", "0h", "--keep-runs", "0");
    stages({ a: { n: stage("3", ["x", "w"]) } });
    await run();
    expect(found()).toEqual({ "d/mine": "precious", "d/w": "3", "d/x": "3" });
    rmSync(project.path("cache"), { recursive: true });
    stages({ a: { n: stage("2", ["x", "z"]) } });
    await run();
    expect(found()).toEqual(whole);
    stages({ a: { n: stage("4", ["x"]) } });
    await run("--cache", "other");
    expect(found()).toEqual({ "d/mine": "precious", "d/x": "4" });
    expect(await run("--cache", "other")).toMatch(IDLE);
  });
});

test("two profiles publish to one folder in turn, and each is idle after it", async () => {
  const text = (out: string) => out.split("\n").filter((line) => line.startsWith("Published"));
  stages({ a: { n: stage("A", ["x", "of-a"]) }, b: { m: stage("B", ["x", "of-b"]) } });
  for (const turn of [1, 2]) {
    for (const [profile, whole] of [
      ["a", { "d/of-a": "A", "d/x": "A" }],
      ["b", { "d/of-b": "B", "d/x": "B" }],
    ] as const) {
      expect(text(await run("--profile", profile)), `${profile} ${turn}`).toEqual(["Published to reports/."]);
      expect(found()).toEqual(whole);
      expect(await run("--profile", profile)).toMatch(IDLE);
    }
  }
});

test.each([
  ["with its list"],
  ["without its list"],
])("a fresh clone %s publishes over the committed report, and keeps what nobody committed", async (how) => {
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=n", "-c", "user.email=e", ...args], {
      cwd: project.root,
      stdio: "pipe",
    });
  stages({ a: { n: stage("1", ["x", "old"]) } });
  await run();
  if (how === "without its list") rmSync(project.path("reports/.published"));
  git("init", "--quiet");
  git("add", "reports");
  git("commit", "--quiet", "-m", "Report");
  rmSync(project.path("cache"), { recursive: true });
  rmSync(project.path("reports"), { recursive: true });
  git("checkout", "--quiet", "reports");
  stages({ a: { n: stage("2", ["x"]) } });
  await run();
  // Without a list, nothing says that it was made by a stage.
  expect(found()).toEqual(how === "with its list" ? { "d/x": "2" } : { "d/old": "1", "d/x": "2" });
  expect(await run()).toMatch(IDLE);
  expect(Object.keys(JSON.parse(readFileSync(project.path("reports/.published"), "utf8")).files)).toEqual([
    "d/x",
  ]);
  rmSync(project.path(".git"), { recursive: true });
});

test("a rerun in a fresh clone leaves git as it was: what a clock wrote, and its list, are ignored", async () => {
  project.write(".gitignore", "cache/\n*.log\nreports/*/timings*\nreports/*/.published-measured\n");
  expect((await project.run()).code).toBe(0);
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@localhost", ...args], {
      cwd: project.root,
      encoding: "utf8",
    });
  git("init", "--quiet");
  git("add", "--all");
  git("commit", "--quiet", "--message", "published");
  expect(git("ls-files", "reports")).not.toMatch(/timings|measured/);
  git("clean", "-dfxq", "--exclude=node_modules");
  expect(existsSync(project.path("reports/small/timings.json"))).toBe(false);
  const { code, out } = await project.run();
  expect([code, out]).toEqual([0, expect.stringContaining("Published to reports/small/.")]);
  expect(existsSync(project.path("reports/small/timings.json"))).toBe(true);
  expect(git("status", "--porcelain")).toBe("");
  // A second measurement is another one, and git does not see it either.
  expect((await project.run("--force")).code).toBe(0);
  expect(git("status", "--porcelain")).toBe("");
});
