import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { numbers, readMetadata, readTable } from "../../../stages/shared/artifacts/arrow.ts";
import { writeSplit } from "../../../stages/shared/artifacts/split.ts";
import { writeVectors } from "../../../stages/shared/artifacts/vectors.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { drawStratified } from "../../../stages/shared/statistics/stratified.ts";
import { runStage } from "../../run-stage.ts";

const folder = mkdtempSync(join(tmpdir(), "deephash-tsne-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const split = join(folder, "split.arrow");

const rows = 200;
const draws = random(1, "stage");
const ids = Uint32Array.from({ length: rows }, (_, row) => 1000 + row);
const labels = Uint16Array.from({ length: rows }, (_, row) => row % 2);
const role = (wanted: number) =>
  Uint8Array.from({ length: rows }, (_, row) => (Math.floor(row / 2) % 4 === wanted ? 1 : 0));
const values = Float32Array.from({ length: rows * 6 }, (_, i) => {
  const row = Math.floor(i / 6);
  return draws.normal() + (i % 6 === labels[row] ? 9 : 0);
});
/** Writes the vectors, changed. */
function write(name: string, change: (value: number, row: number) => number): string {
  const path = join(folder, name);
  const vector = values.map((value, i) => change(value, Math.floor(i / 6)));
  writeVectors(path, { ids, labels, vector, dim: 6 }, { classes: ["cat", "dog"], backbone: "made-up" });
  return path;
}
const vectors = write("vectors.arrow", (value) => value);
const training = role(0);
writeSplit(split, {
  ids,
  labels,
  train: training,
  validation: role(1),
  database: training,
  query: Uint8Array.from({ length: rows }, (_, row) => (Math.floor(row / 2) % 4 > 1 ? 1 : 0)),
  protocol: "official",
  seed: 1,
});
const inputs = { vectors: [{ path: vectors, point: { loss: "facenet" } }], split };

describe("tsne", () => {
  it("maps a stratified draw of the query images, and says how far to trust it", async () => {
    const params = { points: 60, perplexity: 8, iterations: 300 };
    const { outputs } = await runStage("tsne", { params, inputs });
    const table = readTable(outputs.map, "tsne");
    expect(table.numRows).toBe(60);
    const drawn = numbers<Uint32Array>(table, "id");
    for (const id of drawn) expect(Math.floor((id - 1000) / 2) % 4).toBeGreaterThan(1);
    expect(new Set(drawn).size).toBe(60);
    const found = numbers<Uint16Array>(table, "label");
    expect(found.reduce((sum, label) => sum + label, 0)).toBe(30);
    const metadata = readMetadata(table);
    expect(metadata).toMatchObject({
      classes: ["cat", "dog"],
      point: { loss: "facenet" },
      points: 60,
      perplexity: 8,
      iterations: 300,
      made_from: { backbone: "made-up" },
    });
    expect(metadata.trustworthiness).toBeGreaterThan(0.8);
    expect(metadata.trustworthiness).toBeLessThanOrEqual(1);
    const again = await runStage("tsne", { params, inputs });
    expect(readFileSync(again.outputs.map).equals(readFileSync(outputs.map))).toBe(true);
    const other = await runStage("tsne", { params: { ...params, seed: 2 }, inputs });
    expect(readFileSync(other.outputs.map).equals(readFileSync(outputs.map))).toBe(false);
  });

  it("measures distances as it is told", async () => {
    const mapOf = async (distance: string, given: string) => {
      const params = { points: 60, perplexity: 8, iterations: 250, distance };
      const { outputs } = await runStage("tsne", { params, inputs: { vectors: given, split } });
      const table = readTable(outputs.map, "tsne");
      return Array.from(numbers<Float32Array>(table, "x"));
    };
    // Powers of two: the same angles to the last bit, other lengths.
    const scaled = write("scaled.arrow", (value, row) => 2 ** (row % 3) * value);
    expect(await mapOf("cosine", scaled)).toEqual(await mapOf("cosine", vectors));
    expect(await mapOf("euclidean", scaled)).not.toEqual(await mapOf("euclidean", vectors));
    expect(await mapOf("centred-cosine", vectors)).not.toEqual(await mapOf("cosine", vectors));
  });

  it("refuses a perplexity that the points cannot give", async () => {
    await expect(runStage("tsne", { params: { perplexity: 40 }, inputs })).rejects.toThrow(
      "tsne: 100 points are too few for perplexity 40. It takes three times as many points",
    );
  });
});

describe("drawStratified", () => {
  it("gives every class its share to within one, and the number asked for", () => {
    const classes = Uint16Array.from({ length: 100 }, (_, row) => (row < 61 ? 0 : row < 90 ? 1 : 2));
    const all = Uint32Array.from({ length: 100 }, (_, row) => row);
    const drawn = drawStratified(all, classes, 33, random(1, "points"));
    expect(drawn.length).toBe(33);
    const counts = [0, 0, 0];
    for (const row of drawn) counts[classes[row]]++;
    for (const [label, share] of [20.13, 9.57, 3.3].entries())
      expect(Math.abs(counts[label] - share)).toBeLessThan(1);
    expect(drawStratified(all, classes, 100, random(1, "points"))).toEqual(all);
  });
});
