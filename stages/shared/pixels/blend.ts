/** The inner loop of resizing in WebAssembly, two numbers at a time: JavaScript has no such instructions. */

import { F64, functionsIn, moduleOf, words } from "../compute/assembler.ts";

/**
 * In the memory of the module: out[i] = first[i] + (second[i] - first[i]) * weight for 2 * pairs float32 values,
 * computed in float64 and rounded once, as JavaScript does. The first three are byte addresses; pairs is at least 1.
 */
export type Blend = (first: number, second: number, out: number, pairs: number, weight: number) => void;

/** Loads two float32 at the address in a local variable and widens them to float64. */
const load = (address: number) => [0x20, address, 0xfd, 0x5d, 2, 0, 0xfd, 0x5f];

/** https://webassembly.github.io/spec/core/binary/; local variables 0 to 4 are the arguments, 5 and 6 hold vectors. */
const BODY = [
  [1, 2, 0x7b], // two more local variables of type v128
  [0x20, 4, 0xfd, 0x14, 0x21, 5], // 5 = splat(weight)
  [0x03, 0x40], // loop
  [0x20, 2], //   the address to store to
  [...load(0), 0x22, 6], //   6 = first
  [...load(1), 0x20, 6, 0xfd, 0xf1, 0x01], //   second - 6
  [0x20, 5, 0xfd, 0xf2, 0x01, 0xfd, 0xf0, 0x01], //   * 5, + 6 from above
  [0xfd, 0x5e, 0xfd, 0x5b, 2, 0, 0], //   narrow to float32 and store two
  ...[0, 1, 2].map((address) => [0x20, address, 0x41, 8, 0x6a, 0x21, address]), //   each address += 8
  [0x20, 3, 0x41, 1, 0x6b, 0x22, 3, 0x0d, 0], //   again, unless pairs -= 1 gives 0
  [0x0b, 0x0b], // ends of the loop and the function
].flat();

const MODULE = moduleOf({ b: { takes: [...words(4), F64], body: BODY } });

/** The function at work on a memory. */
export const blendIn = (memory: WebAssembly.Memory): Blend => functionsIn(memory, MODULE)!.b;
