/** S3 on loopback, for the tests of the shared cache. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import S3rver from "s3rver";

export interface Loopback {
  /** What tells the AWS client, here and in child processes, to ask it. */
  env: Record<string, string>;
  /** Its bucket `shared`, where `prefix` says. */
  place(prefix: string): string;
  /** The folder that holds the bucket's files. */
  folder: string;
  close(): Promise<void>;
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
