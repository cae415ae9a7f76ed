/**
 * Random pairs for a siamese network; they replace a selector.
 *
 * Each image in turn is paired with a random other image, of its class or of another class with equal probability. The
 * first half of a batch holds the images in turn, the second half their partners.
 *
 * @equation
 * batch = {(a, b)}: a in turn, b of a's class with probability 1/2
 * @when A siamese network without selection is the baseline (`contrastive`). Batches of `balanced` with a selector hold
 * many more pairs for the same number of images.
 * @source siamese-triplet's SiameseMNIST; Bromley, Guyon, LeCun, Säckinger & Shah 1993, "Signature verification using a
 * siamese time delay neural network"
 */
import type { Random } from "../../shared/compute/random.ts";
import { defineSampler } from "../sampler.ts";
import { requirePairs } from "../sampling/classes.ts";
import { deck } from "../sampling/deck.ts";
import { otherOf, outsider } from "../sampling/partner.ts";
import type { PairSet } from "../scoring/batch.ts";

export default defineSampler({
  gives: "pairs",
  params: {
    pairs: {
      type: "integer",
      minimum: 1,
      default: 128,
      description: "of a batch, which has twice as many images",
    },
  },
  start(labels, params, random) {
    const members = requirePairs(labels);
    const deal = deck(
      Array.from(labels, (_, image) => image),
      random,
    );
    const count = Math.min(params.pairs, labels.length);
    return () => {
      const first = deal(count);
      const same = first.map(() => random.int(2) === 1);
      const second = first.map((image, k) => partner(members, labels, image, same[k], random));
      const rows = first.map((_, k) => [k, count + k]);
      return { images: Int32Array.from([...first, ...second]), pairs: pairSet(rows, same) };
    };
  },
  /** Positive and negative pairs by turns. */
  testSet(labels, random) {
    const members = requirePairs(labels);
    const same = Array.from(labels, (_, image) => image % 2 === 0);
    const pairs = same.map((alike, image) => [image, partner(members, labels, image, alike, random)]);
    return { pairs: pairSet(pairs, same) };
  },
});

function partner(
  members: Map<number, number[]>,
  labels: Uint16Array,
  image: number,
  same: boolean,
  random: Random,
): number {
  return same
    ? otherOf(members.get(labels[image])!, image, random)
    : outsider(members, labels[image], random);
}

function pairSet(pairs: number[][], same: boolean[]): PairSet {
  const chosen = (alike: boolean) => {
    const of = pairs.filter((_, k) => same[k] === alike);
    return {
      first: Int32Array.from(of, ([a]) => a),
      second: Int32Array.from(of, ([, b]) => b),
      count: of.length,
    };
  };
  return { positive: chosen(true), negative: chosen(false) };
}
