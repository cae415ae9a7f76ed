/** The outline of a bundle: what its top-level statements are called, which file they come from, and a hash of each. */
import { sha256 } from "../files/index.ts";

/** File → name of a top-level statement → the start of the hash of its text. */
export type Outline = Record<string, Record<string, string>>;

/** The properties of a code besides its hash: enough to report a change in it. */
export interface CodeFacts {
  packages: string[];
  outline: Outline;
  /** Of a shell stage. */
  command?: string;
}

/** Enough to tell two texts of one function apart. */
const SHOWN = 12;

const NAMED = /^(?:async )?(?:function\*?|class|var|let|const) ([\w$]+)/;

/**
 * The outline of a bundle as esbuild prints it without making it smaller: a line `// FILE` before what comes
 * from that file, and every statement at the first column, with only its own closing bracket there too.
 * A line of a text of many lines may be taken for a statement: the outline then names one more, and is no less
 * true. Imports are left out: packages are told by their versions.
 * @param files of the bundle, as the lines name them
 */
export function outlineOf(text: string, files: string[]): Outline {
  const known = new Set(files);
  const statements: { file: string; name: string; lines: string[] }[] = [];
  let file = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("// ") && known.has(line.slice(3))) file = line.slice(3);
    else if (/^[^\s})\]]/.test(line)) {
      const name = NAMED.exec(line)?.[1] ?? (/^(im|ex)port\b/.test(line) ? "" : "top level");
      statements.push({ file, name, lines: [line] });
    } else statements.at(-1)?.lines.push(line);
  }
  // esbuild writes name2 where another file has the name already: such numbers come and go with neighbours.
  const names = new Set(statements.map(({ name }) => name));
  const plain = (words: string) =>
    words.replace(/[A-Za-z_$][\w$]*/g, (word) => {
      const base = word.replace(/\d$/, "");
      return names.has(base) ? base : word;
    });
  const outline: Outline = {};
  for (const { file, name, lines } of statements) {
    if (!file || !name) continue;
    const shown = name.endsWith("_default") ? "default export" : plain(name);
    outline[file] ??= {};
    const before = outline[file][shown] ?? "";
    outline[file][shown] = sha256(before + plain(lines.join("\n").trimEnd())).slice(0, SHOWN);
  }
  return outline;
}

/** The differences between two outlines: `readSplit in stages/shared/artifacts/split.ts`. */
export function outlineChanges(before: Outline, now: Outline): string[] {
  const found: string[] = [];
  for (const file of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const [old, own] = [before[file] ?? {}, now[file] ?? {}];
    const names = [...new Set([...Object.keys(old), ...Object.keys(own)])].filter(
      (name) => old[name] !== own[name],
    );
    const how = (name: string) => (name in old ? (name in own ? "" : " (gone)") : " (new)");
    if (names.length) found.push(`${names.map((name) => name + how(name)).join(", ")} in ${file}`);
  }
  return found;
}
