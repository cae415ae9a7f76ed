/** Opens the shared cache that the options name. */
import { resolve } from "node:path";
import { isFolder } from "../files/index.ts";
import { UserError } from "../stage.ts";
import { readSigner, type Store, trustedKeys } from "../store/index.ts";
import { SharedCache } from "./shared-cache.ts";

/** The user's options. */
export interface RemoteOptions {
  /** A folder, or s3://BUCKET/PREFIX. */
  remote?: string;
  remotePush?: boolean;
}

/** @throws UserError where something else is in its place; a share that is not mounted is an outage */
function folderOf(name: string, root: string): string {
  const folder = resolve(root, name);
  if (isFolder(folder) === false)
    throw new UserError(`--remote ${name}: a file. Name a folder, or s3://BUCKET/PREFIX.`);
  return folder;
}

/**
 * The shared cache that the options name; undefined for none. DEEPHASH_REMOTE_PUSH=1 stands for --remote-push.
 * @throws UserError when it cannot serve: no key is trusted, none signs, the place is no place
 */
export async function openRemote(
  options: RemoteOptions,
  root: string,
  store: Store,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<SharedCache | undefined> {
  const name = options.remote;
  const push = options.remotePush ?? process.env.DEEPHASH_REMOTE_PUSH === "1";
  if (!name) {
    if (options.remotePush)
      throw new UserError("--remote: name the shared cache to push to, a folder or s3://BUCKET/PREFIX.");
    return undefined;
  }
  const signer = push ? readSigner() : undefined;
  if (push && !signer)
    throw new UserError(
      "--remote-push: there is no key to sign with. Make one: npm run pipeline -- key. Or put it into DEEPHASH_SIGNING_KEY.",
    );
  const trusted = trustedKeys(root);
  if (trusted.size === 0 && !push)
    throw new UserError(
      `--remote ${name}: no key is trusted, so nothing from there could be used. List the public key of who pushes in the file trusted-keys.`,
    );
  const remote = name.startsWith("s3://")
    ? await (await import("./s3.ts")).openS3(name)
    : new (await import("./directory.ts")).Directory(folderOf(name, root));
  return new SharedCache(remote, store, trusted, signer, say, signal);
}
