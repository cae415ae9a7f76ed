/** Splits that a program made: a role without images is refused in one line. */
import { expect, test } from "vitest";
import { evaluate, evaluateCodes, type Split } from "../../library/evaluation.ts";
import { UserError } from "../../runner/stage.ts";

const ids = Uint32Array.of(0, 1, 2, 3);
const labels = Uint16Array.of(0, 1, 0, 1);
const classes = ["x", "y"];
const split: Split = {
  ids,
  labels,
  train: Uint8Array.of(1, 0, 0, 0),
  validation: Uint8Array.of(0, 1, 0, 0),
  query: Uint8Array.of(0, 0, 1, 0),
  database: Uint8Array.of(1, 0, 0, 1),
  protocol: "own",
  seed: 1,
};
const vectors = { ids, labels, classes, values: Float32Array.of(0, 1, 2, 3), dim: 1, rows: 4, metadata: {} };
const codes = { ids, labels, classes, values: Uint8Array.of(0, 1, 2, 3), bits: 8 };
const without = (role: string) => ({ ...split, [role]: new Uint8Array(4) });
const refusal = (stage: string, role: string) =>
  new UserError(`${stage}: no image is in "${role}" of the split. Put at least one there.`);

test.each(["train", "validation", "query", "database"])("evaluate, without images in %s", async (role) => {
  await expect(evaluate(vectors, without(role), { ks: [1] })).rejects.toThrow(refusal("evaluate", role));
});

test("evaluateCodes, without queries or a database", () => {
  expect(evaluateCodes(codes, split, { at: [1] }).map).toBeGreaterThan(0);
  for (const role of ["query", "database"])
    expect(() => evaluateCodes(codes, without(role))).toThrow(refusal("evaluateCodes", role));
});
