/** A run in a terminal of its own: what reaches it, and in which colours. Needs `script` of util-linux. */
import { execFileSync, spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Screen } from "../runner/cli/screen.ts";
import { Project } from "../runner/project.ts";

const isThere = /util-linux/.test(spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "");

const project = new Project({
  "pipeline.yaml": `
profiles: { p: {} }
stages:
  pause: { uses: trouble, with: { mode: pause } }
  warn: { uses: trouble, with: { mode: warn } }
  throw: { uses: trouble, with: { mode: throw } }
`,
});
afterAll(() => project.remove());

/** The output of a run on a pseudo-terminal of so many columns. */
function written(columns: number, env: Record<string, string | undefined> = {}): string {
  const command = `stty cols ${columns} rows 24; exec ${process.execPath} ${resolve("runner/main.mjs")} --force --keep-going`;
  try {
    return execFileSync("script", ["-qec", command, "/dev/null"], {
      cwd: project.root,
      env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, TERM: "xterm", ...env },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const COLOR = /\u001b\[3\dm/;

describe.skipIf(!isThere)("on a pseudo-terminal", () => {
  test.each([80, 170])("of %i columns, the run has a block, and loses no message", async (columns) => {
    const text = written(columns);
    expect(text).toContain("of 3 stages");
    expect(text).toMatch(COLOR);
    const screen = new Screen(columns);
    screen.write(text);
    const { lines } = await screen.read();
    expect(lines[0]).toBe("Profile p: 0 of 3 stages are up to date.");
    expect(lines).toContain("! warn: two rows look odd.");
    expect(lines).toContainEqual(expect.stringMatching(/^✓ \[2\/3\] pause {2}\d\.\d s$/));
    expect(lines.slice(-3)).toEqual([
      "✗ throw: the sum is wrong",
      expect.stringMatching(/^ {2}log: .*\/cache\/logs\/[0-9a-f]{64}\.log$/),
      expect.stringMatching(/^1 stage failed; 2 of 3 are up to date/),
    ]);
    expect(lines.filter((line) => line.includes("✗ throw"))).toHaveLength(2); // repeated after what followed it
  });

  test("NO_COLOR and a terminal without abilities are respected", () => {
    const plain = written(80, { NO_COLOR: "1" });
    expect(plain).toContain("of 3 stages");
    expect(plain).not.toMatch(COLOR);
    const dumb = written(80, { TERM: "dumb" });
    expect(dumb).not.toContain("\u001b");
    expect(dumb).toContain("▸ pause  (forced)");
  });
});

test("FORCE_COLOR colours a pipe; the block stays away", async () => {
  project.env = { FORCE_COLOR: "1", NO_COLOR: "" };
  const { out } = await project.run("--only", "warn", "--force");
  project.env = {};
  expect(out).toMatch(COLOR);
  expect(out).toContain("▸ warn");
  expect(out).not.toContain("\u001b[J");
});
