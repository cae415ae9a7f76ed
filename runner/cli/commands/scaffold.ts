/** `new KIND NAME`: the files of a new part, out of templates/KIND.txt. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../stage.ts";
import { suggest } from "../../text/index.ts";

/** Where the templates are, below the project's folder. */
const FOLDER = "templates";

/** The kinds of parts that there is a template for. */
export const kinds = (root: string): string[] =>
  existsSync(join(root, FOLDER))
    ? readdirSync(join(root, FOLDER))
        .filter((file) => file.endsWith(".txt"))
        .map((file) => file.slice(0, -4))
        .sort()
    : [];

/**
 * The sections of a template: a line "=== PATH" begins a file, "=== next" the next steps. `__NAME__` stands
 * for the part's name, `__SHA256__` for a number in the form of a checksum that is of that name alone.
 */
function sections(template: string, name: string): Map<string, string> {
  const text = template
    .replaceAll("__NAME__", name)
    .replaceAll("__SHA256__", createHash("sha256").update(name).digest("hex"));
  const found = new Map<string, string>();
  for (const section of text.split(/^=== /m).slice(1)) {
    const end = section.indexOf("\n");
    found.set(section.slice(0, end), section.slice(end + 1));
  }
  return found;
}

/**
 * Writes the files of a new part, all or none.
 * @returns the paths written, and what to do next
 * @throws UserError for a kind or a name that cannot be, or where one of the files is there already
 */
export function scaffold(root: string, kind: string, name: string): { files: string[]; next: string } {
  const known = kinds(root);
  if (!known.includes(kind))
    throw new UserError(
      `new ${kind}: no such kind of part.${suggest(kind, known) || ` There are ${known.join(", ")}.`}`,
    );
  if (!/^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$/.test(name))
    throw new UserError(
      `new ${kind} ${JSON.stringify(name)}: a name has letters and digits, and "-" between words, as in my-${kind}.`,
    );
  const found = sections(readFileSync(join(root, FOLDER, `${kind}.txt`), "utf8"), name);
  const next = found.get("next") ?? "";
  found.delete("next");
  for (const path of found.keys())
    if (existsSync(join(root, path)))
      throw new UserError(`new ${kind} ${name}: ${path} exists already. Choose another name.`);
  for (const [path, text] of found) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { flag: "wx" });
  }
  return { files: [...found.keys()], next };
}
