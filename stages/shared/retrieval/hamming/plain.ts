/** The inner loops over codes in TypeScript, for machines whose WebAssembly has no vectors. */
import type { Kernel } from "./kernel.ts";
import { onesOfByte } from "./popcount.ts";

/** Codes of one block; see {@link Kernel}. */
const LANES = 16;

/** The kernel on a memory of its own of at least `size` bytes. */
export function plainKernel(bytes: number, size: number): Kernel {
  const buffer = new ArrayBuffer(Math.ceil(size / LANES) * LANES);
  const octets = new Uint8Array(buffer);
  const halves = new Uint16Array(buffer);
  const words = new Uint32Array(buffer);
  return {
    engine: "plain",
    buffer,
    distances(query, codes, out, blocks) {
      for (let block = 0; block < blocks; block++)
        for (let lane = 0; lane < LANES; lane++) {
          const first = codes + block * LANES * bytes + lane;
          let distance = 0;
          for (let byte = 0; byte < bytes; byte++)
            distance += onesOfByte[octets[first + LANES * byte] ^ octets[query + byte]];
          halves[out / 2 + block * LANES + lane] = distance;
        }
    },
    count(at, items, counters) {
      const [first, cells] = [at / 2, counters / 4];
      for (let i = 0; i < items; i++) words[cells + 4 * halves[first + i]]++;
    },
    select(at, eights, limit, out) {
      const first = at / 2;
      let to = out / 4;
      for (let place = 0; place < 8 * eights; place++)
        if (halves[first + place] <= limit) words[to++] = place;
      return 4 * to;
    },
  };
}
