/** The backend that a stage's param names. */
import { UserError } from "../../../runner/stage.ts";
import { type BackendName, startBackend } from "./backend.ts";

/** The values of the param `backend`. `auto` is what {@link autoBackend} makes of it, and else `wasm`. */
export type BackendParam = BackendName | "native" | "auto";

/** Of a stage's declaration: the same bytes on every machine where a profile compares exactly, else speed. */
export const autoBackend = { backend: { exact: "wasm", tolerance: "native" } };

/**
 * Starts the backend; onnxruntime is loaded where it is asked for alone.
 * @param stage for messages
 * @returns its name, and why in words
 * @throws UserError where `native` cannot start
 */
export async function startNamed(
  wanted: BackendParam,
  stage: string,
): Promise<{ backend: string; reason: string }> {
  if (wanted !== "native") return startBackend(wanted === "auto" ? "wasm" : wanted);
  try {
    const { startNative } = await import("./native.ts");
    await startNative();
  } catch (error) {
    const why = (error as Error).message.split("\n")[0];
    throw new UserError(`${stage}: the backend native cannot start: ${why}. Take the backend wasm.`);
  }
  return { backend: "native", reason: "native was asked for" };
}
