/** Every triplet of the batch, those without loss included. */
import type { TripletSelector } from "../selector.ts";

export default { selects: "triplets", select: () => "all" } satisfies TripletSelector;
