/**
 * The project's only source of random numbers: seeded, and split by name, so that two users of one seed
 * never share a stream and adding a third changes neither.
 */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus, xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

export interface Random {
  /** A whole number in [0, below). */
  int(below: number): number;
  /** A number in [0, 1). */
  float(): number;
  /** A draw from the standard normal distribution (Box & Muller 1958). */
  normal(): number;
  /** Shuffles in place (Fisher & Yates) and returns the same array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T;
  /** Lets a faster generator of the same sequence draw: it gets the state, and returns the state after its draws. */
  handOver(draw: (state: readonly number[]) => readonly number[]): void;
}

/** FNV-1a over the seed's bytes and the name, so that both choose a stream. */
function hashName(name: string, seed: number): number {
  let hash = 0x811c9dc5;
  for (let shift = 0; shift < 32; shift += 8)
    hash = Math.imul(hash ^ ((seed >>> shift) & 255), 0x01000193) >>> 0;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  // One more round of mixing: neighbouring seeds must not give neighbouring states.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  return (hash ^ (hash >>> 13)) | 0;
}

/**
 * A stream of random numbers for one purpose.
 * @param seed any whole number
 * @param name what the numbers are for: "sampler", "dropout", …
 */
export function random(seed: number, name: string): Random {
  let generator = xoroshiro128plus(hashName(name, seed));
  const self: Random = {
    int: (below) => uniformInt(generator, 0, below - 1),
    float: () => uniformFloat64(generator),
    normal() {
      const radius = Math.sqrt(-2 * Math.log(1 - self.float()));
      return radius * Math.cos(2 * Math.PI * self.float());
    },
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = self.int(i + 1);
        const kept = items[i];
        items[i] = items[j];
        items[j] = kept;
      }
      return items;
    },
    handOver(draw) {
      generator = xoroshiro128plusFromState(draw(generator.getState()));
    },
  };
  return self;
}
