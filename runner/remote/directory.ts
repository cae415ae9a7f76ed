/**
 * A shared cache in a folder that several machines mount. Others may write there too: below the folder no link is
 * followed, and nothing but regular files is opened.
 */
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { access, lstat, mkdir, realpath, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { openPlain } from "../files/index.ts";
import { UserError } from "../stage.ts";
import { closed } from "./entry.ts";
import { type Content, type Remote, Unusable } from "./place.ts";

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

export class Directory implements Remote {
  readonly name: string;
  private readonly folder: string;

  /** @param folder must be there: a share that is not mounted is an outage, not an empty cache */
  constructor(folder: string) {
    this.name = folder;
    this.folder = folder;
  }

  /** Undefined for a missing file while the folder itself exists; any other error is thrown on. */
  private async absent(error: unknown): Promise<undefined> {
    if (error instanceof UserError) throw new Unusable("is no regular file");
    if (codeOf(error) === "ENOTDIR") throw new Unusable("has a file in the place of its folder");
    if (codeOf(error) !== "ENOENT") throw error;
    await access(this.folder);
    return undefined;
  }

  /** @throws Unusable when a folder on the way to a name is a link, or no folder */
  private async checkWay(name: string): Promise<void> {
    const parent = dirname(name);
    const [base, real] = await Promise.all([realpath(this.folder), realpath(join(this.folder, parent))]);
    if (real !== join(base, parent)) throw new Unusable(`is behind a link (${parent} points to ${real})`);
  }

  async read(name: string): Promise<Readable | undefined> {
    try {
      await this.checkWay(name);
      return (await openPlain(join(this.folder, name))).createReadStream();
    } catch (error) {
      return this.absent(error);
    }
  }

  async size(name: string): Promise<number | undefined> {
    try {
      await this.checkWay(name);
      const stats = await lstat(join(this.folder, name));
      if (!stats.isFile()) throw new Unusable("is no regular file");
      return stats.size;
    } catch (error) {
      return this.absent(error);
    }
  }

  /** Makes the folders above a name, one by one. @throws Unusable when a link or a file is in their place */
  private async makeWay(name: string): Promise<void> {
    let at = this.folder;
    for (const word of dirname(name).split("/")) {
      at = join(at, word);
      await mkdir(at).catch((error) => {
        if (codeOf(error) !== "EEXIST") throw error;
      });
      if (!(await lstat(at)).isDirectory())
        throw new Unusable(`cannot be kept: ${at} is a link or no folder`);
    }
  }

  async write(name: string, { stream }: Content, signal: AbortSignal): Promise<void> {
    // A name that nobody can guess: no link can be in its place, and of several who write the same the last one wins.
    const incoming = `incoming/${randomUUID()}`;
    await this.makeWay(incoming);
    await this.makeWay(name);
    const scratch = join(this.folder, incoming);
    const file = createWriteStream(scratch, { flags: "wx", flush: true });
    try {
      await pipeline(stream, file, { signal });
      await this.checkWay(name); // which may have changed while the bytes went
      await rename(scratch, join(this.folder, name)).catch((error) => {
        if (!["EISDIR", "ENOTEMPTY", "EEXIST"].includes(codeOf(error) ?? "")) throw error;
        throw new Unusable("has a folder in its place");
      });
    } catch (error) {
      await closed(file);
      await rm(scratch, { force: true });
      throw error;
    }
  }
}
