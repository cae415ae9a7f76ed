/** Encodes and searches, beside the page: it goes on while an image is encoded. */
import * as ort from "onnxruntime-web/wasm";
import { packSigns } from "../../../stages/shared/artifacts/codes.ts";
import { CONTENT_BYTES } from "../../../stages/shared/search-index.ts";
import { type Hit, Nearest, type Wanted } from "../../nearest.ts";
import { type About, FILES } from "../format.ts";
import { decode } from "./decode.ts";

/** The questions of the page. */
export type Question =
  | { kind: "about" }
  | { kind: "encode"; image: Blob }
  | { kind: "search"; by: { row: number } | { outputs: number[]; content: string }; wanted: Wanted };

/** The answer to each kind of question. */
export interface Replies {
  about: About & { labels: Uint16Array };
  encode: { outputs: number[]; content: string };
  search: { milliseconds: number; code: string; hits: (Hit & { code: string })[] };
}

const scope = self as unknown as DedicatedWorkerGlobalScope;

/** Where the page's files are. */
const base = new URL(".", scope.location.href);

async function load(file: string): Promise<Response> {
  const response = await fetch(new URL(file, base));
  if (!response.ok)
    throw new Error(`${file} is missing from the folder (${response.status}). Make the page again.`);
  return response;
}
const bytesOfFile = async (file: string) => (await load(file)).arrayBuffer();

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (two) => Number.parseInt(two, 16));

async function openIndex() {
  const about = (await (await load(FILES.about)).json()) as About;
  const [codes, outputs, contents, labels] = await Promise.all(
    [FILES.codes, FILES.outputs, FILES.contents, FILES.labels].map(bytesOfFile),
  );
  const { bits, classes, names } = about;
  const rows = names.length;
  const index = {
    folder: about.index,
    codes: {
      values: new Uint8Array(codes),
      labels: new Uint16Array(labels),
      ids: Uint32Array.from({ length: rows }, (_, row) => row),
      rows,
      bits,
      classes,
      metadata: {},
    },
    outputs: new Uint16Array(outputs),
    contents: new Uint8Array(contents),
  };
  return { about, index, nearest: new Nearest(index) };
}

async function openEncoder(): Promise<ort.InferenceSession> {
  ort.env.wasm.wasmPaths = { wasm: new URL(FILES.runtime, base).href };
  // Threads share memory, which browsers allow only to pages whose server sends two special headers.
  if (!scope.crossOriginIsolated) ort.env.wasm.numThreads = 1;
  const bytes = new Uint8Array(await bytesOfFile(FILES.encoder));
  return ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
}

const opened = openIndex();
let encoder: Promise<ort.InferenceSession> | undefined;

/** The hash of an image: see `contentOf` of the index. Without a secure context a browser has no hash: nothing is the same then. */
async function contentOf(pixels: Uint8Array): Promise<string> {
  if (!scope.crypto?.subtle) return "";
  const hash = await scope.crypto.subtle.digest("SHA-256", pixels as Uint8Array<ArrayBuffer>);
  return hex(new Uint8Array(hash).subarray(0, CONTENT_BYTES));
}

async function encode(image: Blob): Promise<Replies["encode"]> {
  encoder ??= openEncoder();
  const { about } = await opened;
  const { height, width, channels } = about.image;
  const pixels = await decode(image, about.image);
  const session = await encoder;
  const results = await session.run(
    { images: new ort.Tensor("uint8", pixels, [1, height, width, channels]) },
    ["outputs"],
  );
  return {
    outputs: Array.from(results.outputs.data as Float32Array),
    content: await contentOf(pixels),
  };
}

async function search({ by, wanted }: Extract<Question, { kind: "search" }>): Promise<Replies["search"]> {
  const { index, nearest } = await opened;
  const { values, bits, rows } = index.codes;
  const bytes = values.length / rows;
  const codeOf = (row: number) => hex(values.subarray(row * bytes, (row + 1) * bytes));
  const began = performance.now();
  let code: string;
  let hits: Hit[];
  if ("row" in by) {
    code = codeOf(by.row);
    hits = nearest.like(by.row, wanted);
  } else {
    const outputs = Float32Array.from(by.outputs);
    code = hex(packSigns(outputs, bits));
    hits = nearest.find(outputs, unhex(by.content), wanted);
  }
  const milliseconds = performance.now() - began;
  return { milliseconds, code, hits: hits.map((hit) => ({ ...hit, code: codeOf(hit.row) })) };
}

async function answer(question: Question): Promise<Replies[Question["kind"]]> {
  if (question.kind === "encode") return encode(question.image);
  if (question.kind === "search") return search(question);
  const { about, index } = await opened;
  encoder ??= openEncoder(); // so that it is there when the first image comes
  encoder.catch(() => {}); // told when an image comes
  return { ...about, labels: index.codes.labels };
}

scope.onmessage = async ({ data: { id, question } }: MessageEvent<{ id: number; question: Question }>) => {
  try {
    scope.postMessage({ id, reply: await answer(question) });
  } catch (error) {
    scope.postMessage({ id, fault: (error as Error).message });
  }
};
