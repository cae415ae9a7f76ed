/** The points of every stage of a study, and what a matrix sets at each. */
import type { Point } from "../stage.ts";
import { brief, isMap, itemAt, own, type Path, suggest } from "../text/index.ts";
import { axesOf } from "./matching.ts";
import { instanceId, MOST_POINTS, points } from "./matrix.ts";
import { sheetsOf } from "./names.ts";
import type { Bound, Places, Scopes } from "./scope.ts";
import type { Stages } from "./stages.ts";

const NOTHING_SET: Bound = {};

export class Points {
  private readonly stages: Stages;
  private readonly scopes: Scopes;
  private readonly known = new Map<string, Point[]>();
  /** The names of each stage's instances: every reference to one shares its text. */
  private readonly ids = new Map<string, Map<Point, string>>();
  /** The values that `set` gives a point; a stage with the points of another one shares them. */
  private readonly bound = new Map<Point, Bound>();
  /** The places of a point's values. */
  private readonly written = new Map<Point, Places>();

  /** @throws UserError with file:line:column where a matrix is none */
  constructor(stages: Stages, scopes: Scopes) {
    this.stages = stages;
    this.scopes = scopes;
    for (const stage of stages.names) this.of(stage);
  }

  /** The points of a stage. @param open the stages whose matrices led here */
  of(stage: string, open: string[] = []): Point[] {
    const known = this.known.get(stage);
    if (known) return known;
    if (open.includes(stage))
      this.stages.refuse(stage, ["matrix"], `matrices form a circle: ${[...open, stage].join(" → ")}.`);
    const found = this.read(stage, [...open, stage]);
    if (found.length > MOST_POINTS)
      this.stages.refuse(
        stage,
        ["matrix"],
        `has ${found.length} points, more than ${MOST_POINTS}. Take fewer.`,
      );
    const seen = new Set<string>();
    const ids = new Map<Point, string>();
    for (const point of found) {
      const id = instanceId(stage, point);
      if (seen.has(id)) this.stages.refuse(stage, ["matrix"], `the point ${id} is there twice. Remove one.`);
      seen.add(id);
      ids.set(point, id);
    }
    this.ids.set(stage, ids);
    this.known.set(stage, found);
    return found;
  }

  /** The name of the instance of a stage at one of its points. */
  id(stage: string, point: Point): string {
    return this.ids.get(stage)!.get(point)!;
  }

  /** The values that the matrix sets at a point. */
  setAt(point: Point): Bound {
    return this.bound.get(point) ?? NOTHING_SET;
  }

  /** Where the values of a point are written: in a matrix, or in the var that it names. */
  placesAt(point: Point): Places | undefined {
    return this.written.get(point);
  }

  /** A point made of another one. */
  private derived(point: Point, from: Point, set?: Bound): Point {
    const below = this.bound.get(from);
    const all = below && set ? { ...below, ...set } : (below ?? set);
    if (all) this.bound.set(point, all);
    const places = this.placesAt(from);
    if (places) this.written.set(point, places);
    return point;
  }

  private read(stage: string, open: string[]): Point[] {
    const refuse = (path: Path, message: string): never =>
      this.stages.refuse(stage, ["matrix", ...path], message);
    const raw = this.stages.spec(stage).matrix;
    if (raw === undefined) return [{}];
    const scope = this.scopes.ofStage(stage);
    const matrix = typeof raw === "string" ? scope.fill(raw, refuse) : raw;
    if (typeof matrix === "string") return this.named(stage, [], matrix, open);
    if (!Array.isArray(matrix) && !isMap(matrix))
      return refuse(
        [],
        `must be a map of axes, a list of such maps, or the name of a stage, not ${brief(matrix)}.`,
      );
    if (Array.isArray(matrix) && matrix.length === 0 && Array.isArray(raw))
      refuse([], "is an empty list, so that the stage would have no instance.");
    return sheetsOf(matrix).flatMap(([at, sheet]) =>
      isMap(sheet)
        ? this.sheet(stage, at, sheet, open)
        : refuse(at, `must be a map of axes, not ${brief(sheet)}.`),
    );
  }

