/**
 * How time and memory grow with the number of images: train, embed, encode, evaluate-codes and search on made-up features,
 * each in a process of its own, for its peak of memory. The exit code is 1 where memory grows more than linearly.
 *
 * `node bench/run.mjs growth [IMAGES …]` (10,000 and 100,000)
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import type { Part, PartDefinition, StageDefinition } from "../runner/stage.ts";
import { columns } from "../runner/text/index.ts";
import embed from "../stages/embed/stage.ts";
import itq from "../stages/encode/binarisers/itq.ts";
import encode from "../stages/encode/stage.ts";
import evaluateCodes from "../stages/evaluate-codes/stage.ts";
import { bytesOf, readCodes } from "../stages/shared/artifacts/codes.ts";
import { narrow } from "../stages/shared/artifacts/half.ts";
import { writeSplit } from "../stages/shared/artifacts/split.ts";
import { createVectors } from "../stages/shared/artifacts/vectors.ts";
import { random } from "../stages/shared/compute/random.ts";
import { MultiIndex } from "../stages/shared/retrieval/hamming/multi-index.ts";
import supcon from "../stages/train/losses/supcon.ts";
import mlp from "../stages/train/networks/mlp.ts";
import balanced from "../stages/train/samplers/balanced.ts";
import train from "../stages/train/stage.ts";

const [FEATURES, BITS, CLASSES, QUERIES, VALIDATION, STEPS] = [256, 64, 10, 200, 200, 40];
/** Images of the runs that show what a process takes without data; the least that may be asked for are twice as many. */
const BASE = 1000;
/** Images that are drawn together. */
const BATCH = 1000;
/** Growth of memory over growth of images that is still linear, and the megabytes that any process may vary by. */
const [LIMIT, VARIES] = [1.5, 64];

const classes = Array.from({ length: CLASSES }, (_, at) => `class-${at}`);

/** Writes features in clusters, and a split whose database trains. */
function write(folder: string, images: number): void {
  const [centre, noise] = [random(1, "centres"), random(1, "noise")];
  const centres = Float32Array.from({ length: CLASSES * FEATURES }, () => centre.normal());
  const ids = Uint32Array.from({ length: images }, (_, row) => row);
  const labels = Uint16Array.from(ids, (row) => row % CLASSES);
  const table = createVectors(join(folder, "features.arrow"), FEATURES, "float16", { classes });
  for (let from = 0; from < images; from += BATCH) {
    const label = labels.slice(from, from + BATCH);
    const values = new Float32Array(label.length * FEATURES);
    for (let i = 0; i < values.length; i++)
      values[i] =
        centres[label[Math.floor(i / FEATURES)] * FEATURES + (i % FEATURES)] + 2 * (noise.float() - 0.5);
    table.write(label.length, { id: ids.slice(from, from + BATCH), label, vector: narrow(values) });
  }
  table.close();
  const role = (from: number, to = images) => Uint8Array.from(ids, (row) => Number(row >= from && row < to));
  const database = role(QUERIES + VALIDATION);
  const roles = { query: role(0, QUERIES), validation: role(QUERIES, QUERIES + VALIDATION), database };
  writeSplit(join(folder, "split.arrow"), {
    ...{ ids, labels, ...roles, train: database, protocol: "own", seed: 1 },
  });
}

type Schemas = Record<string, { default?: unknown }>;
const defaultsOf = (schemas: Schemas = {}): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(schemas).flatMap(([name, schema]) =>
      "default" in schema ? [[name, schema.default]] : [],
    ),
  );
const part = (name: string, definition: PartDefinition): Part => ({
  name,
  params: defaultsOf(definition.params as Schemas),
  part: definition,
});

interface Step {
  stage: StageDefinition;
  params?: Record<string, unknown>;
  parts?: Record<string, Part>;
  inputs: Record<string, string>;
}
const step = (stage: unknown, rest: Omit<Step, "stage">): Step => ({
  stage: stage as StageDefinition,
  ...rest,
});

/** The stages, in order; the file of an input is the output of a stage before. */
const STAGES: Record<string, Step> = {
  train: step(train, {
    params: { steps: STEPS, evaluate_every: STEPS / 2, backend: "wasm" },
    parts: {
      network: part("mlp", mlp),
      loss: part("supcon", supcon as PartDefinition),
      sampler: part("balanced", balanced),
    },
    inputs: { data: "features.arrow", split: "split.arrow" },
  }),
  embed: step(embed, { params: { backend: "wasm" }, inputs: { data: "features.arrow", model: "model/" } }),
  encode: step(encode, {
    params: { bits: BITS, backend: "wasm" },
    parts: { binariser: part("itq", itq as PartDefinition) },
    inputs: { vectors: "embeddings.arrow", split: "split.arrow" },
  }),
  "evaluate-codes": step(evaluateCodes, { inputs: { codes: "codes.arrow", split: "split.arrow" } }),
};
const WORK = [...Object.keys(STAGES), "search"];

