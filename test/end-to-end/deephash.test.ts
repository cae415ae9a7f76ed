/** The command `deephash`: from a clone, from an installed package, and completed by bash. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { scratch } from "../stages/shared/scratch.ts";

const BIN = resolve("bin/deephash.mjs");
const { version, bin } = JSON.parse(readFileSync("package.json", "utf8"));

/** The environment of a shell that npm did not start. */
const env = Object.fromEntries(
  Object.entries({ ...process.env, NO_COLOR: "1", VITEST: undefined }).filter(
    ([name]) => !/^(npm_|INIT_CWD)/.test(name),
  ),
);
function deephash(cwd: string, program: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd,
    env,
    encoding: "utf8",
  });
  return { code: status, out: stdout, err: stderr };
}

describe("from a clone", () => {
  test("is named in package.json, and tells its version", () => {
    expect(resolve(bin.deephash)).toBe(BIN);
    expect(deephash(".", BIN, "--version")).toEqual({ code: 0, out: `${version}\n`, err: "" });
    const { stdout } = spawnSync("npx", ["--no", "--", "deephash", "--version"], { env, encoding: "utf8" });
    expect(stdout).toBe(`${version}\n`);
  });
  test("works in a folder below the project, with paths from there", () => {
    const { code, out } = deephash("docs", BIN, "graph", "--pipeline", "../pipeline.yaml");
    expect(code).toBe(0);
    expect(out).toMatch(/^flowchart TD/);
    expect(deephash("docs", BIN, "graph", "--pipeline", "none.yaml").err).toContain(
      resolve("docs/none.yaml"),
    );
  });
  test("has the commands of the pipeline, and search and index", () => {
    expect(deephash(".", BIN, "pipeline", "graph", "dot").out).toMatch(/^digraph/);
    expect(deephash(".", BIN, "search", "--help").out).toContain("--top <n>");
    expect(deephash(".", BIN, "help", "index").out).toContain("--like <index>");
    expect(deephash(".", BIN, "index", "no-such-folder", "--backbone", "resnet18")).toMatchObject({
      code: 2,
    });
    expect(deephash(".", BIN, "statsu")).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean "status"?'),
    });
    expect(deephash(".", BIN, "help", "statsu").err).toContain('Did you mean "status"?');
  });
});

test("npm's own options are refused with the line to write", () => {
  const { status, stderr } = spawnSync("npm", ["run", "pipeline", "--force"], { env, encoding: "utf8" });
  expect(status).toBe(2);
  expect(stderr).toContain('Write "--" before the options: npm run pipeline -- --force');
});

/** The files of `npm pack`. */
const [{ files: packed }] = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--silent"], { env, encoding: "utf8" }),
) as [{ files: { path: string; size: number }[] }];

test("the package has no reports, tests and benchmarks", () => {
  const folders = new Set(packed.map(({ path }) => path.split("/")[0]));
  for (const name of ["bench", "reports", "test"]) expect(folders).not.toContain(name);
  const megabytes = packed.reduce((sum, { size }) => sum + size, 0) / 1e6;
  expect(megabytes).toBeLessThan(20); // 17 of them are the bundled sample
});

test("from an installed package, whose dependencies are beside it", () => {
  const app = scratch();
  const home = join(app, "node_modules/deephash");
  mkdirSync(home, { recursive: true });
  for (const { path } of packed) cpSync(path, join(home, path), { recursive: true });
  for (const name of readdirSync("node_modules"))
    if (!name.startsWith(".")) symlinkSync(resolve("node_modules", name), join(app, "node_modules", name));
  const program = join(home, "bin/deephash.mjs");
  expect(deephash(app, program, "--version").out).toBe(`${version}\n`);
  expect(deephash(app, program, "graph")).toMatchObject({ code: 0, err: "" });
  const { code, out, err } = deephash(app, program, "why", "split", "--profile", "cifar10");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^split.*(never ran|waits)/m);
}, 60_000);

describe("bash", () => {
  const script = execFileSync(process.execPath, [BIN, "completion", "bash"], { env, encoding: "utf8" });
  /** The completions of a line in bash: the words of COMPREPLY. */
  const complete = (line: string) =>
    execFileSync(
      "bash",
      [
        "-c",
        `${script}
line="$1"; COMP_LINE="$line"; COMP_POINT=\${#line}; _deephash; printf '%s\\n' "\${COMPREPLY[@]}"`,
        "bash",
        line,
      ],
      { env, encoding: "utf8" },
    )
      .trim()
      .split("\n");
  test.each([
    ["deephash stat", ["status"]],
    ["deephash why --prof", ["--profile"]],
    ["deephash --profile cif", ["cifar10"]],
    ["deephash --profile=cif", ["cifar10"]],
    ["deephash --set train-race.learning_r", ["train-race.learning_rate="]],
    ["deephash init ~/pho", [""]],
  ])("completes %s", (line, expected) => {
    expect(complete(line)).toEqual(expected);
  });
  test("completes the rest of an instance after its last =", () => {
    const found = complete("deephash why train-race[");
    expect(found[0]).toMatch(/^train-race\[/);
    const [start] = /^train-race\[\w+=/.exec(found[0])!;
    expect(`${start}${complete(`deephash why ${start}`)[0]}`).toBe(found[0]);
  });
  test("a shell without a script is refused by name", () => {
    expect(deephash(".", BIN, "completion", "bahs")).toMatchObject({
      code: 2,
      err: 'completion bahs: no such shell. Did you mean "bash"?\n',
    });
  });
});
