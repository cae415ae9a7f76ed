/** browse: the nearest images of some queries in each representation, for the query browser. */
import { defineStage, UserError } from "../../runner/stage.ts";
import { numbers, readTable } from "../shared/artifacts/arrow.ts";
import { type Answers, type Neighbours, writeNeighbours } from "../shared/artifacts/neighbours.ts";
import { readSplit } from "../shared/artifacts/split.ts";
import { startBackend } from "../shared/compute/backend.ts";
import { answersOf, Named } from "./answers.ts";
import { chooseQueries } from "./queries.ts";
import { type Distance, openCodes, openVectors } from "./representation.ts";
import { writeThumbnails } from "./thumbnails.ts";

interface Params {
  queries: number;
  worst: number;
  neighbours: number;
  distance: Distance;
  raw_distance: Distance;
  seed: number;
}

export default defineStage<Params>({
  params: "browse",
  inputs: {
    split: "split",
    vectors: { artifact: "vectors", many: true, optional: true },
    codes: { artifact: "codes", many: true, optional: true },
    queries: { artifact: "per-query", many: true, optional: true }, // for the worst queries
    maps: { artifact: "tsne", many: true, optional: true }, // their points are browsed as well
    images: { artifact: "images", optional: true },
  },
  outputs: { neighbours: "neighbours.json", thumbnails: "thumbnails/" },
  async run({ params, inputs, sources, outputs, progress, note, signal }) {
    const { neighbours: k, seed } = params;
    const files = [
      ...sources.vectors.map((file) => ({ file, open: openVectors })),
      ...sources.codes.map((file) => ({ file, open: openCodes })),
    ];
    if (files.length === 0) throw new UserError("browse: there are neither vectors nor codes to browse.");
    const split = readSplit(inputs.split);
    const { backend } = await startBackend("wasm");
    note("backend", backend);
    const chosen = chooseQueries(
      split,
      sources.queries,
      files.map(({ file }) => file.point),
      params,
    );
    const pointIds = Uint32Array.from(
      new Set(sources.maps.flatMap(({ path }) => [...numbers(readTable(path, "tsne"), "id")])),
    );
    const named = new Named();
    const browsed = { split, queries: chosen.ids, points: pointIds, named, k, signal };
    // Every representation holds the same images, so the places of each are those of all.
    let places = { queries: [] as number[], points: [] as number[] };
    let classes: string[] = [];
    const representations: Answers[] = [];
    for (const { file, open } of files) {
      const representation = open(file, split, { raw: params.raw_distance, trained: params.distance });
      classes = representation.classes;
      const { answers, ...own } = answersOf(representation, file.path, browsed);
      places = own;
      representations.push(answers);
      progress(representations.length, files.length, "representations");
    }
    const found: Neighbours = {
      protocol: split.protocol,
      k,
      seed,
      classes,
      images: { id: named.ids, label: named.labels },
      queries: places.queries,
      drawn: chosen.drawn,
      points: places.points,
      representations,
    };
    writeNeighbours(outputs.neighbours, found);
    if (inputs.images) await writeThumbnails(inputs.images, Uint32Array.from(named.ids), outputs.thumbnails);
  },
});
