/** Runs a few images on a device in a process of its own: a driver may crash there, hang, or compute nothing. */
import { runInChild } from "../compute/child.ts";
import { RUNTIME, type Runtime, type SessionOptions } from "../compute/onnxruntime.ts";
import { firstLine } from "./failures.ts";
import { type Device, sessionOptions } from "./session.ts";

/** The test input of a device. */
export interface Trial {
  /** The model's file, its input and the tensor of its features. */
  file: string;
  input: string;
  tensor: string;
  /** `[count, 3, size, size]` */
  images: Float32Array;
  count: number;
  size: number;
  /** Of the CPU. */
  threads: number;
  /** Images at a time when its speed is measured; 0: its speed does not matter. */
  batch: number;
  /** Seconds until it is given up. */
  patience: number;
  signal: AbortSignal;
}

/** Features of the same images twice, `[count, dim]` each, and how fast they came; or why there are none. */
export type Tried = { runs: [Float32Array, Float32Array]; imagesPerSecond: number } | { failure: string };

/** Tries a device. @throws when the trial's signal is aborted */
export type Probe = (device: Device, trial: Trial) => Promise<Tried>;

interface Job extends Pick<Trial, "file" | "input" | "tensor" | "count" | "size" | "batch"> {
  options: SessionOptions;
}
/** The features as base64 of float32: JSON has no NaN. */
type Answer = { runs: string[]; imagesPerSecond: number };

/**
 * The program of the child process. Its source text runs there: it may use nothing but its arguments.
 * The speed is that of a whole batch, unless the device is so slow that a few images tell it.
 */
async function work({ InferenceSession, Tensor }: Runtime, job: Job, few: Float32Array): Promise<Answer> {
  const session = await InferenceSession.create(job.file, job.options);
  let imagesPerSecond = 0;
  const run = async (images: Float32Array, count: number): Promise<string> => {
    const batch = new Tensor("float32", images, [count, 3, job.size, job.size]);
    const began = performance.now();
    const { data } = (await session.run({ [job.input]: batch }, [job.tensor]))[job.tensor];
    imagesPerSecond = (count * 1000) / (performance.now() - began);
    return Buffer.from(Float32Array.from(data as Float32Array).buffer).toString("base64");
  };
  const runs = [await run(few, job.count), await run(few, job.count)];
  if (job.batch && job.batch / imagesPerSecond < 1) {
    const whole = Float32Array.from(
      { length: (job.batch * few.length) / job.count },
      (_, i) => few[i % few.length],
    );
    await run(whole, job.batch); // a shape's first run is slower: kernels are compiled, memory is taken
    await run(whole, job.batch);
  }
  await session.release(); // else some drivers crash when the process ends
  return { runs, imagesPerSecond };
}

const PROGRAM = `(${work})(require(args[0]), JSON.parse(args[1]), new Float32Array(new Uint8Array(input).buffer))`;

const floats = (text: string): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);

/** Tries a device in a child process. */
export const probeInChild: Probe = async (device, trial) => {
  const { file, input, tensor, images, count, size, threads, batch, patience, signal } = trial;
  const options = sessionOptions(device, threads);
  const job: Job = { file, input, tensor, count, size, batch, options };
  const answer = await runInChild<Answer>(PROGRAM, {
    args: [RUNTIME, JSON.stringify(job)],
    input: new Uint8Array(images.buffer, images.byteOffset, images.byteLength),
    late: `it gave no features of ${count} images`,
    ...{ patience, signal },
  });
  if ("failure" in answer) return { failure: firstLine(answer.failure) };
  const [first, second] = answer.runs.map(floats);
  return { runs: [first, second], imagesPerSecond: answer.imagesPerSecond };
};
