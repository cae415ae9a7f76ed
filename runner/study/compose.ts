/** The layers of a study, one for each file that it is made of, and the one study that they make together. */
import { dirname } from "node:path";
import { UserError } from "../stage.ts";
import { isMap, oneLine, own, type Path, suggest } from "../text/index.ts";
import { checkNames } from "./names.ts";
import { nameOf, type Source } from "./source.ts";
import type { Layer, StageSpec, StudyBody, StudyFile, StudyFiles, StudySpec } from "./study-file.ts";

interface Read {
  path: string;
  source: Source;
}

/** `over` on top of `base`, map by map; the short form of a part gives way to its long form. */
export function merge(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return over;
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = merge(own(base, key), value);
  return merged;
}

/** A stage on top of another: maps merge, all else (and a matrix as a whole) takes the place of the former value. */
export function mergeStage(base: StageSpec | undefined, over: StageSpec): StageSpec {
  const merged = merge(base ?? {}, over) as StageSpec;
  return over.matrix === undefined ? merged : { ...merged, matrix: over.matrix };
}

/** The layers of a file: its own, those of its includes, those of the file it extends; the first one wins. */
function layersOf(files: StudyFiles, read: Read, open: Read[]): Layer[] {
  const { source, path } = read;
  const value = source.value as StudyFile;
  const way = [...open, read];
  const named = (at: Path, name: string): Layer[] => {
    const found = files.named(source, at, name, dirname(path));
    const circle = way.findIndex((one) => one.path === found.path);
    if (circle >= 0)
      throw new UserError(
        `${source.locate(at)} ${nameOf(at)}: files form a circle: ${[...way.slice(circle), found].map((one) => one.source.name).join(" → ")}. Remove one of these.`,
      );
    if (at[0] === "include") refuseProfiles(found.source);
    return layersOf(files, found, way);
  };
  const listed = Array.isArray(value.include);
  const includes = [value.include ?? []].flat().map((name, index) => {
    const at = listed ? ["include", index] : ["include"];
    return { at, layers: named(at, name) };
  });
  refuseTwins(source, value, includes);
  return [
    { source, prefix: [], value },
    ...includes.flatMap(({ layers }) => layers),
    ...(value.extends === undefined ? [] : named(["extends"], value.extends)),
  ];
}

/** The words that the pipeline file alone has. */
function refuseProfiles(source: Source): void {
  for (const key of ["profile", "profiles", "slurm"] as const)
    if ((source.value as StudyFile)[key] !== undefined)
      throw new UserError(
        `${source.locate([key])} ${key}: only the pipeline file has this. Move it there, or remove it.`,
      );
}

const KINDS = ["vars", "defaults", "chains", "stages"] as const;

/** Two includes must not both define a name; the file that includes them may define a var. */
function refuseTwins(source: Source, own: StudyFile, includes: { at: Path; layers: Layer[] }[]): void {
  const first = new Map<string, Layer>();
  for (const { at, layers } of includes)
    for (const kind of KINDS) {
      const names = new Set(layers.flatMap(({ value }) => Object.keys(value[kind] ?? {})));
      for (const name of names) {
        const layer = layers.find(({ value }) => Object.hasOwn(value[kind] ?? {}, name))!;
        const other = first.get(`${kind}.${name}`);
        if (other === undefined) first.set(`${kind}.${name}`, layer);
        else if (other.source !== layer.source && !(kind === "vars" && Object.hasOwn(own.vars ?? {}, name))) {
          const places = [other, layer].map((one) => one.source.locate([...one.prefix, kind, name]));
          throw new UserError(
            oneLine(
              `${source.locate(at)} ${nameOf(at)}: ${kind}.${name} is bound twice, at ${places.join(" and ")}. ${kind === "vars" ? "Give it a value in this file, or remove one." : "Remove one, or rename it."}`,
            ),
          );
        }
      }
    }
}

/** The layers of a profile. */
function profileLayers(files: StudyFiles, pipeline: Read, profile: string): Layer[] {
  const { source } = pipeline;
  const given = (source.value as StudyFile).profiles![profile];
  if (typeof given !== "string")
    return [{ source, prefix: ["profiles", profile], value: given ?? {} }, ...layersOf(files, pipeline, [])];
  const found = files.named(source, ["profiles", profile], given, dirname(pipeline.path));
  refuseProfiles(found.source);
  return layersOf(files, found, []);
}

/** All stages, the base's first; null takes one away. */
function stagesOf(layers: Layer[], refuse: StudySpec["refuse"]): Record<string, StageSpec> {
  const merged: Record<string, StageSpec> = {};
  for (const { value } of [...layers].reverse())
    for (const [name, spec] of Object.entries(value.stages ?? {})) {
      const base = own(merged, name);
      if (spec !== null) merged[name] = mergeStage(base, spec);
      else if (base !== undefined) delete merged[name];
      else
        refuse(
          ["stages", name],
          `holds nothing, and there is no stage "${name}" to leave out.${suggest(name, Object.keys(merged))}`,
        );
    }
  return merged;
}

/** The whole study of a profile. @throws UserError with file:line:column of the first error */
export function compose(files: StudyFiles, pipeline: Read, profile: string): StudySpec {
  const layers = profileLayers(files, pipeline, profile);
  const locate = (...paths: Path[]): string => {
    const places = paths.flatMap((path) =>
      layers.map(({ source, prefix }) => ({ source, path: [...prefix, ...path] })),
    );
    // The first of those that leave out the least; of a profile within the file its own words count as followed.
    let best = { left: Number.POSITIVE_INFINITY, place: places[0] };
    for (const place of places) {
      const left = place.source.missing(place.path);
      if (left < best.left) best = { left, place };
      if (left === 0) break;
    }
    return best.place.source.locate(best.place.path);
  };
  const refuse = (path: Path, message: string): never => {
    throw new UserError(oneLine(`${locate(path)} ${nameOf(path)}: ${message}`));
  };
  if (!layers.some(({ value }) => value.stages))
    throw new UserError(`${layers[0].source.locate([])}: "stages" is missing.`);
  const all = <Key extends keyof StudyBody>(key: Key) =>
    layers.flatMap(({ value }) => (value[key] === undefined ? [] : [value[key]!]));
  const merged = <Key extends "axes" | "defaults" | "chains">(key: Key) =>
    all(key).reduceRight<unknown>((base, over) => merge(base, over), {}) as NonNullable<StudyBody[Key]>;
  const study: StudySpec = {
    profile,
    check: all("check")[0] ?? "exact",
    vars: Object.assign({}, ...all("vars").reverse()),
    axes: merged("axes"),
    defaults: merged("defaults"),
    chains: merged("chains"),
    stages: stagesOf(layers, refuse),
    texts: layers.map(({ source }) => source.text),
    locate,
    refuse,
  };
  checkNames(study);
  return study;
}
