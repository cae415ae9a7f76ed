/** The stage join holds some rows of each input at a time: its memory grows neither with its inputs nor with its result. */

import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { runStage } from "../../run-stage.ts";
import { scratch } from "../shared/scratch.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
/** Bytes of typed arrays that are in use. */
function inUse(): number {
  for (let pass = 0; pass < 2; pass++) collect(); // the second frees what the first found
  return process.memoryUsage().arrayBuffers;
}

const [BATCH, BATCHES, DIM, TABLES] = [500, 40, 256, 3];
const TABLE_BYTES = BATCH * BATCHES * DIM * 4;

/** The most bytes in use when rows are written. */
let most = 0;
let writes = 0;
vi.mock("../../../stages/shared/artifacts/vectors.ts", async (original) => {
  const real = await original<typeof import("../../../stages/shared/artifacts/vectors.ts")>();
  const createVectors: typeof real.createVectors = (...given) => {
    const table = real.createVectors(...given);
    const write: typeof table.write = (...rows) => {
      table.write(...rows);
      if (++writes % 8 === 0) most = Math.max(most, inUse());
    };
    return { ...table, write };
  };
  return { ...real, createVectors };
});
const { createVectors } = await vi.importActual<typeof import("../../../stages/shared/artifacts/vectors.ts")>(
  "../../../stages/shared/artifacts/vectors.ts",
);

const folder = scratch();
/** A table in batches of so many rows, whose images have numbers from `first` on. */
function written(first: number, rows: number): { path: string; id: string } {
  const path = join(folder, `from-${first}.arrow`);
  const table = createVectors(path, DIM, "float32", { classes: ["one"] });
  for (let done = 0; done < BATCH * BATCHES; done += rows)
    table.write(rows, {
      id: Uint32Array.from({ length: rows }, (_, row) => first + done + row),
      label: new Uint16Array(rows),
      vector: new Float32Array(rows * DIM).fill(done),
    });
  table.close();
  return { path, id: `from ${first}` };
}

/** Joins tables. @returns the most bytes that are held meanwhile, in tables */
async function heldBy(how: string, rows: number): Promise<number> {
  const apart = how === "append" ? BATCH * BATCHES : 0;
  const vectors = Array.from({ length: TABLES }, (_, table) => written(table * apart, rows));
  most = writes = 0;
  const before = inUse();
  await runStage("join", { params: { how }, inputs: { vectors } });
  expect(writes).toBeGreaterThan(15);
  return (most - before) / TABLE_BYTES;
}

test.each(["mean", "concatenate", "append"])("%s", { timeout: 120_000 }, async (how) => {
  expect(await heldBy(how, BATCH)).toBeLessThan(0.5);
});

test("of shards that are one batch each, one is held", { timeout: 120_000 }, async () => {
  expect(await heldBy("append", BATCH * BATCHES)).toBeLessThan(1.5);
});
