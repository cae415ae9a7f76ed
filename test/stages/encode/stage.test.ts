import { join } from "node:path";
import { Matrix } from "ml-matrix";
import { beforeAll, describe, expect, test } from "vitest";
import itq from "../../../stages/encode/binarisers/itq.ts";
import pcaSign from "../../../stages/encode/binarisers/pca-sign.ts";
import spectral from "../../../stages/encode/binarisers/spectral.ts";
import { randomRotation } from "../../../stages/encode/rotation.ts";
import { packSigns, readCodes } from "../../../stages/shared/artifacts/codes.ts";
import { project, readProjection } from "../../../stages/shared/artifacts/projection.ts";
import { readVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { startBackend } from "../../../stages/shared/compute/backend.ts";
import { principalDirections } from "../../../stages/shared/compute/principal.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { runStage } from "../../run-stage.ts";
import { scratch } from "../shared/scratch.ts";
import { writeBlobSplit, writeBlobs } from "../vectors.ts";

const folder = scratch();
const blobs = { classes: 4, perClass: 40, dim: 12, noise: 0.3 };
const [vectors, split] = ["vectors", "split"].map((name) => join(folder, `${name}.arrow`));
writeBlobs(vectors, blobs);
writeBlobSplit(split, blobs);
beforeAll(() => startBackend("wasm"));

/** Rows whose variance along axis d falls with d, turned at random. */
function sample(rows = 400, dim = 10) {
  const draw = random(3, "sample");
  const turn = randomRotation(dim, dim, draw);
  const raw = new Matrix(rows, dim);
  for (let i = 0; i < rows; i++) for (let d = 0; d < dim; d++) raw.set(i, d, draw.normal() * 2 ** -d + 1);
  const values = Float32Array.from(raw.mmul(turn.transpose()).to1DArray());
  return { sample: { values, rows, dim }, turn };
}

test("a random rotation keeps lengths and angles", () => {
  const rotation = randomRotation(9, 5, random(1, "rotation"));
  const gram = rotation.transpose().mmul(rotation);
  for (let i = 0; i < 5; i++)
    for (let j = 0; j < 5; j++) expect(gram.get(i, j)).toBeCloseTo(i === j ? 1 : 0, 10);
});

test("the principal directions are those of the largest variance, in order", () => {
  const { sample: given, turn } = sample();
  const { directions } = principalDirections(given, 4, random(1, "principal"));
  for (let j = 0; j < 4; j++) {
    const along = directions.getColumnVector(j).transpose().mmul(turn.getColumnVector(j)).get(0, 0);
    expect(Math.abs(along)).toBeGreaterThan(0.98);
  }
  const again = principalDirections(given, 4, random(2, "principal"));
  expect(Matrix.sub(directions, again.directions).norm()).toBeLessThan(1e-3); // no matter where it began
  expect(() => principalDirections(given, 11, random(1, "principal"))).toThrow(/vectors have 10 values/);
});

test("itq brings the components nearer to their codes than a random rotation, the more the longer", () => {
  const { sample: given } = sample();
  const error = (iterations: number) => {
    const projection = itq.fit(given, 6, random(1, "binariser"), { iterations });
    return project(projection, given.values).reduce((sum, value) => sum + (Math.abs(value) - 1) ** 2, 0);
  };
  const errors = [0, 1, 5, 50].map(error);
  expect(errors).toEqual([...errors].sort((a, b) => b - a));
  expect(errors[3]).toBeLessThan(errors[0]);
});

test("pca-sign takes the components as they are, or turned", () => {
  const { sample: given } = sample();
  const fit = (rotate: boolean) => pcaSign.fit(given, 4, random(1, "binariser"), { rotate });
  const variances = (rotate: boolean) => {
    const values = project(fit(rotate), given.values);
    return [0, 1, 2, 3].map((bit) => {
      let sum = 0;
      for (let at = bit; at < values.length; at += 4) sum += values[at] ** 2;
      return sum / given.rows;
    });
  };
  expect(variances(false)).toEqual([...variances(false)].sort((a, b) => b - a));
  const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
  expect(total(variances(true))).toBeCloseTo(total(variances(false)), 3);
  expect(Math.max(...variances(true))).toBeLessThan(Math.max(...variances(false)));
});

test("spectral takes the slowest waves along the components, several along one of large variance", () => {
  const { sample: given } = sample();
  const bits = 6;
  const { mean, directions } = principalDirections(given, bits, random(1, "binariser"));
  const rows = Array.from({ length: given.rows }, (_, i) =>
    [...given.values.subarray(i * given.dim, (i + 1) * given.dim)].map((value, d) => value - mean[d]),
  );
  const along = new Matrix(rows).mmul(directions);
  const sides = Array.from({ length: bits }, (_, j) => {
    const column = along.getColumn(j);
    return [Math.min(...column), Math.max(...column)];
  });
  const waves = sides
    .flatMap(([a, b], j) =>
      Array.from({ length: bits }, (_, k) => ({ a, j, w: ((k + 1) * Math.PI) / (b - a) })),
    )
    .sort((one, other) => one.w - other.w)
    .slice(0, bits);
  expect(new Set(waves.map(({ j }) => j)).size).toBeLessThan(bits);
  const projection = spectral.fit(given, bits, random(1, "binariser"), {});
  const found = project(projection, given.values);
  for (let i = 0; i < given.rows; i++)
    for (const [bit, { a, j, w }] of waves.entries())
      expect(found[i * bits + bit]).toBeCloseTo(Math.cos(w * (along.get(i, j) - a)), 3);
});

describe("the stage", () => {
  const encode = (params: object) =>
    runStage("encode", { params: params as Record<string, unknown>, inputs: { vectors, split } });

  test("sign takes each value's sign, and the projection is kept", async () => {
    const { outputs } = await encode({});
    const [codes, { values, ids }] = [readCodes(outputs.codes), readVectors(vectors)];
    expect(codes).toMatchObject({ bits: 12, ids, metadata: { binariser: "sign" } });
    expect(codes.values).toEqual(packSigns(values, 12));
  });

  test.each([
    "lsh",
    "pca-sign",
    "itq",
    "spectral",
  ])("%s: the kept projection gives the same codes again", async (binariser) => {
    const { outputs } = await encode({ binariser, bits: 8 });
    const codes = readCodes(outputs.codes);
    const projection = readProjection(outputs.projection);
    expect(projection).toMatchObject({ bits: 8, dim: 12 });
    expect(packSigns(project(projection, readVectors(vectors).values), 8)).toEqual(codes.values);
    expect(new Set(codes.values).size).toBeGreaterThan(2);
  });

  test("lsh gives more bits than there are dimensions", async () => {
    const { outputs } = await encode({ binariser: "lsh", bits: 30 });
    expect(readCodes(outputs.codes).bits).toBe(30);
  });

  test("lengths that cannot be had are refused", async () => {
    await expect(encode({ bits: 5 })).rejects.toThrow(/"sign" makes 12 bits of 12 values, but bits is 5/);
    await expect(encode({ binariser: "itq", bits: 13 })).rejects.toThrow(
      /at most 12 bits, or the binariser lsh/,
    );
    await expect(encode({ binariser: "itq", bits: 513 })).rejects.toThrow(/bits/);
    await expect(encode({ binariser: "itq", bits: 2.5 })).rejects.toThrow(/bits/);
  });
});
