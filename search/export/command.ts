/** `export`: the codes of an index for other programs, or its encoder. */
import { extname, resolve } from "node:path";
import { UserError } from "../../runner/stage.ts";
import { size } from "../../runner/text/index.ts";
import { shown } from "../../stages/shared/text.ts";
import { indexFolder } from "../location.ts";
import { fileOf, type Index, openIndex } from "../opened.ts";
import { type OutputFile, placeOf, writeWhole } from "../output-file.ts";
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

/** Writes the encoder. @returns the written files, in words */
async function writeEncoder(
  index: Index,
  file: OutputFile,
  { input, compare }: ExportOptions,
): Promise<string> {
  const { bytes, difference } = await exportEncoder(index, input, compare);
  writeWhole(file, [Buffer.from(bytes)]);
  const { images, embedding, bits } = difference;
  return `an encoder of ${size(bytes.length)}; on ${images} images its embeddings differ from the index's by at most ${Number(embedding.toPrecision(2))}, and ${bits} of ${images * index.recipe.bits} bits differ`;
}

/**
 * Writes the codes or the encoder of an index to a file.
 * @param from the folder that paths start at
 * @throws UserError for an ending that names no form, or as {@link placeOf}
 */
export async function exportIndex(options: ExportOptions, root: string, from: string): Promise<void> {
  const { index: given, out, force } = options;
  const ending = extname(out);
  const form = FORMS[ending];
  if (!form && ending !== ENCODER)
    throw new UserError(
      `export: --out ${shown(out)}: the ending says the form: ${[...Object.keys(FORMS), ENCODER].join(", ")}.`,
    );
  const folder = indexFolder(given, root, from);
  const file: OutputFile = {
    option: "export: --out",
    path: resolve(from, out),
    replaces: () => force === true,
    otherwise: "Name another file, or replace it with --force.",
    apart: folder,
  };
  placeOf(file);
  const index = await openIndex(folder);
  if (form) writeWhole(file, form(index));
  const { rows, bits } = index.codes;
  const told = form ? `${rows} codes of ${bits} bits` : await writeEncoder(index, file, options);
  console.log(`${shown(file.path)}: ${told}`);
}
