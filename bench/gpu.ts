/**
 * The speed of a GPU, beside PyTorch on the same card (and the CPU beside it): MobileNetV2's features (images/s), a training step of a head, of
 * embedding-net and of the whole MobileNetV2 (milliseconds), with the loss facenet on batch-hard triplets. Weights and
 * images are random: only the speed counts. A batch begins in the memory of the CPU, and each step reads its loss.
 *
 *     node bench/run.mjs gpu [--seconds 4] [--model FILE] [--tiny] [PART …]
 *
 * Each part runs in a process of its own, since a driver may crash there. A part whose device or package is not there is
 * skipped, and so is PyTorch where no Python here imports it. `--tiny` takes small sizes, to try the parts on software
 * Vulkan. On a card it takes two to five minutes.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { PartDefinition } from "../runner/stage.ts";
import mobilenetv2 from "../stages/shared/backbones/mobilenetv2.ts";
import { Tensor } from "../stages/shared/compute/onnxruntime.ts";
import { random } from "../stages/shared/compute/random.ts";
import { type BackendParam, startNamed } from "../stages/shared/compute/start.ts";
import { variablesOf } from "../stages/shared/compute/variables.ts";
import { openSession } from "../stages/shared/inference/session.ts";
import { INPUT } from "../stages/shared/trainable/cut.ts";
import { buildTuned } from "../stages/train/backbone.ts";
import { stepper } from "../stages/train/loop/step.ts";
import facenet from "../stages/train/losses/facenet.ts";
import type { Network, NetworkDefinition } from "../stages/train/network.ts";
import embeddingNet from "../stages/train/networks/embedding-net.ts";
import linear from "../stages/train/networks/linear.ts";
import mlp from "../stages/train/networks/mlp.ts";
import batchHard from "../stages/train/selectors/batch-hard.ts";
import { writeMobileNetV2 } from "./networks.ts";

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "4" },
    model: { type: "string" },
    tiny: { type: "boolean", default: false },
    child: { type: "boolean", default: false },
  },
});
const seconds = Number(given.seconds);
/** Images of a batch, and their side in pixels. */
const SIZES = given.tiny
  ? { extract: [2, 64], head: 20, "embedding-net": [10, 16], mobilenetv2: [2, 32] }
  : { extract: [64, 224], head: 250, "embedding-net": [100, 32], mobilenetv2: [100, 128] };
const [DIM, CLASSES, FEATURES] = [64, 10, 1280];
/** Seconds after which a part is given up. */
const PATIENCE = given.tiny ? 600 : 120;

interface Result {
  value: number;
  /** On what it ran, as far as that says its name. */
  device: string;
}

/**
 * Seconds of one call, mean of as many as fit into the time, after three; slow calls are fewer.
 * @param settle waits until all is done
 */
async function measure(work: () => Promise<unknown>, settle: () => Promise<unknown> = async () => {}) {
  /** Calls until the time is over, `least` at least. */
  const repeat = async (limit: number, least: number, most: number) => {
    const began = performance.now();
    let calls = 0;
    for (; calls < least || (calls < most && performance.now() - began < 1000 * limit); calls++) await work();
    await settle();
    return (performance.now() - began) / 1000 / calls;
  };
  await repeat(seconds, 1, 3);
  return repeat(seconds, 1, Number.POSITIVE_INFINITY);
}

const normal = (length: number) => {
  const stream = random(1, "values");
  return Float32Array.from({ length }, () => stream.normal());
};

