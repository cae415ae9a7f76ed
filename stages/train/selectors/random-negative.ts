/** For each positive pair a random negative of those with a loss (siamese-triplet's RandomNegative). */
import { drawNegatives } from "../draw.ts";
import type { TripletSelector } from "../selector.ts";

export default {
  selects: "triplets",
  select: (batch, margin, random) => drawNegatives(batch, margin, random, false),
} satisfies TripletSelector;
