/** Runs one stage in this process, without the runner: for unit tests of stages. */
import { mkdirSync, mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Ajv } from "ajv";
import type {
  CheckpointPlace,
  DownloadFolders,
  InputFile,
  Part,
  PartDefinition,
  Point,
  Scalar,
  StageDefinition,
  UpstreamRun,
} from "../runner/stage.ts";

/** The arguments of a test: params as in pipeline.yaml (a part as its name, or `{ use, ...params }`). */
export interface StageRun {
  params?: Record<string, unknown>;
  inputs?: Record<string, string | (Partial<InputFile> & { path: string })[]>;
  point?: Point;
  upstream?: UpstreamRun[];
  cpus?: number;
  signal?: AbortSignal;
  downloads?: DownloadFolders;
  checkpoint?: CheckpointPlace;
  progress?: (done: number) => void;
}

/** Runs `stages/NAME/stage.ts` and returns the paths of its outputs, its notes, and its log. */
export async function runStage(name: string, run: StageRun) {
  const folder = resolve("stages", name);
  const definition = (await import(pathToFileURL(join(folder, "stage.ts")).href)).default as StageDefinition;
  const ajv = new Ajv({ useDefaults: true, allowUnionTypes: true, keywords: ["optional"] });
  const given = structuredClone(run.params ?? {}) as Record<string, unknown>;
  // As in the runner, the schema sees a part's word: its params are checked against the part.
  const params = { ...given };
  const wordOf = (one: unknown) => (typeof one === "object" ? (one as { use: string }).use : one);
  for (const param of Object.keys(definition.parts ?? {}))
    if (given[param] !== undefined)
      params[param] = Array.isArray(given[param]) ? given[param].map(wordOf) : wordOf(given[param]);
  const schema = JSON.parse(
    readFileSync(resolve("schemas", `${definition.params}.params.schema.json`), "utf8"),
  );
  if (!ajv.validate(schema, params)) throw new Error(`${name}: params: ${ajv.errorsText()}`);

  const parts: Record<string, Part> = {};
  for (const [param, partFolder] of Object.entries(definition.parts ?? {})) {
    if (params[param] === undefined) continue;
    const chosen = given[param] ?? params[param];
    const list = (Array.isArray(chosen) ? chosen : [chosen]) as (string | { use: string })[];
    for (const one of list) {
      const { use, ...own } = typeof one === "string" ? { use: one } : one;
      const part = (await import(pathToFileURL(join(folder, partFolder, `${use}.ts`)).href))
        .default as PartDefinition;
      const partSchema = { type: "object", properties: part.params ?? {}, additionalProperties: false };
      if (!ajv.validate(partSchema, own)) throw new Error(`${name}.${param}: ${ajv.errorsText()}`);
      parts[Array.isArray(chosen) ? `${param}.${use}` : param] = { name: use, params: own, part };
    }
  }

  const root = mkdtempSync(join(tmpdir(), `deephash-${name}-`));
  const outputs: Record<string, string> = {};
  for (const [output, declared] of Object.entries(definition.outputs)) {
    const path = typeof declared === "string" ? declared : declared.path;
    outputs[output] = join(root, path);
    mkdirSync(path.endsWith("/") ? outputs[output] : dirname(outputs[output]), { recursive: true });
  }
  const sources: Record<string, InputFile[]> = {};
  for (const [input, given] of Object.entries(run.inputs ?? {})) {
    const files = typeof given === "string" ? [{ path: given }] : given;
    sources[input] = files.map((file) => ({ id: `${input}-stage`, point: {}, hash: "", ...file }));
  }
  const inputs: Record<string, string> = {};
  for (const [input, declared] of Object.entries(definition.inputs)) {
    const many = typeof declared === "object" && declared.many;
    sources[input] ??= [];
    if (!many && sources[input].length) inputs[input] = sources[input][0].path;
  }
  const notes: Record<string, Scalar> = {};
  const log: string[] = [];
  await definition.run({
    params,
    parts,
    inputs,
    sources,
    outputs,
    id: name,
    point: run.point ?? {},
    upstream: run.upstream ?? [],
    cpus: run.cpus ?? 2,
    downloads: run.downloads ?? { kept: join(root, "downloads") },
    checkpoint: run.checkpoint,
    progress: run.progress ?? (() => {}),
    log: (line) => log.push(line),
    warn: (line) => log.push(line),
    endProcess() {},
    note: (key, value) => {
      notes[key] = value;
    },
    signal: run.signal ?? new AbortController().signal,
  });
  for (const path of Object.values(outputs)) statSync(path); // every declared output must exist
  return { outputs, notes, log, root };
}
