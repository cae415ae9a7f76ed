/** How a network is opened: the same where a device is tried and where it is used. */
import { InferenceSession, type SessionOptions } from "../compute/onnxruntime.ts";

export type Device = "cuda" | "webgpu" | "cpu";

/** @param threads of the CPU */
export const sessionOptions = (device: Device, threads: number): SessionOptions => ({
  executionProviders: [device],
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  // Its threads wait awake for the next layer only, then asleep: resizing goes on beside them on the same cores.
  extra: { session: { intra_op: { spin_duration_us: "50" } } },
  graphOptimizationLevel: "all",
  logSeverityLevel: 3,
});

/** Opens a model's file on a device. @param threads of the CPU */
export const openSession = (path: string, device: Device, threads: number): Promise<InferenceSession> =>
  InferenceSession.create(path, sessionOptions(device, threads));
