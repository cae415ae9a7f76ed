/** A pretrained network, opened so that its features come out. */
import { appendFileSync, chmodSync, copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../runner/stage.ts";
import type { Pooling } from "../backbone.ts";
import { type InferenceSession, Tensor } from "../compute/onnxruntime.ts";
import { featureTensor, outputOf, readGraph } from "../onnx/outline.ts";
import { firstLine, kindOf, runFailure } from "./failures.ts";
import { pool } from "./pooling.ts";
import { type Device, openSession } from "./session.ts";

/** A network's file, made ready to be opened so that its features come out. */
export interface Model {
  /** Of the backbone, for errors. */
  name: string;
  /** The file as it was given, and the one to open: a copy of it, or itself. */
  path: string;
  file: string;
  /** The names of its input and of the tensor that holds the features. */
  input: string;
  tensor: string;
  /** Removes the copy. An open network does not need it. */
  remove(): void;
}

/** An open network. */
export interface Network {
  /**
   * Features `[count, dim]`, pooled, of images `[count, 3, size, size]`; both row-major.
   * @throws UserError when the network does not take this shape, or memory runs out; Error when the device is lost
   */
  infer(images: Float32Array, count: number, size: number): Promise<Float32Array>;
  /** Of one image's features, before they were pooled; empty before the first images. */
  readonly shape: readonly number[];
  close(): Promise<void>;
}

/** The model with one more output, in a file of its own: in memory it would be held twice. */
function withOutput(path: string, tensor: string, folder: string): string {
  const copy = join(folder, "with-features.onnx");
  copyFileSync(path, copy);
  chmodSync(copy, 0o600); // what the store hands out is read-only
  appendFileSync(copy, outputOf(tensor));
  return copy;
}

/**
 * Makes a network's file ready to be opened so that its features come out.
 * @param name of the backbone, for errors
 * @param features the tensor that holds them; without it, what enters the last fully connected layer
 * @param folder for a copy of the file, until it is removed
 * @throws UserError when the file is no network with one input and this tensor
 */
export function prepareModel(
  path: string,
  name: string,
  features: string | undefined,
  folder: string,
): Model {
  const graph = readGraph(path);
  if (graph.inputs.length !== 1)
    throw new UserError(
      `${name} has ${graph.inputs.length} inputs (${graph.inputs.join(", ")}), but a backbone takes one.`,
    );
  const [input] = graph.inputs;
  const tensor = features ?? featureTensor(graph, path);
  if (!graph.nodes.some(({ outputs }) => outputs.includes(tensor)))
    throw new UserError(
      `${path} holds no tensor "${tensor}". Is it the file of ${name}? Else name another in "features".`,
    );
  const file = graph.outputs.includes(tensor) ? path : withOutput(path, tensor, folder);
  return {
    name,
    path,
    file,
    input,
    tensor,
    remove() {
      if (file !== path) rmSync(file, { force: true });
    },
  };
}

/**
 * Opens a network.
 * @param threads of the CPU
 * @param pooling of a network whose features are tokens
 * @throws UserError when the device cannot run it
 */
export async function openNetwork(
  model: Model,
  device: Device,
  threads: number,
  pooling?: Pooling,
): Promise<Network> {
  const { name, path, file, input, tensor } = model;
  let session: InferenceSession;
  try {
    session = await openSession(file, device, threads);
  } catch (error) {
    const { message } = error as Error;
    const next = { memory: " Its memory ran out.", lost: " The device was lost: run it again." } as Record<
      string,
      string
    >;
    throw new UserError(
      `onnxruntime cannot open ${path} on ${device}: ${firstLine(message)}.${next[kindOf(message)] ?? ""}`,
    );
  }
  let shape: readonly number[] = [];
  return {
    get shape() {
      return shape;
    },
    async infer(images, count, size) {
      const dims = [count, 3, size, size];
      const batch = new Tensor("float32", images.subarray(0, count * 3 * size * size), dims);
      let output: Tensor;
      try {
        output = (await session.run({ [input]: batch }, [tensor]))[tensor] as Tensor;
      } catch (error) {
        throw runFailure((error as Error).message, name, device, dims);
      }
      if (output.type !== "float32" || output.dims[0] !== count)
        throw new UserError(
          `${name} gives ${output.type}[${output.dims.join(", ")}] for ${count} images, but float32[${count}, …] is wanted. Name another tensor in "features".`,
        );
      shape = output.dims.slice(1);
      return pool(output.data as Float32Array, output.dims, pooling, name);
    },
    close: () => session.release(),
  };
}