/** Runs a stage as the runner does, with the defaults of its params. */
async function runStage(name: string, folder: string): Promise<void> {
  const { stage, params, parts = {}, inputs } = STAGES[name];
  const schema = JSON.parse(readFileSync(`schemas/${stage.params}.params.schema.json`, "utf8"));
  const at = (path: string) => join(folder, path);
  const outputs = Object.entries(stage.outputs).map(([output, declared]) => {
    const path = typeof declared === "string" ? declared : declared.path;
    if (path.endsWith("/")) mkdirSync(at(path), { recursive: true });
    return [output, at(path)];
  });
  const files = Object.entries(inputs).map(([input, path]) => [input, at(path)]);
  const sources = files.map(([input, path]) => [input, [{ path, id: input, point: {}, hash: "" }]]);
  await stage.run({
    params: { ...defaultsOf(schema.properties), ...params },
    parts,
    inputs: Object.fromEntries(files),
    sources: Object.fromEntries(sources),
    outputs: Object.fromEntries(outputs),
    id: name,
    point: {},
    upstream: [],
    cpus: 2,
    downloads: { kept: at("downloads") },
    progress() {},
    log() {},
    warn: console.error,
    note() {},
    endProcess() {},
    signal: new AbortController().signal,
  });
}

/** Searches the codes of all images for those of the first ones. */
function search(folder: string): void {
  const { values, bits } = readCodes(join(folder, "codes.arrow"));
  const index = new MultiIndex(values, bits);
  const bytes = bytesOf(bits);
  for (let query = 0; query < QUERIES; query++)
    index.nearest(values.subarray(query * bytes, (query + 1) * bytes), 10);
}

interface Measured {
  seconds: number;
  megabytes: number;
}

/** Measures this process at one work, and prints it for the process that started it. */
async function work(name: string, folder: string, images: number): Promise<void> {
  const began = performance.now();
  if (name === "write") write(folder, images);
  else if (name === "search") search(folder);
  else await runStage(name, folder);
  const seconds = (performance.now() - began) / 1000;
  console.log(JSON.stringify({ seconds, megabytes: process.resourceUsage().maxRSS / 1024 }));
}

/** Does all work with so many images, each in a process of its own. */
function measure(images: number): Map<string, Measured> {
  const folder = mkdtempSync(join(tmpdir(), "deephash-growth-"));
  try {
    const measured = ["write", ...WORK].map((name): [string, Measured] => {
      const args = ["bench/run.mjs", "growth", name, folder, String(images)];
      const run = spawnSync(process.execPath, args, {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      });
      if (run.status !== 0) throw new Error(`${name} of ${images} images: exit code ${run.status}`);
      return [name, JSON.parse(run.stdout)];
    });
    return new Map(measured);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main(sizes: number[]): void {
  if (sizes.some((images) => !(images >= 2 * BASE)))
    throw new RangeError(`growth [IMAGES …]: each a number of at least ${2 * BASE}.`);
  sizes.sort((a, b) => a - b);
  const base = measure(BASE);
  const all = sizes.map(measure);
  const rows = [["", ...sizes.map((images) => `${images} images`), "growth of time, memory"]];
  for (const name of WORK) {
    const beyond = (at: number) => Math.max(VARIES, all[at].get(name)!.megabytes - base.get(name)!.megabytes);
    const row = all.map((one) => one.get(name)!);
    const growth = sizes.slice(1).map((images, at) => {
      const memory = beyond(at + 1) / beyond(at);
      const isMore = memory > (LIMIT * images) / sizes[at];
      if (isMore) process.exitCode = 1;
      const time = (row[at + 1].seconds / row[at].seconds).toFixed(1);
      return `x ${time}, x ${memory.toFixed(1)}${isMore ? " MORE THAN LINEAR" : ""}`;
    });
    const told = row.map(({ seconds, megabytes }) => `${seconds.toFixed(1)} s ${megabytes.toFixed(0)} MB`);
    rows.push([name, ...told, growth.join("; ")]);
  }
  console.log(columns(rows).join("\n"));
  console.log(
    `Memory grows by the part beyond that of ${BASE} images, at least ${VARIES} MB; up to ${LIMIT} x the growth of the images is linear.`,
  );
}

const [name, ...rest] = process.argv.slice(2);
// Each thread loads this file again, for the work that it defines.
if (isMainThread)
  if (rest.length && ["write", ...WORK].includes(name)) await work(name, rest[0], Number(rest[1]));
  else {
    const asked = process.argv.slice(2).map(Number);
    main(asked.length ? asked : [10_000, 100_000]);
  }
