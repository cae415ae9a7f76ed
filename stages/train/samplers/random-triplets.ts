/**
 * Random triplets for a triplet network; they replace a selector.
 *
 * Each image in turn is the anchor, with a random other image of its class and a random image of a random other class.
 * A batch holds the anchors, then their positives, then their negatives.
 *
 * @equation
 * batch = {(a, p, n)}: a in turn, p of a's class, n of another
 * @when A triplet network without selection is the baseline (`facenet`, `hoffer-ailon`). Batches of `balanced` with a
 * selector hold many more triplets for the same number of images.
 * @source siamese-triplet's TripletMNIST; Hoffer & Ailon 2015, "Deep metric learning using triplet network"
 */

import { defineSampler } from "../sampler.ts";
import { requirePairs } from "../sampling/classes.ts";
import { deck } from "../sampling/deck.ts";
import { otherOf, outsider } from "../sampling/partner.ts";

export default defineSampler({
  gives: "triplets",
  params: {
    triplets: {
      type: "integer",
      minimum: 1,
      default: 128,
      description: "of a batch, which has three times as many images",
    },
  },
  start(labels, params, random) {
    const members = requirePairs(labels);
    const deal = deck(
      Array.from(labels, (_, image) => image),
      random,
    );
    const count = Math.min(params.triplets, labels.length);
    const rows = Int32Array.from({ length: count }, (_, k) => k);
    const triplets = {
      anchors: rows,
      positives: rows.map((k) => count + k),
      negatives: rows.map((k) => 2 * count + k),
      count,
    };
    return () => {
      const anchors = deal(count);
      const positives = anchors.map((image) => otherOf(members.get(labels[image])!, image, random));
      const negatives = anchors.map((image) => outsider(members, labels[image], random));
      return { images: Int32Array.from([...anchors, ...positives, ...negatives]), triplets };
    };
  },
  testSet(labels, random) {
    const members = requirePairs(labels);
    const anchors = Int32Array.from(labels, (_, image) => image);
    const positives = anchors.map((image) => otherOf(members.get(labels[image])!, image, random));
    const negatives = anchors.map((image) => outsider(members, labels[image], random));
    return { triplets: { anchors, positives, negatives, count: anchors.length } };
  },
});
