/** How good are the pretrained features? */
import { isRaw } from "../../shared/runs/groups.ts";
import {
  type Answer,
  addressOf,
  barOf,
  differenceOf,
  entriesOf,
  type Numbers,
  seedsOf,
  size,
  three,
  told,
} from "./answer.ts";

/** The features beside the best training; undefined where the study has not both. */
export function pretrained(numbers: Numbers): Answer | undefined {
  const { summary, names } = numbers;
  const groups = entriesOf(summary);
  const raw = groups.find(([label]) => isRaw(label));
  const best = groups.find(([, { trained, distance }]) => trained && distance !== "hamming");
  if (!raw || !best) return undefined;
  const [label, { metrics }] = raw;
  const [map, knn] = (["map", "knn_accuracy"] as const).map((metric) =>
    differenceOf(summary, best[0], label, metric),
  );
  const gain = map ? `: ${size(map)}` : "";
  const accuracy = knn ? `; in kNN accuracy ${size(knn)}` : "";
  return {
    id: "pretrained",
    question: "How good are the pretrained features?",
    lines: [
      `Used as they are, they predict the class of ${(100 * metrics.knn_accuracy.mean).toFixed(1)} % of the queries (kNN) and rank the database with a mAP of ${told(metrics.map)}.`,
      `The best training (${names.get(best[0])}, ${seedsOf(best[1])}) has a mAP of ${three(best[1].metrics.map.mean)}${gain}${accuracy}.`,
    ],
    measure: "mAP",
    bars: [barOf("pretrained", label, raw[1]), barOf("best training", ...best)],
    addresses: [
      addressOf(numbers, label, "map"),
      addressOf(numbers, label, "knn_accuracy"),
      addressOf(numbers, best[0], "map"),
    ],
  };
}
