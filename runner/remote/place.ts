/** The interface of a place for a shared cache: it keeps bytes by name. Signatures and retries are elsewhere. */
import type { Readable } from "node:stream";

/** Thrown for one entry that must not be used or cannot be kept: a miss. The remote itself is well. */
export class Unusable extends Error {}

/** Names are relative paths, as `objects/5f/5f0c…`; all that is thrown but {@link Unusable} is an outage. */
export interface Remote {
  /** As the user wrote it. */
  readonly name: string;
  /** The bytes of a name; undefined when nothing has it. */
  read(name: string, signal: AbortSignal): Promise<Readable | undefined>;
  /** How many bytes a name has; undefined when nothing has it. */
  size(name: string, signal: AbortSignal): Promise<number | undefined>;
  /** Puts `content` there in one step: who reads meanwhile sees the old bytes or the new. */
  write(name: string, content: Content, signal: AbortSignal): Promise<void>;
}

/** The content to write: its number of bytes, and a stream of them. */
export interface Content {
  bytes: number;
  stream: Readable;
  /** sha256 of the bytes, in hex, for places that check what arrives. */
  sha256: string;
}
