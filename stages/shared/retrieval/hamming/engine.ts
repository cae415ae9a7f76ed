/** The choice of the kernel over codes: vectors of WebAssembly, or plain TypeScript. */
import type { Kernel } from "./kernel.ts";
import { plainKernel } from "./plain.ts";
import { hasSimd, simdKernel } from "./simd.ts";

/** The engine of this machine. */
export const engineHere = (): Kernel["engine"] => (hasSimd() ? "wasm-simd" : "plain");

/**
 * The kernel for codes of `bytes` bytes (1 to 64), with a memory of at least `size` bytes, all 0.
 * @param engine to choose one; both give the same answers
 */
export function createKernel(bytes: number, size: number, engine: Kernel["engine"] = engineHere()): Kernel {
  return engine === "plain" ? plainKernel(bytes, size) : simdKernel(bytes, size);
}
