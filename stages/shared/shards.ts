/** Checks of shards: tables of different images that become one data set. */
import { UserError } from "../../runner/stage.ts";

/** @throws UserError when a shard has other classes than the first: its labels would mean others */
export function sameClasses(stage: string, classes: string[], own: string[], shard: string): void {
  if (own.length === classes.length && own.every((name, label) => name === classes[label])) return;
  const [missing] = classes.filter((name) => !own.includes(name));
  const [added] = own.filter((name) => !classes.includes(name));
  const why =
    missing !== undefined
      ? `it has no class "${missing}"`
      : added !== undefined
        ? `its class "${added}" is not in the first`
        : "they are in another order";
  throw new UserError(
    `${stage}: ${shard} has other classes than the first input: ${why}. Give every shard all of them, in one order.`,
  );
}

/** The bits of a set of ids when it starts; it doubles. */
const FIRST_BITS = 1 << 20;

/**
 * A check that no image is in two shards, or twice in one: a bit for each number up to the highest, 512 MB at most.
 * @returns takes ids of one more piece of a shard; throws a UserError where one was there before
 */
export function distinctIds(stage: string): (ids: Uint32Array, shard: string) => void {
  let seen = new Uint8Array(FIRST_BITS / 8);
  return (ids, shard) => {
    for (const id of ids) {
      const byte = Math.floor(id / 8);
      if (byte >= seen.length) {
        let bytes = seen.length;
        while (bytes <= byte) bytes *= 2;
        const more = new Uint8Array(bytes);
        more.set(seen);
        seen = more;
      }
      const bit = 1 << (id & 7);
      if (seen[byte] & bit)
        throw new UserError(
          `${stage}: image ${id} of ${shard} is there before. Number the images of each shard apart: download takes "first", the number of a shard's first image.`,
        );
      seen[byte] |= bit;
    }
  };
}
