/** The stage join reads one table at a time: its memory grows with its result, not with the number of its inputs. */

import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { runStage } from "../../run-stage.ts";
import { scratch } from "../shared/scratch.ts";
import { writeBlobs } from "../vectors.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
/** Bytes of typed arrays that are in use. */
function inUse(): number {
  for (let pass = 0; pass < 2; pass++) collect(); // the second frees what the first found
  return process.memoryUsage().arrayBuffers;
}

const [ROWS, DIM, TABLES] = [3000, 256, 6];
const TABLE_BYTES = ROWS * DIM * 4;

/** Tables read so far, and the bytes in use when the last of them is read. */
let reads = 0;
let held = 0;
vi.mock("../../../stages/shared/artifacts/vectors.ts", async (original) => {
  const real = await original<typeof import("../../../stages/shared/artifacts/vectors.ts")>();
  const readVectors: typeof real.readVectors = (path) => {
    if (++reads === TABLES) held = inUse();
    return real.readVectors(path);
  };
  return { ...real, readVectors };
});

const path = join(scratch(), "table.arrow");
writeBlobs(path, { classes: 3, perClass: ROWS / 3, dim: DIM, noise: 0.1 });

/**
 * Joins TABLES tables.
 * @returns bytes held when the last is read, in tables: one counts its file and its values, 2, while it is in use
 */
async function heldBy(how: "mean" | "concatenate"): Promise<number> {
  const vectors = Array.from({ length: TABLES }, (_, index) => ({ path, id: `table ${index}` }));
  reads = 0;
  const before = inUse();
  await runStage("join", { params: { how }, inputs: { vectors } });
  expect(reads).toBeGreaterThanOrEqual(TABLES);
  return (held - before) / TABLE_BYTES;
}

test("the mean of many tables holds their sum and one table", { timeout: 120_000 }, async () => {
  expect(await heldBy("mean")).toBeLessThan(1 + 2 + 0.5); // all of them: 2 * (TABLES - 1)
});

test("vectors side by side hold the result and one table", { timeout: 120_000 }, async () => {
  expect(await heldBy("concatenate")).toBeLessThan(0.5 * TABLES + 2 + 0.5); // the result is float16
});
