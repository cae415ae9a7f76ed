/** The rows of an index of files: written, and read to be taken over. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Float64, Uint16 } from "apache-arrow";
import { UserError } from "../../runner/stage.ts";
import { bytesColumn, numbers, readTable, writeTable } from "../../stages/shared/artifacts/arrow.ts";
import { bytesOf, packSigns, writeCodes } from "../../stages/shared/artifacts/codes.ts";
import { directions, writeOutputs } from "../../stages/shared/artifacts/outputs.ts";
import { CONTENT_BYTES, FILES } from "../../stages/shared/search-index.ts";
import type { Index } from "../opened.ts";
import type { Stamp } from "./encode.ts";
import type { Photo } from "./roots.ts";

const HASH_BYTES = 32;
/** Labels are 16 bits. */
const MOST_CLASSES = 65_536;

/** One image of an index of files, with all that a search needs of it. */
export interface Row extends Stamp {
  photo: Photo;
  /** `[bytesOf(bits)]` */
  code: Uint8Array;
  /** `[bits]` float16, see {@link directions} */
  outputs: Uint16Array;
  /** `[CONTENT_BYTES]` */
  content: Uint8Array;
}

/** The encoded images, as rows. @param values `[images, bits]` */
export function rowsOf(
  read: { photo: Photo; stamp: Stamp; content: Uint8Array }[],
  values: Float32Array,
  bits: number,
): Row[] {
  const codes = packSigns(values, bits);
  const outputs = directions(values, bits, "index");
  const bytes = bytesOf(bits);
  return read.map(({ photo, stamp, content }, row) => ({
    ...stamp,
    photo,
    content,
    code: codes.subarray(row * bytes, (row + 1) * bytes),
    outputs: outputs.subarray(row * bits, (row + 1) * bits),
  }));
}

/** Writes rows. @returns the classes */
export function writeRows(data: string, rows: Row[], bits: number): string[] {
  const classes = [...new Set(rows.map(({ photo }) => photo.class))].sort();
  if (classes.length > MOST_CLASSES)
    throw new UserError(
      `index: ${classes.length} folders would be classes, but an index has at most ${MOST_CLASSES}. Index a folder further up, or fewer folders.`,
    );
  const places = new Map(classes.map((name, at) => [name, at]));
  const codes = {
    ids: Uint32Array.from(rows, (_, row) => row),
    labels: Uint16Array.from(rows, ({ photo }) => places.get(photo.class)!),
    values: new Uint8Array(Buffer.concat(rows.map(({ code }) => code))),
    rows: rows.length,
    bits,
    classes,
  };
  const outputs = new Uint16Array(rows.length * bits);
  for (const [row, one] of rows.entries()) outputs.set(one.outputs, row * bits);
  writeCodes(join(data, FILES.codes), codes);
  writeOutputs(join(data, FILES.outputs), codes, outputs);
  writeFileSync(join(data, FILES.contents), Buffer.concat(rows.map(({ content }) => content)));
  const names = rows.map(({ photo }) => photo.name);
  writeFileSync(join(data, FILES.names), `${JSON.stringify(names, null, 1)}\n`);
  writeTable(
    join(data, FILES.photos),
    "index-photos",
    { root: new Uint16(), bytes: new Float64(), modified: new Float64(), sha256: bytesColumn(HASH_BYTES) },
    rows.length,
    {
      root: Uint16Array.from(rows, ({ photo }) => photo.root),
      bytes: Float64Array.from(rows, ({ bytes }) => bytes),
      modified: Float64Array.from(rows, ({ modified }) => modified),
      sha256: new Uint8Array(Buffer.concat(rows.map(({ sha256 }) => Buffer.from(sha256, "hex")))),
    },
  );
  return classes;
}

/** The rows of an index of files. @throws UserError when their record does not fit the codes */
export async function readRows({
  codes,
  outputs,
  contents,
  names,
  roots,
  recipe,
  files,
}: Index): Promise<Row[]> {
  const path = await files.path(FILES.photos);
  const table = readTable(path, "index-photos");
  const bytes = numbers<Float64Array>(table, "bytes");
  const modified = numbers<Float64Array>(table, "modified");
  const hashes = table.getChild("sha256")!;
  const width = bytesOf(codes.bits);
  return names!.map((name, row) => {
    const { path } = recipe.roots![roots![row]];
    return {
      photo: {
        root: roots![row],
        name,
        class: codes.classes[codes.labels[row]],
        path: join(path, name),
      },
      bytes: bytes[row],
      modified: modified[row],
      sha256: Buffer.from(hashes.get(row)).toString("hex"),
      code: codes.values.subarray(row * width, (row + 1) * width),
      outputs: outputs.subarray(row * codes.bits, (row + 1) * codes.bits),
      content: contents.subarray(row * CONTENT_BYTES, (row + 1) * CONTENT_BYTES),
    };
  });
}
