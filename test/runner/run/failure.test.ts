import { expect, test } from "vitest";
import { StageError, stageErrorOf, toStageError } from "../../../runner/run/index.ts";
import { UserError } from "../../../runner/stage.ts";

/** As a stage's bundle holds it: another class of the same name. */
class OwnUserError extends Error {
  override name = "UserError";
}

const disk = (code: string) => Object.assign(new Error(`${code}: write`), { code });

test.each([
  ["a UserError", new UserError("row 3 is not a number."), "user", "row 3 is not a number."],
  ["a UserError of a stage's bundle", new OwnUserError("row 3."), "user", "row 3."],
  ["a full disk", disk("ENOSPC"), "disk", /^the disk is full \(ENOSPC: write\)\./],
  ["a read-only disk", disk("EROFS"), "disk", /^the disk is read-only/],
  ["a file that is not there", disk("ENOENT"), "stage", "ENOENT: write"],
  ["an error of several lines", new Error("first\nsecond"), "stage", "first"],
  ["no error", null, "stage", "threw null"],
  ["an object that only has the name", { name: "UserError", message: "no" }, "stage", /^threw /],
])("%s", (_, error, kind, message) => {
  const { failure } = toStageError(error);
  expect(failure.kind).toBe(kind);
  if (message instanceof RegExp) expect(failure.message).toMatch(message);
  else expect(failure.message).toBe(message);
});

test("a failure stays what it is, also when another process told it", () => {
  const error = new StageError("took too long.", "timeout");
  expect(toStageError(error)).toBe(error);
  expect(stageErrorOf(JSON.parse(JSON.stringify(error.failure)))).toEqual(error);
});
