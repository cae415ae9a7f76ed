/** S3 on loopback, for the tests of the shared cache. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import pLimit from "p-limit";
import S3rver, { type S3Store } from "s3rver";

export interface Loopback {
  /** The environment that points the AWS client to it, here and in child processes. */
  env: Record<string, string>;
  /** Its bucket `shared`, where `prefix` says. */
  place(prefix: string): string;
  /** The folder that holds the bucket's files. */
  folder: string;
  close(): Promise<void>;
}

/** Lets an object appear whole and at once, as S3 does: s3rver itself writes in place, and answers before the end. */
function makeAtomic(store: S3Store): void {
  const oneAtATime = pLimit(1);
  store.putObject = async ({ bucket, key, content, metadata }) => {
    const bytes = Buffer.isBuffer(content) ? content : await buffer(content);
    const md5 = createHash("md5").update(bytes).digest("hex");
    return oneAtATime(async () => {
      const path = store.getResourcePath(bucket, key, "object");
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(`${path}.incoming`, bytes);
      renameSync(`${path}.incoming`, path);
      await store.putMetadata(bucket, key, metadata, md5);
      return { size: bytes.length, md5 };
    });
  };
}

/** Starts it, with an empty bucket `shared`. */
export async function startLoopback(): Promise<Loopback> {
  const folder = mkdtempSync(join(tmpdir(), "deephash-s3-"));
  const server = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory: folder,
    configureBuckets: [{ name: "shared" }],
  });
  makeAtomic(server.store);
  const { port } = await server.run();
  return {
    env: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "S3RVER",
      AWS_SECRET_ACCESS_KEY: "S3RVER",
    },
    place: (prefix) => `s3://shared/${prefix}`,
    folder,
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
