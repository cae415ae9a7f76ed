/** `export`: the codes of an index, for other programs. */
import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { scratchName } from "../../runner/files/index.ts";
import { UserError } from "../../runner/stage.ts";
import { shown } from "../../stages/shared/text.ts";
import { indexFolder } from "../location.ts";
import { fileOf, type Index, openIndex } from "../opened.ts";
import { faissOf, jsonLinesOf, npyOf } from "./formats.ts";

export interface ExportOptions {
  index?: string;
  /** The file; its ending says the form. */
  out: string;
  /** Replace a file that is there. */
  force?: boolean;
}

/** Forms by the ending of the file. */
const FORMS: Record<string, (index: Index) => Iterable<string | Buffer>> = {
  ".npy": ({ codes }) => npyOf(codes),
  ".faiss": ({ codes }) => faissOf(codes),
  ".jsonl": (index) =>
    jsonLinesOf(index.codes, (row) => ({
      image: fileOf(index, row) ?? index.names?.[row] ?? index.codes.ids[row],
      class: index.codes.classes[index.codes.labels[row]],
    })),
};

/** Writes a file in one step: others see it whole or not at all. */
function writeWhole(path: string, pieces: Iterable<string | Buffer>): void {
  const scratch = join(dirname(path), scratchName("export"));
  try {
    const file = openSync(scratch, "wx");
    try {
      for (const piece of pieces) {
        const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
        for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      }
    } finally {
      closeSync(file);
    }
    renameSync(scratch, path);
  } finally {
    rmSync(scratch, { force: true });
  }
}

/**
 * Writes the codes of an index to a file.
 * @param from the folder that paths start at
 * @throws UserError for an ending that names no form, or a file that is there already
 */
export async function exportCodes(
  { index: given, out, force }: ExportOptions,
  root: string,
  from: string,
): Promise<void> {
  const form = FORMS[extname(out)];
  if (!form)
    throw new UserError(
      `export: --out ${shown(out)}: the ending says the form: ${Object.keys(FORMS).join(", ")}.`,
    );
  const path = resolve(from, out);
  if (existsSync(path) && !force)
    throw new UserError(
      `export: ${shown(path)} is there already. Name another file, or replace it with --force.`,
    );
  const index = await openIndex(indexFolder(given, root, from));
  writeWhole(path, form(index));
  console.log(`${shown(path)}: ${index.codes.rows} codes of ${index.codes.bits} bits`);
}
