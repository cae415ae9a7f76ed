/** On what the network runs: the fastest device whose features are those of the CPU, and why. */
import { existsSync } from "node:fs";
import { UserError } from "../../../runner/stage.ts";
import { type Probe, probeInChild, type Trial, type Tried } from "./probe.ts";
import type { Device } from "./session.ts";

/** The devices that can be requested; `auto` takes the first that works, in this order, and the CPU at last. */
const FASTER: Device[] = ["cuda", "webgpu"];

/** How alike the features of an image on two devices must be: their cosine, and the ratio of their lengths. */
const COSINE = 0.999;
const LENGTHS = 0.02;
/** Two runs of one device: float16 keeps no more digits. */
const REPEAT = 1e-3;

/** Seconds that a device has to show that it works. One that was asked for by name may be slow. */
const PATIENCE = { auto: 120, named: 600 };

/** How CUDA's libraries are added to onnxruntime. */
const ADD_CUDA = "ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js";

/** The device that was taken, in one line why, and whether a faster one that is there failed. */
export interface Choice {
  device: Device;
  reason: string;
  fallback: boolean;
}

/** Where Linux shows an NVIDIA device; the last is that of Windows' own Linux. */
const NVIDIA = [
  "/dev/nvidiactl",
  "/dev/nvidia0",
  "/proc/driver/nvidia/version",
  "/usr/lib/wsl/lib/libcuda.so.1",
];

/** Why CUDA cannot be had on this machine, independent of installed packages; "" where it can. */
export function withoutCuda(
  platform: string = process.platform,
  arch: string = process.arch,
  exists: (path: string) => boolean = existsSync,
): string {
  if (platform !== "linux" || arch !== "x64") return "onnxruntime-node has it for Linux on x64 only";
  return NVIDIA.some(exists) ? "" : "no NVIDIA device is here";
}

const length = (row: Float32Array): number => Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));

/** In what one row of features differs from that of the CPU; "" where it does not. */
function rowDifference(row: Float32Array, wanted: Float32Array): string {
  const expected = length(wanted);
  if (!(expected > 0 && Number.isFinite(expected))) return ""; // nothing to compare with: the network gives nothing on any device
  const ratio = length(row) / expected;
  const cosine = row.reduce((sum, value, i) => sum + value * wanted[i], 0) / (length(row) * expected);
  if (cosine > COSINE && Math.abs(ratio - 1) < LENGTHS) return "";
  return ratio === 0 ? "all are 0" : `cosine ${cosine.toFixed(4)}, ${ratio.toFixed(3)} times as long`;
}

/** In what a device's features differ from those of the CPU, or from each other; "" where in nothing. */
function whatDiffers(tried: Extract<Tried, { runs: unknown }>, wanted: Float32Array, count: number): string {
  const [first, second] = tried.runs;
  if (first.length !== wanted.length || second.length !== wanted.length)
    return `it gave ${first.length} features where the CPU gives ${wanted.length}`;
  const dim = wanted.length / count;
  const rowOf = (features: Float32Array, row: number) => features.subarray(row * dim, (row + 1) * dim);
  for (const features of tried.runs)
    for (let row = 0; row < count; row++) {
      const difference = rowDifference(rowOf(features, row), rowOf(wanted, row));
      if (difference)
        return `its features are not those of the CPU (image ${row + 1} of ${count}: ${difference}); its driver computes wrong numbers`;
    }
  const largest = first.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return first.every((value, i) => Math.abs(value - second[i]) <= REPEAT * largest)
    ? ""
    : "two runs of the same images gave different features";
}

const rate = (imagesPerSecond: number): string => `${Number(imagesPerSecond.toPrecision(2))} images/s`;

/** Whether a device may be taken, and why; `failure`: it is there and does not work. */
interface Verdict {
  taken: boolean;
  reason: string;
  failure: boolean;
}

/** With what, and how, devices are tried. */
interface Trying {
  trial: Trial;
  probe: Probe;
  /** The CPU's result, to compare the result of another device with. */
  cpu(): Promise<Tried>;
  noCuda: string;
  /** Whether a device that is slower than the CPU may be taken. */
  slow: boolean;
}

async function judge(device: Device, { trial, probe, cpu, noCuda, slow }: Trying): Promise<Verdict> {
  const failed = (reason: string): Verdict => ({ taken: false, reason, failure: true });
  const tried = await probe(device, trial);
  if ("failure" in tried) {
    const hint = /shared library/.test(tried.failure) ? `its libraries are added by ${ADD_CUDA}` : "";
    return failed(
      device === "cuda" && (noCuda || hint) ? `${tried.failure} (${noCuda || hint})` : tried.failure,
    );
  }
  const reference = await cpu();
  if ("failure" in reference) return failed(`the CPU gives nothing to compare it with: ${reference.failure}`);
  const failure = whatDiffers(tried, reference.runs[0], trial.count);
  if (failure) return failed(failure);
  if (slow) return { taken: true, reason: "the same features as on the CPU", failure: false };
  const speeds = `${rate(tried.imagesPerSecond)}, the CPU ${rate(reference.imagesPerSecond)}`;
  const taken = tried.imagesPerSecond > reference.imagesPerSecond;
  return { taken, reason: `${taken ? "faster" : "slower"} than the CPU (${speeds})`, failure: false };
}

/**
 * Chooses the device. `auto` takes cuda, webgpu and cpu in this order: the first that gives the features of the CPU,
 * and faster. A device asked for by name may be slow, but must give them.
 * @param trial what they are tried with; its patience and batch are chosen here
 * @param probe how a device is tried
 * @param noCuda why there can be no CUDA
 * @throws UserError when a device that was asked for does not work
 */
export async function chooseDevice(
  wanted: Device | "auto",
  trial: Omit<Trial, "patience">,
  probe: Probe = probeInChild,
  noCuda: string = withoutCuda(),
): Promise<Choice> {
  if (wanted === "cpu") return { device: "cpu", reason: "cpu was asked for", fallback: false };
  const auto = wanted === "auto";
  const given: Trial = {
    ...trial,
    batch: auto ? trial.batch : 0,
    patience: PATIENCE[auto ? "auto" : "named"],
  };
  let reference: Promise<Tried> | undefined;
  const cpu = () => {
    reference ??= probe("cpu", given);
    return reference;
  };
  const trying: Trying = { trial: given, probe, cpu, noCuda, slow: !auto };
  if (!auto) {
    const { taken, reason } = await judge(wanted, trying);
    if (!taken)
      throw new UserError(`device ${wanted} does not work here: ${reason}. Take another, or "auto".`);
    return { device: wanted, reason: `${wanted} was asked for, ${reason}`, fallback: false };
  }
  const reasons: string[] = [];
  let fallback = false;
  for (const device of FASTER) {
    if (device === "cuda" && noCuda) {
      reasons.push(`cuda: ${noCuda}`);
      continue;
    }
    const { taken, reason, failure } = await judge(device, trying);
    reasons.push(`${device}: ${reason}`);
    if (taken) return { device, reason: reasons.join("; "), fallback };
    fallback ||= failure;
  }
  return { device: "cpu", reason: reasons.join("; "), fallback };
}
