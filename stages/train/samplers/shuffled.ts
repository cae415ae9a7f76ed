/** Images in random order, each once before any comes again: for losses that need no pairs in a batch. */
import { deck } from "../deck.ts";
import type { SamplerDefinition } from "../sampler.ts";

export default {
  params: {
    images: { type: "integer", minimum: 1, default: 250, description: "of a batch" },
  },
  start(labels, params, random) {
    const deal = deck(
      Array.from(labels, (_, image) => image),
      random,
    );
    const size = Math.min(params.images as number, labels.length);
    return () => ({ images: Int32Array.from(deal(size)) });
  },
} satisfies SamplerDefinition;
