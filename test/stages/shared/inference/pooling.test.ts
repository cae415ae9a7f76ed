/** Tokens to one vector, and rejected shapes. */
import { describe, expect, test } from "vitest";
import { UserError } from "../../../../runner/stage.ts";
import { pool } from "../../../../stages/shared/inference/pooling.ts";

// Two images of three tokens of two values.
const tokens = Float32Array.of(1, 2, 10, 20, 30, 60, 3, 4, 50, 0, 70, 8);
const SHAPE = [2, 3, 2];

describe("the tokens of a transformer", () => {
  test.each([
    ["cls", [1, 2, 3, 4]],
    ["mean", [20, 40, 60, 4]],
    ["both", [1, 2, 20, 40, 3, 4, 60, 4]],
  ] as const)("%s", (pooling, wanted) => {
    expect([...pool(tokens, SHAPE, pooling, "net")]).toEqual(wanted);
  });

  test("are not taken for one vector", () => {
    expect(() => pool(tokens, SHAPE, undefined, "net")).toThrow(UserError);
    expect(() => pool(tokens, SHAPE, undefined, "net")).toThrow(
      'net gives float32[2, 3, 2], a vector for each token. Say "pooling"',
    );
  });

  test("must be there to be pooled", () => {
    expect(() => pool(tokens, [2, 6], "cls", "net")).toThrow("no tokens that could be pooled");
    expect(pool(tokens, [2, 6], undefined, "net")).toBe(tokens);
    expect(pool(tokens, [2, 6, 1, 1], undefined, "net")).toBe(tokens);
  });
});
