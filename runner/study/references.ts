/** References of inputs: `stage.output`, narrowed down by `[axis=value]`; a `*` or `{a,b}` in the stage's name takes many. */
import { normalize } from "node:path";
import type { Point } from "../stage.ts";
import { type Path, shortened, suggest } from "../text/index.ts";
import { axesOf, matching } from "./matching.ts";
import type { Points } from "./points.ts";
import type { Stages } from "./stages.ts";

/**
 * One file of an input: an output of another instance, or a file of the project; for a command `as`, its name as the
 * command sees it; `glob`, the reference with a `*` that means this instance if it has that output.
 */
export type Reference = ({ id: string; output: string; glob?: Glob } | { file: string }) & { as?: string };

export interface Glob {
  /** `evaluate-*.metrics` */
  text: string;
  /** Whether one of the instances must have the output: a stage without any instance here may be the one that has it. */
  strict: boolean;
}

const REFERENCE = /^([\w{},*-]+)(?:\[([^\]]*)\])?\.([\w-]+)$/;

interface Read {
  stage: string;
  pairs: [axis: string, value: string][] | undefined;
  output: string;
}

/** `stage[axis=value].output`, taken apart; undefined for a text that is none. */
function readReference(text: string): Read | undefined {
  const [, stage, bracket, output] = REFERENCE.exec(text) ?? [];
  if (stage === undefined) return undefined;
  const pairs = bracket?.split(",").map((pair): [string, string] => {
    const cut = pair.indexOf("=");
    return cut < 0 ? [pair.trim(), ""] : [pair.slice(0, cut).trim(), pair.slice(cut + 1).trim()];
  });
  return { stage, pairs, output };
}

const isGlob = (name: string): boolean => /[*{},]/.test(name);

/** A glob as a pattern; undefined where a brace is left open. Names hold no other character with a meaning. */
function patternOf(glob: string): RegExp | undefined {
  const text = glob
    .replaceAll("*", "[\\w-]*")
    .replace(/\{([^{}]*)\}/g, (_, words: string) => `(?:${words.split(",").join("|")})`);
  return /[{},]/.test(text) ? undefined : new RegExp(`^${text}$`);
}

/** Names of stages that a message lists. */
const SHOWN = 12;

/** Finds what references mean. */
export class References {
  private readonly stages: Stages;
  private readonly points: Points;

  constructor(stages: Stages, points: Points) {
    this.stages = stages;
    this.points = points;
  }

  /**
   * Resolves a reference of a stage at a point.
   * @throws UserError with file:line:column for no reference, an unknown stage or axis, and a glob that matches nothing
   */
  join(stage: string, point: Point, text: string, path: Path): Reference[] {
    const refuse = (message: string): never => this.stages.refuse(stage, path, message);
    if (text.startsWith("./")) {
      const file = normalize(text.slice(2));
      if (file === "." || file.split("/")[0] === "..")
        refuse(`"${text}" is no file or folder below the project's own. Write ./a/file.`);
      return [{ file: text.slice(2) }];
    }
    if (text.startsWith("/")) return [{ file: text }];
    const reference = readReference(text);
    if (!reference)
      return refuse(
        `"${text}" is no reference. Write stage.output, stage[axis=value].output, ./a/file of the project, or /a/file elsewhere.`,
      );
    for (const [axis, value] of reference.pairs ?? [])
      if (axis === "" || value === "") refuse(`"${text}" names no value. Write stage[axis=value].output.`);
    const named = (reference.pairs ?? []).map(([axis]) => axis);
    const twice = named.find((axis, index) => named.indexOf(axis) < index);
    if (twice !== undefined)
      refuse(`"${text}" names the axis "${twice}" twice. Write one reference for each value.`);
    if (!isGlob(reference.stage)) return this.ofStage(reference, reference.stage, point, refuse);
    return this.ofGlob(reference, text, stage, point, refuse);
  }

  private ofGlob(
    reference: Read,
    text: string,
    self: string,
    point: Point,
    refuse: (message: string) => never,
  ): Reference[] {
    const { stage: glob, pairs = [] } = reference;
    const pattern = patternOf(glob) ?? refuse(`"${glob}" holds a brace without its other. Write {a,b}.`);
    const stages = this.stages.names.filter((name) => name !== self && pattern.test(name));
    const { names } = this.stages;
    if (stages.length === 0)
      refuse(
        `no stage matches "${glob}".${suggest(glob.replaceAll(/[*{}]/g, ""), names) || ` There are ${names.slice(0, SHOWN).join(", ")}${names.length > SHOWN ? ", …" : ""}.`}`,
      );
    // A stage without one of the axes has no such instance; which is no error, as long as another has them.
    const having = stages.filter((name) => {
      const axes = axesOf(this.points.of(name));
      return pairs.every(([axis]) => axes.includes(axis));
    });
    if (having.length === 0) {
      const axes = stages.flatMap((name) => axesOf(this.points.of(name)));
      const missing = pairs.map(([axis]) => axis).find((axis) => !axes.includes(axis)) ?? pairs[0][0];
      refuse(`no stage that matches "${glob}" has the axis "${missing}".${suggest(missing, axes)}`);
    }
    const found = having.flatMap((name) => this.candidates(reference, name, point));
    if (pairs.length && found.length === 0) refuse(this.nowhere(glob, pairs));
    const strict = stages.every((name) => this.points.of(name).length > 0);
    return found.map((one) => ({ ...one, glob: { text, strict } }));
  }

  private ofStage(reference: Read, name: string, point: Point, refuse: (message: string) => never) {
    const { pairs = [] } = reference;
    if (!this.stages.has(name)) refuse(this.stages.unknown(name));
    const axes = axesOf(this.points.of(name));
    for (const [axis] of pairs)
      if (!axes.includes(axis)) refuse(`${name} has no axis "${axis}".${suggest(axis, axes)}`);
    const found = this.candidates(reference, name, point);
    if (pairs.length && found.length === 0) refuse(this.nowhere(name, pairs));
    return found;
  }

  private nowhere(name: string, pairs: [string, string][]): string {
    return `no instance of ${name} is at [${pairs.map(([axis, value]) => `${shortened(axis)}=${shortened(value)}`).join(",")}].`;
  }

  private candidates({ pairs = [], output }: Read, name: string, point: Point) {
    const wanted = new Map(Object.entries(point).map(([axis, value]) => [axis, String(value)]));
    for (const [axis, value] of pairs) wanted.set(axis, value);
    const found = matching(
      this.points.of(name),
      wanted,
      pairs.map(([axis]) => axis),
    );
    return found.map((candidate) => ({ id: this.points.id(name, candidate), output }));
  }
}
