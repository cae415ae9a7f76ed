/** The requests of the page to its server. */

export interface Health {
  index: string;
  images: number;
  bits: number;
  classes: string[];
}

/** An image of the index. */
export interface Listed {
  id: string;
  image: string;
  class: string;
}

/** One that was found. */
export interface Found extends Listed {
  score: number;
  distance: number;
  same: boolean;
  ties: number;
  code: string;
}

export interface Answer {
  milliseconds: number;
  bits: number;
  code: string;
  nearest: Found[];
}

/** An image that was encoded: what it is searched by. */
export interface Encoded {
  outputs: number[];
  content: string;
  /** Of a server: the encoder, which may be replaced with the index. */
  encoder?: string;
}

async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new Error("The server does not answer. Is it still running?");
  }
  const body = (await response.json().catch(() => ({}))) as { error?: string };
  const { status } = response;
  if (!response.ok)
    throw Object.assign(new Error(body.error ?? `The server answers with ${status}.`), { status });
  return body as T;
}

export const health = () => ask<Health>("/health");

export async function encode(image: Blob, signal: AbortSignal): Promise<Encoded> {
  const { outputs, content, encoder } = await ask<Encoded>("/encode", {
    method: "POST",
    body: image,
    headers: { "Content-Type": image.type || "application/octet-stream" },
    signal,
  });
  return { outputs, content, encoder };
}

export const search = (by: { id: string } | Encoded, params: URLSearchParams, signal: AbortSignal) =>
  ask<Answer>(`/search?${params}`, {
    method: "POST",
    body: JSON.stringify(by),
    headers: { "Content-Type": "application/json" },
    signal,
  });

export const images = (params: URLSearchParams, signal: AbortSignal) =>
  ask<{ images: Listed[] }>(`/images?${params}`, { signal });

export const pictureOf = ({ id }: Listed, size: "small" | "large") => `/image/${id}?size=${size}`;
