/** The streams of random numbers that a training draws from at its steps: their places can be saved. */
import { type Random, random } from "../shared/compute/random.ts";

/** Places of streams, by their names. */
export type Places = Record<string, readonly number[]>;

/** Makes streams of one seed, each once, and keeps them. */
export class Streams {
  readonly #seed: number;
  readonly #made = new Map<string, Random>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** A new stream. */
  start(name: string): Random {
    if (this.#made.has(name))
      throw new Error(`the stream "${name}" is in use already: two users never share one.`);
    const stream = random(this.#seed, name);
    this.#made.set(name, stream);
    return stream;
  }

  /** Where each stream is. */
  save(): Places {
    const places: Record<string, readonly number[]> = {};
    for (const [name, stream] of this.#made)
      stream.handOver((place) => {
        places[name] = [...place];
        return place;
      });
    return places;
  }

  /** Moves every stream to its place in another run. */
  restore(places: Places): void {
    for (const [name, stream] of this.#made) stream.handOver(() => places[name]);
  }
}
