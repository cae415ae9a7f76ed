/** The stage join reads one table at a time: its memory grows with its result, not with the number of its inputs. */

import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeEach, expect, test, vi } from "vitest";
import { runStage } from "../../run-stage.ts";
import { scratch } from "../shared/scratch.ts";
import { writeBlobs } from "../vectors.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of tables that are in use each time when one is read. */
const held: number[] = [];
vi.mock("../../../stages/shared/artifacts/vectors.ts", async (original) => {
  const real = await original<typeof import("../../../stages/shared/artifacts/vectors.ts")>();
  const readVectors: typeof real.readVectors = (path) => {
    collect();
    held.push(process.memoryUsage().arrayBuffers);
    return real.readVectors(path);
  };
  return { ...real, readVectors };
});
beforeEach(() => held.splice(0));

const [ROWS, DIM, TABLES] = [3000, 256, 12];
const TABLE_BYTES = ROWS * DIM * 4;
const path = join(scratch(), "table.arrow");
writeBlobs(path, { classes: 3, perClass: ROWS / 3, dim: DIM, noise: 0.1 });

test("the mean of many tables does not hold all of them", async () => {
  const vectors = Array.from({ length: TABLES }, (_, index) => ({ path, id: `table ${index}` }));
  await runStage("join", { params: { how: "mean" }, inputs: { vectors } });
  expect(held.length).toBeGreaterThanOrEqual(TABLES);
  const grown = Math.max(...held) - held[0];
  expect(grown / TABLE_BYTES).toBeLessThan(0.75 * TABLES); // all of them, with their files, are 1.5 * TABLES
});
