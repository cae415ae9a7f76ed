/** Bodies of requests: an image into a file, JSON into memory, both up to a limit. */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { open } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { size } from "../../runner/text/index.ts";
import { Refusal } from "./refusal.ts";

/** The parts of a body. It is not read on beyond `most` bytes, nor destroyed: the answer goes the same way. */
async function* chunksOf(request: IncomingMessage, most: number): AsyncGenerator<Buffer> {
  const tooLarge = () => new Refusal(413, `The body is larger than ${size(most)}.`);
  if (Number(request.headers["content-length"] ?? 0) > most) throw tooLarge();
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) throw tooLarge();
    yield chunk;
  }
  if (bytes === 0) throw new Refusal(400, "The body is empty. Send an image.");
}

/** Runs `work` on a file with the body; the file is there meanwhile. @param folder for it */
export async function withBody<T>(
  request: IncomingMessage,
  folder: string,
  most: number,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(folder, randomUUID());
  try {
    const file = await open(path, "wx", 0o600);
    try {
      for await (const chunk of chunksOf(request, most)) await file.write(chunk);
    } finally {
      await file.close();
    }
    return await work(path);
  } finally {
    rmSync(path, { force: true });
  }
}

/** A JSON body. @throws Refusal when it is none */
export async function jsonOf(request: IncomingMessage, most: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(request, most)) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new Refusal(400, "The body is no JSON.");
  }
}
