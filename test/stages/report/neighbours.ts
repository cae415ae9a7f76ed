/** Made-up neighbours of a made-up study's queries. */
import type { Answers, Neighbours } from "../../../stages/shared/artifacts/neighbours.ts";
import { random } from "../../../stages/shared/compute/random.ts";
import { CLASSES } from "./study.ts";

const K = 10;
const DATABASE = 300;

/** Neighbours for a study of some queries, whose maps show all of them. The codes find less than the embedding. */
export function makeNeighbours(count: number): Neighbours {
  const draws = random(4, "neighbours");
  const queries = Array.from({ length: count }, (_, i) => i);
  const images = {
    id: [...queries.map((i) => 50_000 + i), ...Array.from({ length: DATABASE }, (_, i) => i)],
    label: [...queries, ...Array.from({ length: DATABASE }, (_, i) => i)].map((i) => i % CLASSES.length),
  };
  /** Nearest images of a query: of its class with a chance of `share`. */
  const list = (query: number, share: number, from: number, size: number) => {
    const found: number[] = [];
    while (found.length < K) {
      const image = from + draws.int(size);
      const right = image % CLASSES.length === query % CLASSES.length;
      if (image === query || found.includes(image) || draws.float() > (right ? share : (1 - share) / 9))
        continue;
      found.push(image);
    }
    return found;
  };
  const answers = (
    about: Omit<Answers, "map" | "neighbours" | "distances" | "within" | "among_points">,
    share: number,
  ): Answers => {
    const neighbours = queries.flatMap((query) => list(query, share, count, DATABASE));
    const bits = about.kind === "code";
    return {
      ...about,
      map: queries.map(() => Number((share * draws.float()).toFixed(4))),
      neighbours,
      distances: neighbours.map((_, at) =>
        bits ? Math.floor((at % K) / 3) : Number((0.05 * ((at % K) + 1)).toPrecision(4)),
      ),
      within: queries.map(() => (bits ? 14 : K)),
      among_points: queries.flatMap((query) => list(query, share, 0, count)),
    };
  };
  const trained = { loss: "facenet", selector: "semihard-negative" };
  return {
    protocol: "official",
    k: K,
    seed: 1,
    classes: CLASSES,
    images,
    queries,
    drawn: count - 20,
    points: queries,
    representations: [
      answers(
        {
          id: "features.arrow",
          name: "raw features",
          point: {},
          kind: "features",
          distance: "centred-cosine",
          dim: 1280,
        },
        0.5,
      ),
      answers(
        {
          id: "embed[seed=1]",
          name: "facenet · semihard-negative",
          point: { ...trained, seed: 1 },
          kind: "embedding",
          distance: "euclidean",
          dim: 64,
        },
        0.9,
      ),
      answers(
        {
          id: "encode[bits=48]",
          name: "facenet · semihard-negative · bits 48",
          point: { ...trained, bits: 48, seed: 1 },
          kind: "code",
          distance: "hamming",
          dim: 48,
        },
        0.8,
      ),
    ],
  };
}
