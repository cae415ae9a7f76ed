/**
 * pseudo-label: labels for images that have none, by the agreement of several trained networks. A network that then trains on
 * them as well is distilled from the others. D.-H. Lee, "Pseudo-Label", ICML workshop 2013; of an ensemble: Hinton, Vinyals
 * & Dean, "Distilling the Knowledge in a Neural Network", 2015, here by hard votes.
 */
import { defineStage, UserError } from "../../runner/stage.ts";
import { splitCategories } from "../shared/artifacts/categories.ts";
import { narrow } from "../shared/artifacts/half.ts";
import { readSplit, rowsOf, writeSplit } from "../shared/artifacts/split.ts";
import { openVectors, type VectorTable } from "../shared/artifacts/vector-rows.ts";
import { readVectors, type Vectors, writeVectors } from "../shared/artifacts/vectors.ts";
import { countVotes } from "./votes.ts";

interface Params {
  agree: number;
}

/** @throws UserError unless both tables have the same images in the same order */
function checkSame(data: Vectors, teacher: Vectors, id: string): void {
  const differs = data.ids.findIndex((one, row) => teacher.ids[row] !== one);
  if (differs < 0 && teacher.rows === data.rows) return;
  const row = differs < 0 ? data.rows : differs;
  throw new UserError(
    `pseudo-label: row ${row} of ${id} is image ${teacher.ids[row] ?? "none"}, that of data ${data.ids[row] ?? "none"}. Let every model embed the images of data.`,
  );
}

async function precisionOf(path: string): Promise<VectorTable["precision"]> {
  const table = await openVectors(path);
  await table.close();
  return table.precision;
}

export default defineStage<Params>({
  params: "pseudo-label",
  inputs: {
    data: "vectors", // that the next training takes
    vectors: { artifact: "vectors", many: true }, // of the same images, one table a trained network
    split: "split",
  },
  outputs: { data: "vectors.arrow", split: "split.arrow" },
  async run({ params, inputs, sources, outputs, progress, signal, log, note }) {
    const data = readVectors(inputs.data);
    const split = readSplit(inputs.split);
    if (data.sets)
      throw new UserError(
        "pseudo-label: images have several labels each, and networks vote for one. Take images with one label.",
      );
    const train = rowsOf(split, "train", data.ids, inputs.data);
    const others = (["validation", "query"] as const).map((role) =>
      rowsOf(split, role, data.ids, inputs.data),
    );
    const known = new Set([train, ...others].flatMap((rows) => [...rows]));
    const open = rowsOf(split, "database", data.ids, inputs.data).filter((row) => !known.has(row));
    if (open.length === 0)
      throw new UserError(
        "pseudo-label: every image of the database trains, validates or asks already. Take a split with fewer training images, as P1.",
      );

    const votes = new Uint16Array(open.length * data.classes.length);
    for (const [index, { path, id }] of sources.vectors.entries()) {
      signal.throwIfAborted();
      const teacher = readVectors(path);
      checkSame(data, teacher, id);
      countVotes(teacher, train, open, votes);
      progress(index + 1, sources.vectors.length, "networks");
    }

    const needed = params.agree * sources.vectors.length;
    const { ids, dim, classes, metadata } = data;
    const labels = data.labels.slice();
    const accepted: number[] = [];
    for (const [at, row] of open.entries()) {
      const own = votes.subarray(at * classes.length, (at + 1) * classes.length);
      const most = Math.max(...own);
      if (most < needed) continue;
      labels[row] = own.indexOf(most);
      accepted.push(row);
    }
    const right = accepted.filter((row) => labels[row] === data.labels[row]).length;
    const share = accepted.length ? right / accepted.length : 0;
    log(
      `${accepted.length} of ${open.length} images of the database are labelled, ${(100 * share).toFixed(1)} % as the data set labels them`,
    );
    note("labelled", accepted.length);
    note("as_the_data_set", Math.round(1000 * share) / 1000);

    const about = { ...metadata, pseudo_labels: { networks: sources.vectors.length, agree: params.agree } };
    const vector = (await precisionOf(inputs.data)) === "float16" ? narrow(data.values) : data.values;
    writeVectors(outputs.data, { ids, labels, vector, dim }, about);
    const trains = new Set(accepted.map((row) => ids[row]));
    writeSplit(
      outputs.split,
      { ...split, train: split.train.map((one, at) => (one || trains.has(split.ids[at]) ? 1 : 0)) },
      { classes, ...splitCategories(inputs.split) },
    );
  },
});