/** The file of the network, gone when the process ends, and the name of its features. */
function mobilenet(): { path: string; features: string } {
  const folder = mkdtempSync(join(tmpdir(), "deephash-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "mobilenetv2.onnx");
  return { path, features: writeMobileNetV2(path) };
}

async function extract(device: "cpu" | "webgpu" | "cuda"): Promise<Result> {
  const [batch, side] = SIZES.extract;
  const model = given.model ?? mobilenet().path;
  const session = await openSession(model, device, availableParallelism());
  const [input, output] = [session.inputNames[0], session.outputNames[0]];
  const images = new Tensor("float32", normal(batch * 3 * side * side), [batch, 3, side, side]);
  const spent = await measure(() => session.run({ [input]: images }, [output]));
  await session.release();
  return { value: batch / spent, device };
}

const defaults = (part: PartDefinition) =>
  Object.fromEntries(Object.entries(part.params ?? {}).map(([name, { default: value }]) => [name, value]));

const networkOf = (definition: NetworkDefinition, input: number[], params: object = {}): Network =>
  definition.build({
    ...{ input, dim: DIM, seed: 1, random: random(1, "dropout") },
    params: { ...defaults(definition), ...params },
  });

/** A training step: milliseconds. @param shape of a batch */
async function train(backend: BackendParam, shape: number[], build: () => Network | Promise<Network>) {
  const { reason } = await startNamed(backend, "bench");
  const network = await build();
  const params = defaults(facenet);
  const loss = facenet.start({
    ...{ dim: DIM, classes: CLASSES, params, random: random(1, "loss") },
    selector: { part: batchHard, params: defaults(batchHard), random: random(1, "selector") },
  });
  const { doStep: step } = await stepper({
    ...{ network, normalise: true, loss, lossParams: params },
    ...{ learningRate: 1e-3, optimizer: "adam" },
  });
  const [images] = shape;
  const batch = {
    values: normal(shape.reduce((product, length) => product * length)),
    shape,
    labels: Int32Array.from({ length: images }, (_, row) => row % CLASSES),
    given: { images: Int32Array.from({ length: images }, (_, row) => row) },
  };
  const [weight] = variablesOf(network.model.trainableWeights);
  const settle = () => weight.data();
  const value = 1000 * (await measure(() => step(batch, 0), settle));
  return { value, device: reason.split(", on ")[1] ?? backend };
}

const head = (backend: BackendParam) =>
  train(backend, [SIZES.head, FEATURES], () => networkOf(mlp, [FEATURES], { hidden: [512], dropout: 0.5 }));
const [NET, NET_SIDE] = SIZES["embedding-net"];
const pixels = [NET_SIDE, NET_SIDE, 3];
const small = (backend: BackendParam) =>
  train(backend, [NET, ...pixels], () => networkOf(embeddingNet, pixels));

/** All of MobileNetV2 and a layer on top. */
const whole = (backend: BackendParam) => {
  const [batch, size] = SIZES.mobilenetv2;
  return train(backend, [batch, size, size, 3], () => {
    const { path, features } = mobilenet();
    const tuning = { backbone: { ...mobilenetv2, name: "mobilenetv2", features }, from: INPUT, size };
    return buildTuned(tuning, path, { shape: [size, size, 3] }, (input) => networkOf(linear, input), DIM);
  });
};

/** The name of a measurement, then the device; in the order of the output. */
const PARTS: Record<string, () => Promise<Result>> = {
  "extract cpu": () => extract("cpu"),
  "extract webgpu": () => extract("webgpu"),
  "extract cuda": () => extract("cuda"),
  "head wasm": () => head("wasm"),
  "head native": () => head("native"),
  "head webgpu": () => head("webgpu"),
  "embedding-net native": () => small("native"),
  "embedding-net webgpu": () => small("webgpu"),
  "mobilenetv2 native": () => whole("native"),
  "mobilenetv2 webgpu": () => whole("webgpu"),
};

/** The result of a part, in its last line; else the reason why there is none. */
function runPart(name: string): Result | { skipped: string } {
  const options = ["--seconds", given.seconds, ...(given.model ? ["--model", given.model] : [])];
  const args = ["bench/run.mjs", "gpu", "--child", ...options, ...(given.tiny ? ["--tiny"] : [])];
  const run = spawnSync(process.execPath, [...args, name], {
    encoding: "utf8",
    timeout: 1000 * PATIENCE,
    killSignal: "SIGKILL",
  });
  const said = run.stdout.split("\n@").at(-1)!;
  if (run.status === 0) return JSON.parse(said);
  if (run.signal)
    return { skipped: run.error ? `it took more than ${PATIENCE} s` : `it crashed (${run.signal})` };
  const why = /^\w*Error: (.*)/m.exec(run.stderr)?.[1] ?? run.stderr.trim().split("\n").at(-1);
  return { skipped: why ?? `exit code ${run.status}` };
}

/** PyTorch's results by name; empty, with a line that says so, where no Python here imports it. */
function peers(): Map<string, Result & { version: string }> {
  const args = ["bench/peers/gpu.py", String(seconds), JSON.stringify(SIZES)];
  const runs = ["python3", "/usr/bin/python3"].map((python) =>
    spawnSync(python, args, { encoding: "utf8", timeout: 2000 * PATIENCE, killSignal: "SIGKILL" }),
  );
  const run = runs.find(({ stdout }) => stdout?.includes("{"));
  if (!run) {
    const why = runs[0].stderr?.trim().split("\n").at(-1) ?? "there is no python3";
    console.log(`PyTorch: skipped: ${why}`);
    return new Map();
  }
  if (run.status !== 0) console.log(`PyTorch: ended early: ${run.stderr.trim().split("\n").at(-1)}`);
  const lines = run.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  console.log(
    `PyTorch ${lines[0].version} on ${[...new Set(lines.map(({ device }) => device))].join(" and the ")}`,
  );
  return new Map(lines.map((line) => [line.name, line]));
}

if (given.child) {
  const result = await PARTS[positionals[0]]();
  process.stdout.write(`\n@${JSON.stringify(result)}`, () => process.exit(0)); // a driver's threads may go on
} else {
  const wanted = Object.keys(PARTS).filter((name) => !positionals.length || positionals.includes(name));
  console.log(`Sizes ${JSON.stringify(SIZES)}: images of a batch, and their side`);
  const others = peers();
  for (const name of wanted) {
    const result = runPart(name);
    const [what] = name.split(" ");
    if ("skipped" in result) {
      console.log(`${name.padEnd(22)} skipped: ${result.skipped}`);
      continue;
    }
    const rate = what === "extract";
    const unit = rate ? "images/s" : "ms a step";
    const peer = others.get(`${what} ${/webgpu|cuda/.test(name) ? "gpu" : "cpu"}`)?.value;
    const ratio = peer && (rate ? result.value / peer : peer / result.value);
    const beside = peer ? `PyTorch ${peer.toPrecision(4)}, speed ${ratio!.toPrecision(3)} of PyTorch's` : "";
    console.log(
      `${name.padEnd(22)} ${result.value.toPrecision(4).padStart(7)} ${unit}  ${beside}  (${result.device})`,
    );
  }
}
