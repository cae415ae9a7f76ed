/**
 * For each positive pair a random negative that is further away than the positive, by less than the margin
 * (Schroff et al. 2015, section 3.2; siamese-triplet's Semihard).
 */
import { drawNegatives } from "../draw.ts";
import type { TripletSelector } from "../selector.ts";

export default {
  selects: "triplets",
  select: (batch, margin, random) => drawNegatives(batch, margin, random, true),
} satisfies TripletSelector;
