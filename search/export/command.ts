/** `export`: the codes of an index for other programs, or its encoder. */
import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { scratchName } from "../../runner/files/index.ts";
import { UserError } from "../../runner/stage.ts";
import { size } from "../../runner/text/index.ts";
import { shown } from "../../stages/shared/text.ts";
import { indexFolder } from "../location.ts";
import { fileOf, type Index, openIndex } from "../opened.ts";
import { faissOf, jsonLinesOf, npyOf } from "./formats.ts";
import type { InputForm } from "./onnx/encoder.ts";
import { exportEncoder } from "./onnx/export.ts";

export interface ExportOptions {
  index?: string;
  /** The file; its ending says the form. */
  out: string;
  /** Replace a file that is there. */
  force?: boolean;
  /** Of the encoder: what a caller feeds. */
  input: InputForm;
  /** Images of the index that the encoder is compared on. */
  compare: number;
}

/** The ending of the encoder's form. */
const ENCODER = ".onnx";

/** Forms of codes by the ending of the file. */
const FORMS: Partial<Record<string, (index: Index) => Iterable<string | Buffer>>> = {
  ".npy": ({ codes }) => npyOf(codes),
  ".faiss": ({ codes }) => faissOf(codes),
  ".jsonl": (index) =>
    jsonLinesOf(index.codes, (row) => ({
      image: fileOf(index, row) ?? index.names?.at(row) ?? index.codes.ids[row],
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

/** Writes the encoder. @returns the written files, in words */
async function writeEncoder(index: Index, path: string, { input, compare }: ExportOptions): Promise<string> {
  const { bytes, difference } = await exportEncoder(index, input, compare);
  writeWhole(path, [Buffer.from(bytes)]);
  const { images, embedding, bits } = difference;
  return `an encoder of ${size(bytes.length)}; on ${images} images its embeddings differ from the index's by at most ${Number(embedding.toPrecision(2))}, and ${bits} of ${images * index.recipe.bits} bits differ`;
}

/**
 * Writes the codes or the encoder of an index to a file.
 * @param from the folder that paths start at
 * @throws UserError for an ending that names no form, or a file that is there already
 */
export async function exportIndex(options: ExportOptions, root: string, from: string): Promise<void> {
  const { index: given, out, force } = options;
  const ending = extname(out);
  const form = FORMS[ending];
  if (!form && ending !== ENCODER)
    throw new UserError(
      `export: --out ${shown(out)}: the ending says the form: ${[...Object.keys(FORMS), ENCODER].join(", ")}.`,
    );
  const path = resolve(from, out);
  if (existsSync(path) && !force)
    throw new UserError(
      `export: ${shown(path)} is there already. Name another file, or replace it with --force.`,
    );
  const index = await openIndex(indexFolder(given, root, from));
  if (form) writeWhole(path, form(index));
  const { rows, bits } = index.codes;
  const told = form ? `${rows} codes of ${bits} bits` : await writeEncoder(index, path, options);
  console.log(`${shown(path)}: ${told}`);
}
