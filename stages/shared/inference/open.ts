/** Opens a network on the device that a stage asks for, and says which and why. */
import type { StageContext } from "../../../runner/stage.ts";
import { readPixels } from "../artifacts/images.ts";
import type { Pooling } from "../backbone.ts";
import type { Resizer } from "../pixels/resize.ts";
import { chooseDevice } from "./device.ts";
import { type Network, openNetwork, prepareModel } from "./network.ts";
import type { Device } from "./session.ts";

/** Images that a device is tried with. */
export const FEW = 4;

/** A network's file, and how its features come out. */
export interface Source {
  path: string;
  /** Of the network, for errors. */
  name: string;
  /** The tensor that holds the features; without it, what enters the last fully connected layer. */
  features?: string;
  /** Of a network whose features are tokens. */
  pooling?: Pooling;
  /** For a copy of the file, until the network is open. */
  folder: string;
}

/** The first few images, as the network sees them: `[count, 3, size, size]`. */
export async function firstImages(path: string, most: number, resizer: Resizer, size: number) {
  for await (const { count, pixels } of readPixels(path, most))
    return { count, images: resizer.fill(0, pixels, count).slice(0, count * 3 * size * size), size };
  throw new Error("unreachable: a list of images holds one at least");
}

/**
 * @param few the first images, `[count, 3, size, size]`: what a device computes of them is compared with the CPU
 * @param batch images at a time
 * @throws UserError when the file is no such network, or a device that was asked for does not work
 */
export async function openOnDevice(
  { cpus, log, warn, note, signal }: Pick<StageContext<unknown>, "cpus" | "log" | "warn" | "note" | "signal">,
  { path, name, features, pooling, folder }: Source,
  wanted: Device | "auto",
  few: { count: number; images: Float32Array; size: number },
  batch: number,
): Promise<{ network: Network; device: Device }> {
  const model = prepareModel(path, name, features, folder);
  note("feature_tensor", model.tensor);
  try {
    const { file, input, tensor } = model;
    const trial = { file, input, tensor, ...few, threads: cpus, batch, signal };
    const { device, reason, fallback } = await chooseDevice(wanted, trial);
    (fallback ? warn : log)(`device ${device} (${reason})`);
    note("device", device);
    note("device_reason", reason);
    return { network: await openNetwork(model, device, cpus, pooling), device };
  } finally {
    model.remove();
  }
}
