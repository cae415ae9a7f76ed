/** browse: what lies nearest to some queries in each representation, to be looked at one by one. */
import { defineStage, UserError } from "../../runner/stage.ts";
import { numbers, readTable } from "../shared/artifacts/arrow.ts";
import { type Answers, type Neighbours, writeNeighbours } from "../shared/artifacts/neighbours.ts";
import { readSplit, rowsOf } from "../shared/artifacts/split.ts";
import { startBackend } from "../shared/compute/backend.ts";
import { Ranking } from "../shared/retrieval/ranking.ts";
import { chooseQueries } from "./queries.ts";
import { type Distance, openCodes, openVectors, type Representation } from "./representation.ts";
import { writeThumbnails } from "./thumbnails.ts";

interface Params {
  queries: number;
  worst: number;
  neighbours: number;
  distance: Distance;
  raw_distance: Distance;
  seed: number;
}

/** Digits of a distance, and decimals of a precision: what is shown, and what another order of sums leaves alone. */
const DIGITS = 4;
const rounded = (value: number) => Number(value.toPrecision(DIGITS));
const decimals = (value: number) => Number(value.toFixed(DIGITS));

/** Images by the order in which they are first named. */
class Named {
  readonly ids: number[] = [];
  readonly labels: number[] = [];
  private readonly places = new Map<number, number>();

  place(id: number, label: number): number {
    let place = this.places.get(id);
    if (place === undefined) {
      place = this.ids.length;
      this.places.set(id, place);
      this.ids.push(id);
      this.labels.push(label);
    }
    return place;
  }
}

/** The rows of a representation's table that hold some ids. @throws UserError when one is not there */
function rowsWith({ ids, id: maker }: Representation, wanted: Uint32Array): Uint32Array {
  const rowOf = new Map(Array.from(ids, (id, row) => [id, row]));
  return wanted.map((id) => {
    const row = rowOf.get(id);
    if (row === undefined)
      throw new UserError(
        `browse: ${maker} lacks image ${id}. All representations must hold the same images.`,
      );
    return row;
  });
}

export default defineStage<Params>({
  params: "browse",
  inputs: {
    split: "split",
    vectors: { artifact: "vectors", many: true, optional: true },
    codes: { artifact: "codes", many: true, optional: true },
    queries: { artifact: "per-query", many: true, optional: true }, // they tell the worst
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
    const places = { queries: [] as number[], points: [] as number[] };
    let classes: string[] = [];

    const answer = (representation: Representation, file: string): Answers => {
      const { ids, labels, id, name, point, kind, distance, dim } = representation;
      const place = (row: number) => named.place(ids[row], labels[row]);
      const from = rowsWith(representation, chosen.ids);
      const points = rowsWith(representation, pointIds);
      places.queries = Array.from(from, place);
      places.points = Array.from(points, place);
      const database = rowsOf(split, "database", ids, file);
      const answers: Answers = {
        ...{ id, name, point, kind, distance, dim },
        map: [],
        neighbours: [],
        distances: [],
        within: [],
        among_points: [],
      };
      const ranking = new Ranking(
        Uint16Array.from(database, (row) => labels[row]),
        representation.classes.length,
      );
      representation.distances(from, database, (query, distances) => {
        signal.throwIfAborted();
        const { map } = ranking.metrics(distances, labels[from[query]], []);
        const nearest = ranking.nearest(distances, k).slice();
        const furthest = distances[nearest[nearest.length - 1]];
        answers.map.push(decimals(map));
        answers.within.push(distances.reduce((count, one) => count + (one <= furthest ? 1 : 0), 0));
        for (const item of nearest) {
          answers.neighbours.push(place(database[item]));
          answers.distances.push(rounded(distances[item]));
        }
      });
      const among = new Ranking(
        Uint16Array.from(points, (row) => labels[row]),
        representation.classes.length,
      );
      if (points.length === 0) return answers;
      representation.distances(points, points, (index, distances) => {
        for (const item of among.nearest(distances, k, index)) answers.among_points.push(place(points[item]));
      });
      return answers;
    };

    const representations: Answers[] = [];
    for (const { file, open } of files) {
      const representation = open(file, split, { raw: params.raw_distance, trained: params.distance });
      classes = representation.classes;
      representations.push(answer(representation, file.path));
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
