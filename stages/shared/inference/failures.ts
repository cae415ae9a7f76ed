/** The errors of onnxruntime and of its drivers, each with the next step. */
import { UserError } from "../../../runner/stage.ts";
import type { Device } from "./session.ts";

/** The kind of failure, by the words of onnxruntime, Dawn, CUDA, Vulkan, Metal and Direct3D; the first that fits. */
const KINDS = {
  memory:
    /out of .*memory|OutOfMemory|OUT_OF_(HOST|DEVICE|POOL)_?MEMORY|failed to allocate|bad.?alloc|ALLOC_FAILED|not enough memory|E_OUTOFMEMORY|CUDA failure 2\b/i,
  lost: /device (is |was |has been )?(lost|removed|hung|destroyed)|DEVICE_?(LOST|REMOVED|HUNG|RESET)|CUDA failure (4|700|719|999)\b|illegal memory access|unspecified launch failure|fallen off the bus/i,
  operator:
    /NOT_IMPLEMENTED|could not find an implementation|not a registered function|unsupported|not supported|not implemented|is not registered/i,
  shape: /invalid dimensions|invalid rank|broadcast|dimension|shape/i,
};

export type FailureKind = keyof typeof KINDS | "other";

/** @param message of an error that a session threw */
export const kindOf = (message: string): FailureKind =>
  (Object.keys(KINDS) as (keyof typeof KINDS)[]).find((kind) => KINDS[kind].test(message)) ?? "other";

/** The message's first line, without the place in onnxruntime's own source and the condition that it checked there. */
export const firstLine = (message: string): string =>
  message
    .trim()
    .split("\n")[0]
    .replace(/^\/\S+:\d+ .* was false\. /, "");

/**
 * The error of a network that failed on images of this shape, with the next step.
 * @returns a UserError where other params help; a lost device is none
 */
export function runFailure(message: string, name: string, device: Device, shape: number[]): Error {
  const [count, , size] = shape;
  const said = firstLine(message);
  const gpu = device !== "cpu";
  switch (kindOf(message)) {
    case "memory":
      return new UserError(
        `memory of the device ${device} ran out at ${count} images of ${size} px in ${name}: ${said}. Take a smaller batch${gpu ? ", or device: cpu" : " or size"}.`,
      );
    case "lost":
      return new Error(
        `the device ${device} was lost while ${name} ran: ${said}. Its driver was reset, or the device removed. Run it again, or take device: cpu.`,
      );
    case "operator":
      return new UserError(
        `${name} needs what the device ${device} does not have: ${said}. Take ${gpu ? "device: cpu" : "another backbone"}.`,
      );
    case "shape":
      return new UserError(
        `${name} does not take [${shape.join(", ")}]: ${said}. Choose another size or batch.`,
      );
    default:
      return new UserError(
        `${name} failed on ${device} with [${shape.join(", ")}]: ${said}. Choose another size or batch${gpu ? ", or device: cpu" : ""}.`,
      );
  }
}
