/**
 * The one scope of names. At a point of a stage's matrix a name has the value of its axis; else what the matrix sets
 * (`set:`); else what the word of an axis brings (`axes:`); else that of the stage's `vars`; else that of the study's.
 */
import type { Point, Scalar } from "../stage.ts";
import { dig, itemAt, own, type Path, suggest } from "../text/index.ts";
import { interpolate, nothingCalled, OMIT } from "./interpolate.ts";
import { namesOf, todaysSpelling } from "./names.ts";
import { put, refuseVar, type Setting } from "./settings.ts";
import type { Stages } from "./stages.ts";

/** A name with its value as the file writes it. */
export interface Binding {
  value: unknown;
  /** An axis's: nothing is left to fill in. */
  known?: boolean;
  /** @throws UserError with the place of the binding */
  refuse(path: Path, message: string): never;
  /** "file:line:column" of the binding, or of something below it, where it has one of its own. */
  place?(below?: Path): string;
}

/** The values that a matrix sets at a point. */
export type Bound = Record<string, Binding>;

/** The "file:line:column" of an axis's value. */
export type Places = (axis: string, value: Scalar) => string;

/** Names that name names that name names: deeper is a mistake, and would take all of the stack. */
const DEEPEST = 100;

/** All values of one place of a study. */
export class Scope {
  /** The nearest first. */
  private readonly layers: Bound[];
  private readonly all: Set<string>;
  private readonly profile: string;
  private readonly done = new Map<string, unknown>();
  private readonly open: string[] = [];

  constructor(profile: string, all: Set<string>, layers: Bound[]) {
    this.profile = profile;
    this.all = all;
    this.layers = layers;
  }

  /** The value of an expression, as `loss` or `loss.margin?`; undefined for none, OMIT for one that may be absent. */
  readonly lookup = (expression: string): unknown => {
    if (expression === "profile") return this.profile;
    const optional = expression.endsWith("?");
    const [name, ...path] = (optional ? expression.slice(0, -1) : expression).split(".");
    const value = this.resolve(name);
    if (value === undefined) return optional && this.all.has(name) ? OMIT : undefined;
    if (value === OMIT || path.length === 0) return value;
    const found = dig(value, path);
    return found === undefined && optional ? OMIT : found;
  };

  /**
   * The place of the value that a text stands for, if it is one name that a file or `--set` gives its value.
   * @param below a path below that value
   */
  placeOf(value: unknown, below: Path = []): string | undefined {
    const name = typeof value === "string" ? /^\$([\w-]+)\??$/.exec(value)?.[1] : undefined;
    const binding = name === undefined ? undefined : this.binding(name);
    if (!binding?.place) return undefined;
    const inner = below.length ? itemAt(binding.value, below) : undefined;
    return this.placeOf(inner) ?? this.placeOf(binding.value, below) ?? binding.place(below);
  }

  /** A suggestion for an expression that names nothing. */
  hint(expression: string, otherwise = ""): string {
    const [, optional] = /^([\w-]+)\?$/.exec(expression) ?? [];
    const names = new Set(this.layers.flatMap((layer) => Object.keys(layer)));
    const known = optional === undefined ? ["profile", ...names] : [...this.all];
    return todaysSpelling(expression) || suggest(expression.replace(/\?$/, ""), known) || otherwise;
  }

  /** Puts values in the place of all names in `value`. @param refuse told of the place below it, and why */
  fill(value: unknown, refuse: (path: Path, message: string) => never, otherwise?: string): unknown {
    return interpolate(value, this.lookup, (expression, why, path) =>
      refuse(path, why === nothingCalled(expression) ? why + this.hint(expression, otherwise) : why),
    );
  }

  private resolve(name: string): unknown {
    if (this.done.has(name)) return this.done.get(name);
    const binding = this.binding(name);
    if (binding === undefined) return undefined;
    if (binding.known) return binding.value;
    if (this.open.includes(name))
      binding.refuse(
        [],
        `names form a circle: ${[...this.open.slice(this.open.indexOf(name)), name].join(" → ")}.`,
      );
    if (this.open.length > DEEPEST)
      binding.refuse([], `names name one another more than ${DEEPEST} levels deep.`);
    this.open.push(name);
    const value = this.fill(binding.value, binding.refuse);
    this.open.pop();
    this.done.set(name, value);
    return value;
  }

