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
      if (++writes % 10 === 0) most = Math.max(most, inUse());
    };
    return { ...table, write };
  };
  return { ...real, createVectors };
});
const { createVectors } = await vi.importActual<typeof import("../../../stages/shared/artifacts/vectors.ts")>(
  "../../../stages/shared/artifacts/vectors.ts",
);

const folder = scratch();
/** A table, batch by batch, whose images have numbers from `first` on. */
function written(first: number): { path: string; id: string } {
  const path = join(folder, `from-${first}.arrow`);
  const table = createVectors(path, DIM, "float32", { classes: ["one"] });
  for (let batch = 0; batch < BATCHES; batch++)
    table.write(BATCH, {
      id: Uint32Array.from({ length: BATCH }, (_, row) => first + batch * BATCH + row),
      label: new Uint16Array(BATCH),
      vector: new Float32Array(BATCH * DIM).fill(batch),
    });
  table.close();
  return { path, id: `from ${first}` };
}

test.each(["mean", "concatenate", "append"])("%s", { timeout: 120_000 }, async (how) => {
  const apart = how === "append" ? BATCH * BATCHES : 0;
  const vectors = Array.from({ length: TABLES }, (_, table) => written(table * apart));
  most = writes = 0;
  const before = inUse();
  await runStage("join", { params: { how }, inputs: { vectors } });
  expect(writes).toBeGreaterThan(15);
  expect((most - before) / TABLE_BYTES).toBeLessThan(0.5);
});
