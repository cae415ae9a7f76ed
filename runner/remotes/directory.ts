/** A shared cache in a folder that several machines mount. */
import { createWriteStream } from "node:fs";
import { access, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Content, Remote } from "./remote.ts";

const isAbsent = (error: unknown) => (error as NodeJS.ErrnoException).code === "ENOENT";

export class Directory implements Remote {
  readonly name: string;
  private readonly folder: string;
  private written = 0;

  /** @param folder must be there: a share that is not mounted is an outage, not an empty cache */
  constructor(folder: string) {
    this.name = folder;
    this.folder = folder;
  }

  /** What is absent while the folder itself is there; undefined for that, anything else is thrown on. */
  private async absent(error: unknown): Promise<undefined> {
    if (!isAbsent(error)) throw error;
    await access(this.folder);
    return undefined;
  }

  async read(name: string): Promise<Readable | undefined> {
    try {
      return (await open(join(this.folder, name))).createReadStream();
    } catch (error) {
      return this.absent(error);
    }
  }

  async size(name: string): Promise<number | undefined> {
    try {
      return (await stat(join(this.folder, name))).size;
    } catch (error) {
      return this.absent(error);
    }
  }

  async write(name: string, { stream }: Content, signal: AbortSignal): Promise<void> {
    await access(this.folder);
    const path = join(this.folder, name);
    // A name of its own, since several may write the same: the last one to rename it wins, and all are whole.
    const scratch = join(this.folder, "incoming", `${hostname()}-${process.pid}-${this.written++}`);
    await mkdir(dirname(scratch), { recursive: true });
    await mkdir(dirname(path), { recursive: true });
    try {
      await pipeline(stream, createWriteStream(scratch, { flush: true }), { signal });
      await rename(scratch, path);
    } catch (error) {
      await rm(scratch, { force: true });
      throw error;
    }
  }
}