  private binding(name: string): Binding | undefined {
    for (const layer of this.layers) {
      const found = own(layer, name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** The scopes of a study: of its stages, and of their points. */
export class Scopes {
  private readonly stages: Stages;
  private readonly vars: Bound;
  /** The vars of each stage. */
  private readonly ofStages = new Map<string, Bound>();
  private readonly all: Set<string>;

  /** @throws UserError for a `--set` of an unknown var */
  constructor(stages: Stages, settings: Setting[]) {
    const { study } = stages;
    this.stages = stages;
    this.all = namesOf(study);
    this.vars = bindingsOf(
      study.vars,
      (name, path, message) => study.refuse(["vars", name, ...path], message),
      (name, below) => study.locate(["vars", name, ...below]),
    );
    for (const setting of settings.filter(({ path }) => path[0] === "vars")) {
      const [, name] = setting.path;
      if (!Object.hasOwn(this.vars, name))
        refuseVar(name, `no such var.${suggest(name, Object.keys(this.vars))}`);
      const changed = { [name]: structuredClone(this.vars[name].value) };
      put(changed, setting, 1);
      this.vars[name] = {
        value: changed[name],
        refuse: (_, message) => refuseVar(name, message),
        place: () => `--set vars.${name}:`,
      };
    }
  }

  private stageVars(stage: string): Bound {
    const known = this.ofStages.get(stage);
    if (known) return known;
    const found = bindingsOf(
      this.stages.spec(stage).vars ?? {},
      (name, path, message) => this.stages.refuse(stage, ["vars", name, ...path], message),
      (name, below) => this.stages.at(stage, "vars", name, ...below),
    );
    this.ofStages.set(stage, found);
    return found;
  }

  /** The scope of a stage's matrix: its vars and the study's. */
  ofStage(stage: string): Scope {
    const own = this.stageVars(stage);
    return this.scope([own, this.vars]);
  }

  /** The scope of a point. @param set what the matrix sets there, @param places where its values are written */
  ofPoint(stage: string, point: Point, set: Bound, places?: Places): Scope {
    const axes: Bound = Object.fromEntries(
      Object.entries(point).map(([axis, value]) => [
        axis,
        { value, known: true, refuse: never, place: places && (() => places(axis, value)) },
      ]),
    );
    const own = this.stageVars(stage);
    const words = this.words(stage, point, new Set([...Object.keys(axes), ...Object.keys(set)]));
    return this.scope([axes, set, words, own, this.vars]);
  }

  private scope(layers: Bound[]): Scope {
    return new Scope(this.stages.study.profile, this.all, layers);
  }

  /** The values that the words of a point's axes set. @param above names that have a value already */
  private words(stage: string, point: Point, above: Set<string>): Bound {
    const { study } = this.stages;
    const found: Bound = {};
    const from: Record<string, string> = {};
    for (const [axis, word] of Object.entries(point)) {
      const sets = own(own(study.axes, axis) ?? {}, String(word)) ?? {};
      for (const [name, value] of Object.entries(sets)) {
        if (above.has(name)) continue;
        const path = ["axes", axis, String(word), name];
        if (Object.hasOwn(found, name))
          study.refuse(
            path,
            `"${name}" is bound twice in ${stage}: ${from[name]} and ${axis}=${word} both set it. Set it in the matrix (set: { ${name}: … }), or remove one.`,
          );
        from[name] = `${axis}=${word}`;
        found[name] = {
          value,
          refuse: (below, message) => study.refuse([...path, ...below], message),
          place: (below = []) => study.locate([...path, ...below]),
        };
      }
    }
    return found;
  }
}

/** An axis has nothing to fill in, and so nothing to refuse. */
const never = (_: Path, message: string): never => {
  throw new Error(message);
};

const bindingsOf = (
  map: Record<string, unknown>,
  refuse: (name: string, path: Path, message: string) => never,
  place: (name: string, below: Path) => string,
): Bound =>
  Object.fromEntries(
    Object.entries(map).map(([name, value]) => [
      name,
      {
        value,
        refuse: (path: Path, message: string) => refuse(name, path, message),
        place: (below: Path = []) => place(name, below),
      },
    ]),
  );
