/** The folder that a person's paths begin at. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { programOf } from "../../../runner/cli/program.ts";
import { given, givenSource, standing } from "../../../runner/files/standing.ts";
import { scratch } from "../../stages/shared/scratch.ts";

describe("the current folder of a person", () => {
  test("is what npm says, as long as npm put the process where it is", () => {
    const npm = { INIT_CWD: "/home/me", npm_package_json: "/project/package.json" };
    expect(standing("/project", npm)).toBe("/home/me");
    expect(standing("/elsewhere", npm)).toBe("/elsewhere"); // an npm script started this in a third folder
    expect(standing("/project", {})).toBe("/project");
    expect(standing("/project", { INIT_CWD: "/home/me" })).toBe("/home/me"); // yarn names no manifest
  });

  test("is where its paths begin; files that are only in the project are found there", () => {
    const [root, from] = [scratch(), scratch()];
    mkdirSync(join(root, "indexes"));
    expect(given("x", from)).toBe(join(from, "x"));
    expect(givenSource("indexes", root, from)).toBe(join(root, "indexes"));
    writeFileSync(join(from, "indexes"), "");
    expect(givenSource("indexes", root, from)).toBe(join(from, "indexes"));
    expect(givenSource("nowhere", root, from)).toBe(join(from, "nowhere"));
  });
});

test("every path that the runner takes begins there", async () => {
  const before = { ...process.env };
  const from = scratch();
  Object.assign(process.env, { INIT_CWD: from, npm_package_json: join(process.cwd(), "package.json") });
  try {
    for (const [option, value, wanted] of [
      ["--mirror", "m", join(from, "m")],
      ["--cache", "c", join(from, "c")],
      ["--pipeline", "p.yaml", join(from, "p.yaml")],
      ["--remote", "r", join(from, "r")],
      ["--remote", "s3://bucket/x", "s3://bucket/x"],
    ]) {
      let found: unknown;
      const program = programOf(async (work) => {
        await work.catch(() => {});
      });
      const run = program.commands.find((command) => command.name() === "run")!;
      run.action((options) => {
        found = options[option.slice(2)];
      });
      await program.parseAsync(["run", option, value], { from: "user" });
      expect(found).toBe(wanted);
    }
  } finally {
    process.env = before;
  }
});
