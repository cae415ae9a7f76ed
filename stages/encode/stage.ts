/** encode: vectors to binary codes, by their signs or by those of a projection learned without labels. */
import { defineStage, UserError } from "../../runner/stage.ts";
import { MOST_BITS, packSigns, writeCodes } from "../shared/artifacts/codes.ts";
import { project, writeProjection } from "../shared/artifacts/projection.ts";
import { readSplit, rowsOf } from "../shared/artifacts/split.ts";
import { readVectors } from "../shared/artifacts/vectors.ts";
import { random } from "../shared/compute/random.ts";
import { autoOnCpu, type BackendParam, startNamed, takesGpu } from "../shared/compute/start.ts";
import { recipeOf } from "../shared/runs/recipe.ts";
import type { Binariser } from "./binariser.ts";

export default defineStage<{ bits?: number; backend: BackendParam; seed: number }>({
  params: "encode",
  auto: autoOnCpu,
  parts: { binariser: "binarisers" },
  inputs: { vectors: "vectors", split: "split" },
  outputs: { codes: "codes.arrow", projection: "projection.arrow" },
  reusable: true,
  async run({ params, parts, inputs, outputs, note, endProcess }) {
    const { backend } = await startNamed(params.backend, "encode");
    note("backend", backend);
    if (takesGpu(backend)) endProcess();
    const { ids, labels, sets, values, rows, dim, classes, metadata } = readVectors(inputs.vectors);
    const bits = params.bits ?? dim;
    if (bits > MOST_BITS)
      throw new UserError(
        `encode: vectors of ${dim} values would give ${dim} bits, but a code has ${MOST_BITS} at most. Name "bits", and a binariser that projects (as itq).`,
      );
    const train = rowsOf(readSplit(inputs.split), "train", ids, inputs.vectors);
    const sample = new Float32Array(train.length * dim);
    for (const [i, row] of train.entries()) sample.set(values.subarray(row * dim, (row + 1) * dim), i * dim);
    const { name, part, params: own } = parts.binariser;
    const projection = (part as Binariser).fit(
      { values: sample, rows: train.length, dim },
      bits,
      random(params.seed, "binariser"),
      own,
    );
    const codes = packSigns(project(projection, values), bits);
    writeProjection(outputs.projection, projection);
    const { network, loss, selector } = metadata;
    writeCodes(
      outputs.codes,
      { ids, labels, sets, values: codes, rows, bits, classes },
      {
        ...(loss === undefined ? {} : { network, loss, selector }),
        binariser: name,
        made: {
          ...recipeOf(metadata),
          code: { binariser: { use: name, ...own }, bits, seed: params.seed },
        },
      },
    );
  },
});
