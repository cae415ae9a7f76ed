/** onnxruntime: the only file that may load it. */
import { createRequire } from "node:module";
import type * as Ort from "onnxruntime-node";

process.env.ORT_DISABLE_TELEMETRY ||= "1";
const runtime = await import("onnxruntime-node");

export const { InferenceSession, Tensor } = runtime;
export type InferenceSession = Ort.InferenceSession;
export type Tensor = Ort.Tensor;
export type SessionOptions = Ort.InferenceSession.SessionOptions;
export type Runtime = typeof Ort;

/** The package's file, for a child process that loads it by `require`. It inherits what is set above. */
export const RUNTIME = createRequire(import.meta.url).resolve("onnxruntime-node");
