/** The labels that neighbours vote for, where images may have several. */
import { setBytes } from "../artifacts/label-sets.ts";

/** The labels that neighbours vote for. */
export interface Elected {
  /** The labels that more than half of them have: a set, `[setBytes(classes)]`. */
  set: Uint8Array;
  /** The label that most have; of labels with equally many the smallest. */
  first: number;
}

/** @param votes `[classes]`; @param voters in all, in the same unit */
export function elected(votes: ArrayLike<number>, voters: number): Elected {
  const set = new Uint8Array(setBytes(votes.length));
  let first = 0;
  for (let label = 0; label < votes.length; label++) {
    if (2 * votes[label] > voters) set[label >> 3] |= 1 << (label & 7);
    if (votes[label] > votes[first]) first = label;
  }
  return { set, first };
}
