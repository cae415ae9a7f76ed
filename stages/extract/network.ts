/** A pretrained network, opened so that its features come out. */
import { appendFileSync, chmodSync, copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type InferenceSession, Tensor } from "onnxruntime-node";
import { UserError } from "../../runner/stage.ts";
import { type Device, openSession } from "./device.ts";
import { featureTensor, outputOf, readGraph } from "./onnx.ts";

export interface Network {
  /** The tensor that holds the features. */
  tensor: string;
  /**
   * Features `[count, dim]` of images `[count, 3, size, size]`; both row-major.
   * @throws UserError when the network does not take this shape
   */
  infer(images: Float32Array, count: number, size: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** The model with one more output, in a file of its own: in memory it would stand twice. */
function withOutput(path: string, tensor: string, folder: string): string {
  const copy = join(folder, "with-features.onnx");
  copyFileSync(path, copy);
  chmodSync(copy, 0o600); // what the store hands out is read-only
  appendFileSync(copy, outputOf(tensor));
  return copy;
}

/**
 * Opens a network's file so that its features come out.
 * @param name of the backbone, for errors
 * @param features the tensor that holds them; without it, what enters the last fully connected layer
 * @param folder where a copy of the file may stand while it is opened
 * @throws UserError when the file is no network with one input and this tensor
 */
export async function openNetwork(
  path: string,
  name: string,
  features: string | undefined,
  device: Device,
  threads: number,
  folder: string,
): Promise<Network> {
  const graph = readGraph(path);
  if (graph.inputs.length !== 1)
    throw new UserError(
      `extract: ${name} has ${graph.inputs.length} inputs (${graph.inputs.join(", ")}), but a backbone takes one.`,
    );
  const [input] = graph.inputs;
  const tensor = features ?? featureTensor(graph, path);
  if (!graph.nodes.some(({ outputs }) => outputs.includes(tensor)))
    throw new UserError(
      `extract: ${path} holds no tensor "${tensor}". Is it the file of ${name}? Else name another in "features".`,
    );
  const model = graph.outputs.includes(tensor) ? path : withOutput(path, tensor, folder);
  let session: InferenceSession;
  try {
    session = await openSession(model, device, threads);
  } catch (error) {
    throw new UserError(
      `extract: onnxruntime cannot open ${path} on ${device}: ${(error as Error).message.split("\n")[0]}`,
    );
  } finally {
    if (model !== path) rmSync(model);
  }
  return {
    tensor,
    async infer(images, count, size) {
      const shape = [count, 3, size, size];
      const batch = new Tensor("float32", images.subarray(0, count * 3 * size * size), shape);
      let output: Tensor;
      try {
        output = (await session.run({ [input]: batch }, [tensor]))[tensor] as Tensor;
      } catch (error) {
        throw new UserError(
          `extract: ${name} does not take [${shape.join(", ")}]: ${(error as Error).message.split("\n")[0]}. Choose another size or batch.`,
        );
      }
      if (output.type !== "float32" || output.dims[0] !== count)
        throw new UserError(
          `extract: ${name} gives ${output.type}[${output.dims.join(", ")}] for ${count} images, but float32[${count}, …] is wanted. Name another tensor in "features".`,
        );
      return output.data as Float32Array;
    },
    close: () => session.release(),
  };
}
