/** The answers of the server, by method and path. No path of a request is ever one of a file. */
import type { IncomingMessage } from "node:http";
import { Ajv } from "ajv";
import { packSigns } from "../../stages/shared/artifacts/codes.ts";
import { found } from "../answers.ts";
import type { Hit, Wanted } from "../nearest.ts";
import type { Encoded, Encoding } from "./encoding.ts";
import { pictureOf, type Size } from "./images.ts";
import { LIMITS } from "./limits.ts";
import type { Live, Opened } from "./live.ts";
import { OPENAPI } from "./openapi.ts";
import { checkNames, FILTERS, labelsWanted, topOf, wantedOf, wordOf } from "./params.ts";
import { Refusal } from "./refusal.ts";
import { jsonOf, withBody } from "./upload.ts";

/** State that all requests share. */
export interface Shared {
  /** The name of the index. */
  name: string;
  live: Live;
  encoding: Pick<Encoding, "admit" | "encode" | "state">;
  /** Folder for images that are uploaded, while they are encoded. */
  scratch: string;
  /** The files of the page: what GET answers at a path. */
  page: Map<string, { type: string; body: string }>;
}

export interface Reply {
  type: string;
  body: string | Buffer;
  /** Seconds that the browser may keep it. */
  keep?: number;
}

/** A request, its path split off. */
export interface Asked {
  request: IncomingMessage;
  path: string;
  query: URLSearchParams;
}

const json = (value: unknown): Reply => ({
  type: "application/json; charset=utf-8",
  body: JSON.stringify(value),
});
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const rounded = (milliseconds: number) => Math.round(milliseconds * 100) / 100;

/** Seconds that a browser keeps a picture: its id is of one version of the index. */
const PICTURE_SECONDS = 3600;

const codeOf = ({ index }: Opened, row: number): string => {
  const { values, rows } = index.codes;
  const bytes = values.length / rows;
  return hex(values.subarray(row * bytes, (row + 1) * bytes));
};
const nameOf = ({ index: { names, codes } }: Opened, row: number) => String(names?.at(row) ?? codes.ids[row]);
const idOf = ({ version }: Opened, row: number) => `${version}-${row}`;

/** The row of an id. @throws Refusal for one of another version of the index, or of none */
function rowOf({ version, index }: Opened, id: string): number {
  const [, of, row] = /^([0-9a-f]+)-(\d{1,10})$/.exec(id) ?? [];
  if (of !== version || Number(row) >= index.codes.rows)
    throw new Refusal(404, "There is no image with this id, or the index has changed. Search again.");
  return Number(row);
}

interface SearchBy {
  id?: string;
  outputs?: number[];
  content?: string;
  /** The hash of the encoder that made the outputs. */
  encoder?: string;
}
const isSearchBy = new Ajv({ strict: false }).compile<SearchBy>({
  $ref: "#/components/schemas/SearchBy",
  components: OPENAPI.components,
});

/** Encodes the image that a body is. */
const encodeBody = ({ request }: Asked, { scratch, encoding }: Shared): Promise<Encoded> =>
  encoding.admit(() => withBody(request, scratch, LIMITS.imageBytes, (path) => encoding.encode(path)));

