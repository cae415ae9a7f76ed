/**
 * Images in random order, each once before any is repeated.
 *
 * @equation
 * batch = the next images of a shuffled deck
 * @when The loss compares images with classes or codes and not with each other (`softmax`, `csq`, `greedyhash`,
 * `triplet-embedding`, `proxy-anchor`): a batch may hold one image of a class.
 * @source The usual mini-batches of stochastic gradient descent
 */

import { defineSampler } from "../sampler.ts";
import { deck } from "../sampling/deck.ts";

export default defineSampler({
  several: true,
  params: {
    images: { type: "integer", minimum: 1, default: 250, description: "of a batch" },
  },
  start(labels, params, random) {
    const deal = deck(
      Array.from(labels, (_, image) => image),
      random,
    );
    const size = Math.min(params.images, labels.length);
    return () => ({ images: Int32Array.from(deal(size)) });
  },
});
