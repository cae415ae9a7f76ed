/** Dealing images without ever leaving one out. */
import type { Random } from "../../shared/compute/random.ts";

/**
 * Deals items for ever: all of them once, in random order, before any comes again.
 * @returns a function that deals a hand of `count` different items, at most as many as there are
 */
export function deck(items: ArrayLike<number>, random: Random): (count: number) => number[] {
  let left: number[] = [];
  return (count) => {
    const hand = left.splice(Math.max(0, left.length - count));
    if (hand.length < count) {
      // Images of the current batch go to the bottom of the new deck, so that none is dealt twice at once.
      const held = new Set(hand);
      const all = random.shuffle(Array.from(items));
      left = [...all.filter((item) => held.has(item)), ...all.filter((item) => !held.has(item))];
      hand.push(...left.splice(left.length - (count - hand.length)));
    }
    return hand;
  };
}
