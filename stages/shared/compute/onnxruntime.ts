/** onnxruntime with its telemetry off: the only file that may load it (test/imports.test.ts). */
import { createRequire } from "node:module";
import type * as Ort from "onnxruntime-node";

// Else the first session reads the machine's id, writes a device id and a database below ~/.cache and a log to the
// temporary folder, and looks up its maker's host. It must be set before the package is loaded, hence no static import.
process.env.ORT_DISABLE_TELEMETRY ||= "1";
const runtime = await import("onnxruntime-node");

export const { InferenceSession, Tensor } = runtime;
export type InferenceSession = Ort.InferenceSession;
export type Tensor = Ort.Tensor;
export type SessionOptions = Ort.InferenceSession.SessionOptions;
export type Runtime = typeof Ort;

/** The package's file, for a child process that loads it by `require`. It inherits the settings above. */
export const RUNTIME = createRequire(import.meta.url).resolve("onnxruntime-node");