/** The kind of a request's body by its type: an image or JSON. @throws Refusal for another type */
function kindOf({ headers }: IncomingMessage): "image" | "json" {
  const type = (headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
  if (type === "application/json") return "json";
  if (type.startsWith("image/") || type === "application/octet-stream") return "image";
  throw new Refusal(
    415,
    "Send an image (Content-Type: image/… or application/octet-stream) or application/json.",
  );
}

/** The nearest images of what JSON names. @returns also the code of the query */
function searchByJson(opened: Opened, by: unknown, wanted: Wanted): { code: string; hits: Hit[] } {
  if (!isSearchBy(by))
    throw new Refusal(
      400,
      'The body must be {"id": …} or {"outputs": […], "content": …}: see /openapi.json.',
    );
  const { index, nearest } = opened;
  if (by.id !== undefined) {
    const row = rowOf(opened, by.id);
    return { code: codeOf(opened, row), hits: nearest.like(row, wanted) };
  }
  if (by.encoder !== undefined && by.encoder !== index.recipe.encoder)
    throw new Refusal(
      409,
      "The index has another encoder now than the one of these outputs. Encode the image again.",
    );
  const outputs = Float32Array.from(by.outputs!);
  if (outputs.length !== index.codes.bits)
    throw new Refusal(
      400,
      `outputs has ${outputs.length} values, but the index has ${index.codes.bits} bits.`,
    );
  const content = Buffer.from(by.content ?? "", "hex");
  return searchByOutputs(opened, { outputs, content }, wanted);
}

/** @throws Refusal where the index was replaced meanwhile by one of another encoder */
function searchByOutputs({ index, nearest }: Opened, sent: Encoded, wanted: Wanted) {
  const { outputs, content, encoder } = sent;
  if (encoder !== undefined && encoder !== index.recipe.encoder)
    throw new Refusal(503, "The index is being replaced. Send the image again.", 1);
  return { code: hex(packSigns(outputs, index.codes.bits)), hits: nearest.find(outputs, content, wanted) };
}

async function search(asked: Asked, shared: Shared): Promise<Reply> {
  wantedOf(asked.query, shared.live.current.index); // before an image is encoded for nothing
  const isImage = kindOf(asked.request) === "image";
  const sent = isImage ? await encodeBody(asked, shared) : await jsonOf(asked.request, LIMITS.jsonBytes);
  const opened = shared.live.current;
  const { index } = opened;
  const wanted = wantedOf(asked.query, index);
  const began = performance.now();
  const { code, hits } = isImage
    ? searchByOutputs(opened, sent as Encoded, wanted)
    : searchByJson(opened, sent, wanted);
  const nearest = hits.slice(0, LIMITS.top).map((hit) => ({
    id: idOf(opened, hit.row),
    ...found(index, hit, wanted.order),
    image: nameOf(opened, hit.row),
    code: codeOf(opened, hit.row),
  }));
  return json({ milliseconds: rounded(performance.now() - began), bits: index.codes.bits, code, nearest });
}

async function encode(asked: Asked, shared: Shared): Promise<Reply> {
  checkNames(asked.query, []);
  if (kindOf(asked.request) !== "image") throw new Refusal(415, "Send an image.");
  const { outputs, content, encoder } = await encodeBody(asked, shared);
  const bits = outputs.length;
  return json({
    bits,
    code: hex(packSigns(outputs, bits)),
    outputs: Array.from(outputs),
    content: hex(content),
    encoder,
  });
}

/** Images of the index, evenly spaced over those that are asked for. */
function images({ query }: Asked, { live }: Shared): Reply {
  checkNames(query, FILTERS);
  const opened = live.current;
  const { codes } = opened.index;
  const labels = labelsWanted(query, opened.index);
  const rows: number[] = [];
  for (let row = 0; row < codes.rows; row++) if (!labels || labels.has(codes.labels[row])) rows.push(row);
  const count = Math.min(topOf(query), rows.length);
  const some = Array.from({ length: count }, (_, i) => rows[Math.floor((i * rows.length) / count)]);
  return json({
    images: some.map((row) => ({
      id: idOf(opened, row),
      image: nameOf(opened, row),
      class: codes.classes[codes.labels[row]],
    })),
  });
}

function health({ query }: Asked, { live, encoding, name }: Shared): Reply {
  checkNames(query, []);
  const { rows, bits, classes } = live.current.index.codes;
  return json({ status: "ok", index: name, images: rows, bits, classes, encoder: encoding.state });
}

async function picture({ path, query }: Asked, { live }: Shared): Promise<Reply> {
  checkNames(query, ["size"]);
  const size: Size = wordOf(query, "size", ["small", "large"]) ?? "large";
  const opened = live.current;
  const body = await pictureOf(opened, rowOf(opened, path.slice(PICTURES.length)), size);
  return { type: "image/webp", body, keep: PICTURE_SECONDS };
}

type Handler = (asked: Asked, shared: Shared) => Reply | Promise<Reply>;
const PICTURES = "/image/";
const HANDLERS: Record<string, Record<string, Handler>> = {
  "/health": { GET: health },
  "/search": { POST: search },
  "/encode": { POST: encode },
  "/images": { GET: images },
  "/openapi.json": { GET: () => json(OPENAPI) },
};

/** The answer to a request. @throws Refusal, or UserError for an input that is invalid */
export async function reply(asked: Asked, shared: Shared): Promise<Reply> {
  const { request, path } = asked;
  const file = shared.page.get(path);
  const handlers: Record<string, Handler> | undefined = file
    ? { GET: () => file }
    : path.startsWith(PICTURES)
      ? { GET: picture }
      : Object.hasOwn(HANDLERS, path)
        ? HANDLERS[path]
        : undefined;
  if (!handlers) throw new Refusal(404, "There is nothing here. See /openapi.json.");
  const method = request.method === "HEAD" ? "GET" : request.method!;
  if (!Object.hasOwn(handlers, method))
    throw new Refusal(405, `Only ${Object.keys(handlers)} is answered here.`);
  return handlers[method](asked, shared);
}
