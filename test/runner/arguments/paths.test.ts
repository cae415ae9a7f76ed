import { Command, Option } from "commander";
import { afterEach, expect, test, vi } from "vitest";
import { refuseEmptyPaths } from "../../../runner/arguments/index.ts";

afterEach(() => vi.unstubAllEnvs());

/** The values that the command `take` is given. */
function parsed(...args: string[]): [string[], Record<string, unknown>] {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  let given: [string[], Record<string, unknown>] | undefined;
  program
    .command("take")
    .argument("[image...]")
    .option("--out <file>")
    .option("--cache <folder>", "", (path) => `/${path}`)
    .option("--name <name>")
    .addOption(new Option("--remote <place>").env("REMOTE_PLACE"))
    .action((images, options) => {
      given = [images, options];
    });
  refuseEmptyPaths(program);
  program.parse(["take", ...args], { from: "user" });
  return given!;
}

test.each([
  ["--out", ""],
  ["--cache", ""],
  ["--remote", ""],
  [""],
  ["a.png", ""],
])("an empty path is refused: %j %j", (...args) => {
  expect(() => parsed(...args)).toThrow(/The path is empty\./);
});

test("everything else is as it was given", () => {
  expect(parsed("a", "b", "--out", "c", "--cache", "d", "--name", "", "--remote", "e")).toEqual([
    ["a", "b"],
    { out: "c", cache: "/d", name: "", remote: "e" },
  ]);
  expect(parsed()).toEqual([[], {}]);
});

test("a variable that is set to nothing is as good as not set", () => {
  vi.stubEnv("REMOTE_PLACE", "");
  expect(parsed()[1].remote ?? "").toBe("");
  vi.stubEnv("REMOTE_PLACE", "there");
  expect(parsed()[1].remote).toBe("there");
});