  /** The points of one map of axes, or of `points`. */
  private sheet(stage: string, at: Path, sheet: Record<string, unknown>, open: string[]): Point[] {
    const refuse = (path: Path, message: string): never =>
      this.stages.refuse(stage, ["matrix", ...at, ...path], message);
    const { set, ...raw } = sheet;
    if (Object.keys(raw).length === 0 && set === undefined && at.length === 0) return [{}];
    const filled = this.scopes.ofStage(stage).fill(raw, refuse) as Record<string, unknown>;
    const isOwn = filled.points === undefined && filled.without === undefined;
    const found = isOwn ? points(filled, raw, refuse) : this.others(stage, at, filled, open);
    const places = this.places(stage, at, filled, raw);
    if (isOwn) for (const point of found) this.written.set(point, places);
    return set === undefined ? found : this.bind(stage, at, found, set);
  }

  /** Where the values of a map of axes are written. @param raw the map as the file has it, with its `$name`s */
  private places(
    stage: string,
    at: Path,
    filled: Record<string, unknown>,
    raw: Record<string, unknown>,
  ): Places {
    const { include = [], exclude: _, ...axes } = filled as Record<string, unknown[]>;
    return (axis, value) => {
      const among = own(axes, axis)?.indexOf(value) ?? -1;
      const extra = include.findIndex((one) => isMap(one) && one[axis] === value);
      const [list, path]: [string, Path] = among < 0 ? ["include", [extra, axis]] : [axis, [among]];
      const given = own(raw, list);
      const place = (below: Path) => this.stages.at(stage, "matrix", ...at, list, ...below);
      const scope = this.scopes.ofStage(stage);
      if (!Array.isArray(given)) return scope.placeOf(given, path) ?? place([]);
      // Where an item is left out, those behind it have other places.
      if (given.length !== (filled[list] as unknown[]).length) return place([]);
      return scope.placeOf(itemAt(given, path)) ?? place(path);
    };
  }

  /** `points: STAGE, without: [AXIS]`: the points of a stage less some axes, each once. */
  private others(stage: string, at: Path, given: Record<string, unknown>, open: string[]): Point[] {
    const refuse = (path: Path, message: string): never =>
      this.stages.refuse(stage, ["matrix", ...at, ...path], message);
    const { points: from, without = [], ...rest } = given;
    if (typeof from !== "string")
      refuse(
        [from === undefined ? "without" : "points"],
        from === undefined
          ? "needs points: STAGE beside it, the stage whose points lose these axes."
          : `must be the name of a stage, not ${brief(from)}. An axis needs another name.`,
      );
    const [beside] = Object.keys(rest);
    if (beside !== undefined) refuse([beside], "cannot be beside points, which takes without and set alone.");
    const all = this.named(stage, [...at, "points"], from as string, open);
    const gone = [without].flat() as string[];
    const axes = axesOf(all);
    for (const axis of gone)
      if (!axes.includes(axis))
        refuse(
          ["without"],
          `${from} has no axis ${brief(axis)}.${suggest(String(axis), axes) || ` It has ${axes.join(", ") || "none"}.`}`,
        );
    const found = new Map<string, Point>();
    for (const point of all) {
      const kept = Object.fromEntries(Object.entries(point).filter(([axis]) => !gone.includes(axis)));
      const name = JSON.stringify(kept);
      if (found.has(name)) continue;
      found.set(name, this.derived(kept, point));
    }
    return [...found.values()];
  }

  /** The points of another stage. */
  private named(stage: string, at: Path, other: string, open: string[]): Point[] {
    if (!this.stages.has(other)) this.stages.refuse(stage, ["matrix", ...at], this.stages.unknown(other));
    return this.of(other, open);
  }

  /** The points with what `set` gives them. */
  private bind(stage: string, at: Path, found: Point[], set: unknown): Point[] {
    const refuse = (path: Path, message: string): never =>
      this.stages.refuse(stage, ["matrix", ...at, "set", ...path], message);
    if (!isMap(set)) return refuse([], `must be a map, as { NAME: VALUE }, not ${brief(set)}.`);
    const axes = axesOf(found);
    const own: Bound = {};
    for (const [name, value] of Object.entries(set)) {
      if (axes.includes(name))
        refuse([name], `"${name}" is bound twice: it is an axis here, too. Remove one.`);
      own[name] = { value, refuse: (path, message) => refuse([name, ...path], message) };
    }
    return found.map((point) => this.derived({ ...point }, point, own));
  }
}
