/** Studies of the shapes of the committed ones, made up: as many groups, axes and protocols. */
import { type Made, plannedRuns } from "./study.ts";

const SEEDS = [1, 2, 3];
const overSeeds = (made: Omit<Made, "knn">, seeds = SEEDS): Made[] =>
  seeds.map((seed) => ({
    ...made,
    knn: 0.88,
    map: made.map + 0.003 * (seed - 2),
    point: { ...made.point, seed },
  }));

/** The real study: 22 trainings of nine losses, beside the pretrained features. */
export function cifar10Runs(): Made[] {
  const facenet: Record<string, number> = {
    all: 0.853,
    "hardest-negative": 0.694,
    "random-negative": 0.869,
    "semihard-negative": 0.869,
    "batch-hard": 0.555,
    "distance-weighted": 0.85,
    "easy-positive": 0.764,
    "mean-negative": 0.872,
  };
  const others: [loss: string, selector: string | undefined, map: number][] = [
    ["hoffer-ailon", "all", 0.813],
    ["hoffer-ailon", "hardest-negative", 0.781],
    ["hoffer-ailon", "random-negative", 0.795],
    ["hoffer-ailon", "semihard-negative", 0.748],
    ["contrastive", "all-positive", 0.787],
    ["contrastive", "hard-negative", 0.826],
    ["soft-margin", "all", 0.84],
    ["soft-margin", "semihard-negative", 0.83],
    ["identification-verification", "hard-negative", 0.81],
    ["softmax", undefined, 0.699],
    ["multi-similarity", undefined, 0.837],
    ["supcon", undefined, 0.861],
    ["proxy-anchor", undefined, 0.696],
  ];
  const wide = { steps: 2000, network: { use: "mlp", hidden: [1024] } };
  return [
    plannedRuns([])[0],
    ...Object.entries(facenet).flatMap(([selector, map]) =>
      overSeeds({
        point: { loss: "facenet", selector },
        map,
        collapses: /hard/.test(selector),
        selectSeconds: map,
      }),
    ),
    ...others.flatMap(([loss, selector, map]) =>
      overSeeds({ point: { loss, ...(selector && { selector }) }, map }),
    ),
    ...overSeeds({
      point: { loss: "facenet", selector: "semihard-negative", steps: 2000 },
      map: 0.893,
      settings: wide,
    }),
  ];
}

/** Codes under five protocols: 41 groups in one of them. */
export function codesRuns(): Made[] {
  const code = (axes: Made["point"], map: number, protocol = "P1", seeds = SEEDS): Made[] => {
    const bits = Number(axes.bits);
    const binariser = { use: String(axes.binariser ?? "sign") };
    return overSeeds({ point: { protocol, ...axes }, map, protocol, code: { binariser, bits } }, seeds);
  };
  const lengths = [12, 24, 32, 48];
  const gain = (bits: number) => 0.02 * Math.log2(bits / 12);
  const learned = { dtsh: 0.77, "triplet-embedding": 0.79, greedyhash: 0.771, csq: 0.787 };
  return [
    ...Object.entries(learned).flatMap(([loss, map]) =>
      lengths.flatMap((bits) => code({ loss, bits }, map + gain(bits))),
    ),
    ...[12, 48].flatMap((bits) => code({ loss: "dpsh", bits }, 0.69 + gain(bits))),
    ...lengths.flatMap((bits) =>
      code({ head: "wide", views: "scales", loss: "dtsh", bits }, 0.768 + 1.3 * gain(bits)),
    ),
    ...["crop", "mirrored"].flatMap((views, at) =>
      code({ views, loss: "dtsh", bits: 48 }, 0.79 + 0.015 * at),
    ),
    ...["margin-1", "margin-16", "margin-doubled", "weight-0", "weight-doubled"].flatMap((schedule, at) =>
      code({ bits: 48, schedule, loss: "dtsh" }, 0.81 + 0.003 * at),
    ),
    ...["lsh", "pca-sign", "itq"].flatMap((binariser, at) =>
      lengths.flatMap((bits) => code({ binariser, bits }, 0.33 + 0.04 * at + gain(bits) / 4, "P1", [1])),
    ),
    ...[16, 24, 32, 48].flatMap((bits) => code({ loss: "dtsh", bits }, 0.9 + gain(bits) / 3, "P2", [1])),
    ...[16, 24, 32, 48].flatMap((bits) => code({ binariser: "itq", bits }, 0.43, "P2", [1])),
    ...["scales", "crop"].flatMap((views) =>
      code({ head: "long", views, loss: "dtsh", bits: 48 }, 0.93, "P2", [1]),
    ),
    ...["official", "P1b", "unseen"].flatMap((protocol) => [
      ...code({ loss: "dtsh", bits: 48 }, 0.9, protocol, [1]),
      ...code({ binariser: "itq", bits: 48 }, 0.42, protocol, [1]),
    ]),
  ];
}
