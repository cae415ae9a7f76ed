/** The questions of the page, as in `deephash serve`; here a worker of the browser answers them. */
import type * as server from "../../serve/client/api.ts";
import { FILES, thumbnailOf } from "../format.ts";
import type { Question, Replies } from "./worker.ts";

type Listed = server.Listed;

export type { Answer, Encoded, Found, Health, Listed } from "../../serve/client/api.ts";

const AS_FILE =
  "A browser lets no page that is opened as a file read its data. Start a server in this folder, as python3 -m http.server 8000, and open http://localhost:8000.";

const waiting = new Map<number, { resolve: (reply: never) => void; reject: (error: Error) => void }>();
let worker: Worker | undefined;
let asked = 0;

function start(): Worker {
  const started = new Worker(FILES.worker, { type: "module" });
  started.onmessage = ({ data: { id, reply, fault } }) => {
    const { resolve, reject } = waiting.get(id)!;
    waiting.delete(id);
    if (fault === undefined) resolve(reply as never);
    else reject(new Error(fault));
  };
  started.onerror = () => {
    for (const { reject } of waiting.values())
      reject(new Error(`${FILES.worker} does not run in this browser, or is missing from the folder.`));
    waiting.clear();
  };
  return started;
}

function ask<Kind extends Question["kind"]>(
  question: Extract<Question, { kind: Kind }>,
  signal?: AbortSignal,
): Promise<Replies[Kind]> {
  if (location.protocol === "file:") return Promise.reject(new Error(AS_FILE));
  worker ??= start();
  const id = asked++;
  return new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
    waiting.set(id, { resolve, reject });
    worker!.postMessage({ id, question });
  });
}

let about: Replies["about"];

const listed = (row: number): Listed => ({
  id: String(row),
  image: about.names[row],
  class: about.classes[about.labels[row]],
});

export async function health(): Promise<server.Health> {
  about = await ask({ kind: "about" });
  const { index, names, bits, classes } = about;
  return { index, images: names.length, bits, classes };
}

export const encode = (image: Blob, signal: AbortSignal): Promise<server.Encoded> =>
  ask({ kind: "encode", image }, signal);

/** The labels of the classes that contain the text; undefined for all. */
function labelsOf(params: URLSearchParams): Set<number> | undefined {
  const part = params.get("filter")?.toLowerCase();
  return part === undefined
    ? undefined
    : new Set(about.classes.flatMap((name, label) => (name.toLowerCase().includes(part) ? [label] : [])));
}

export async function search(
  by: { id: string } | server.Encoded,
  params: URLSearchParams,
  signal: AbortSignal,
): Promise<server.Answer> {
  const radius = params.get("radius");
  const order = params.get("order") === "outputs" ? "outputs" : "bits";
  const wanted = {
    top: Number(params.get("top")),
    order,
    radius: radius === null ? undefined : Number(radius),
    labels: labelsOf(params),
  } as const;
  const { milliseconds, code, hits } = await ask(
    { kind: "search", by: "id" in by ? { row: Number(by.id) } : by, wanted },
    signal,
  );
  const { bits } = about;
  const nearest = hits.map(({ row, distance, apart, same, ties, code: own }) => ({
    ...listed(row),
    score: order === "bits" ? 1 - distance / bits : 1 - apart / 2,
    distance,
    same,
    ties,
    code: own,
  }));
  return { milliseconds, bits, code, nearest };
}

/** Images of the index, evenly spaced over those that are asked for. */
export async function images(params: URLSearchParams): Promise<{ images: Listed[] }> {
  const labels = labelsOf(params);
  const rows = [...about.names.keys()].filter((row) => !labels || labels.has(about.labels[row]));
  const count = Math.min(Number(params.get("top")), rows.length);
  return {
    images: Array.from({ length: count }, (_, i) => listed(rows[Math.floor((i * rows.length) / count)])),
  };
}

export const pictureOf = ({ id }: Listed, _size: "small" | "large"): string => thumbnailOf(Number(id));
