/** A YAML file with the place of everything in it. */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from "yaml";
import { UserError } from "../stage.ts";
import { dotted, doubleKey, oneLine, type Path, plainValue, YAML_OPTIONS } from "../text/index.ts";

/** `train.with.margn` for `[stages, train, with, margn]`, at any place of the stage. */
export function nameOf(path: Path): string {
  const at = path.indexOf("stages");
  return dotted(at >= 0 && path.length > at + 1 ? path.slice(at + 1) : path);
}

/** Of a place deep in the file so many keys are named. */
const SHOWN_KEYS = 6;

/** The text of a file. @throws UserError when it is missing, unreadable or not UTF-8 */
function read(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT")
      throw new UserError(
        `${path}: no such file. Run this in the project's folder, or name it with --pipeline.`,
      );
    const why = code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is not UTF-8" : message;
    throw new UserError(`${path}: cannot be read: ${oneLine(why)}.`);
  }
}

/** A parsed YAML file that knows the line and column of each of its keys. */
export class Source {
  readonly name: string;
  readonly value: unknown;
  readonly text: string;
  private parsed?: Document;
  private readonly lines = new LineCounter();

  /**
   * @param known what a text holds, when that is known already: then it is parsed only when a place is asked for
   * @throws UserError when the file is missing or is no YAML
   */
  constructor(path: string, known: (text: string) => unknown = () => undefined, name = basename(path)) {
    this.name = name;
    this.text = read(path);
    const value = known(this.text);
    if (value !== undefined) {
      this.value = value;
      return;
    }
    // A warning, too: it tells of a tag that nobody knows, whose value would be taken for another.
    const [fault] = [...this.document.errors, ...this.document.warnings];
    if (fault) {
      const { line, col } = this.lines.linePos(fault.pos[0]);
      if (fault.code === "MULTIPLE_DOCS")
        throw new UserError(`${this.name}:${line}:${col} a second document begins here (---). Write one.`);
      throw new UserError(
        `${this.name}:${line}:${col} ${oneLine(fault.message.split("\n")[0].replace(/ at line .*/, ""))}`,
      );
    }
    const double = this.guarded(() => doubleKey(this.document));
    if (double) {
      const { line, col } = this.lines.linePos(double.range![0]);
      throw new UserError(
        `${this.name}:${line}:${col} ${oneLine(`Map keys must be unique: ${nameOf([String(double.value)])} is there twice.`)}`,
      );
    }
    this.value = plainValue(
      this.guarded(() => this.document.toJS()),
      (path, message) => {
        throw new UserError(oneLine(`${this.locate(path)} ${nameOf(path.slice(0, SHOWN_KEYS))}: ${message}`));
      },
    );
  }

  /** Calls the parser, and reports its exceptions as errors of the file: aliases by the thousand, endless nesting. */
  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const what = error instanceof RangeError ? "is nested too deeply" : (error as Error).message;
      throw new UserError(
        `${this.name}:1:1 ${oneLine(what).replace(/\.$/, "")}. Write it with fewer aliases and levels.`,
      );
    }
  }

  private get document(): Document {
    // Level "error": a key that is a list is told by the schema, as the text it becomes.
    this.parsed ??= this.guarded(() =>
      parseDocument(this.text, { ...YAML_OPTIONS, lineCounter: this.lines }),
    );
    return this.parsed;
  }

  /** The node itself; for an alias, its anchor's node. */
  private target(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.document) : node;
  }

  /** The pair of a key in a map, also out of what `<<` merges into it. */
  private pairOf(map: YAMLMap, key: string, seen = new Set<YAMLMap>()): Pair | undefined {
    if (seen.has(map)) return undefined; // it merges itself
    seen.add(map);
    const named = (name: string) =>
      map.items.find(({ key }) => isScalar(key) && (key.source ?? String(key.value)) === name);
    const own = named(key);
    if (own) return own;
    const merged = this.target(named("<<")?.value);
    for (const one of isSeq(merged) ? merged.items : [merged]) {
      const from = this.target(one);
      const pair = isMap(from) ? this.pairOf(from, key, seen) : undefined;
      if (pair) return pair;
    }
    return undefined;
  }

  /** How deep `path` can be followed in this file, and the offset of the last key that is there. */
  private follow(path: Path): { depth: number; offset: number } {
    let node: unknown = this.document.contents;
    let offset = 0;
    for (let depth = 0; depth < path.length; depth++) {
      if (isMap(node)) {
        const pair = this.pairOf(node, String(path[depth]));
        if (!pair) return { depth, offset };
        offset = (pair.key as Node).range![0];
        node = this.target(pair.value);
      } else if (isSeq(node)) {
        const item = node.items[Number(path[depth])] as Node | undefined;
        if (!item) return { depth, offset };
        offset = item.range![0];
        node = this.target(item);
      } else return { depth, offset };
    }
    return { depth: path.length, offset };
  }

  /** How many keys of the path the file leaves out. */
  missing(path: Path): number {
    return path.length - this.follow(path).depth;
  }

  /** "file:line:column" of the deepest key of the path that is in the file. */
  locate(path: Path): string {
    const { line, col } = this.lines.linePos(this.follow(path).offset);
    return `${this.name}:${Math.max(1, line)}:${Math.max(1, col)}`; // an empty file has no line
  }
}
