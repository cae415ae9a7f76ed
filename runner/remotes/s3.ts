/**
 * A shared cache in S3 or what speaks its language. Endpoint, region and credentials come from where the AWS
 * client looks for them: AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_PROFILE, ~/.aws, the machine's role.
 */
import type { Readable } from "node:stream";
import { UserError } from "../stage.ts";
import type { Content, Remote } from "./remote.ts";

/** What of the client is used. */
interface Client {
  send(command: object, options: { abortSignal: AbortSignal }): Promise<Record<string, unknown>>;
}
interface Library {
  S3Client: new (settings: object) => Client;
  GetObjectCommand: new (input: object) => object;
  HeadObjectCommand: new (input: object) => object;
  PutObjectCommand: new (input: object) => object;
}

/** It is said once that later versions of the client need a later Node: nothing a user could act on. */
const QUIET = "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED";

/** Tries of a request, the first included; what fails longer is an outage. */
const TRIES = 2;

const isAbsent = (error: unknown) =>
  (error as { $metadata?: { httpStatusCode?: number }; name?: string }).$metadata?.httpStatusCode === 404 &&
  (error as Error).name !== "NoSuchBucket";

class S3 implements Remote {
  readonly name: string;
  private readonly library: Library;
  private readonly client: Client;
  private readonly bucket: string;
  private readonly prefix: string;

  constructor(name: string, library: Library, client: Client, bucket: string, prefix: string) {
    this.name = name;
    this.library = library;
    this.client = client;
    this.bucket = bucket;
    this.prefix = prefix;
  }

  private place(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: this.prefix + name };
  }

  private async ask(command: object, abortSignal: AbortSignal): Promise<Record<string, unknown> | undefined> {
    try {
      return await this.client.send(command, { abortSignal });
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async read(name: string, signal: AbortSignal): Promise<Readable | undefined> {
    const found = await this.ask(new this.library.GetObjectCommand(this.place(name)), signal);
    return found?.Body as Readable | undefined;
  }

  async size(name: string, signal: AbortSignal): Promise<number | undefined> {
    const found = await this.ask(new this.library.HeadObjectCommand(this.place(name)), signal);
    return found?.ContentLength as number | undefined;
  }

  async write(name: string, { bytes, stream, sha256 }: Content, signal: AbortSignal): Promise<void> {
    const command = new this.library.PutObjectCommand({
      ...this.place(name),
      Body: stream,
      ContentLength: bytes,
      ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64"),
    });
    await this.client.send(command, { abortSignal: signal });
  }
}

/**
 * @param name `s3://BUCKET` or `s3://BUCKET/PREFIX`
 * @throws UserError when it is no such name, or the client is not installed
 */
export async function openS3(name: string): Promise<Remote> {
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(?:\/(.*))?$/.exec(name) ?? [];
  if (!bucket) throw new UserError(`--remote ${name}: must look like s3://BUCKET/PREFIX.`);
  process.env[QUIET] ??= "true";
  let library: Library;
  try {
    const client = "@aws-sdk/client-s3"; // kept out of the bundler's and the compiler's sight: optional
    library = (await import(client)) as Library;
  } catch (error) {
    throw new UserError(
      `--remote ${name}: the package @aws-sdk/client-s3 could not be loaded (${(error as Error).message.split("\n")[0]}). Install it: npm ci --include=optional`,
    );
  }
  const endpoint = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
  const client = new library.S3Client({
    maxAttempts: TRIES,
    // An endpoint of one's own is one host: buckets stand in the path.
    ...(endpoint ? { forcePathStyle: true } : {}),
    // Objects are checked by their own hash; not all that speaks S3 knows the client's trailers.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  return new S3(name, library, client, bucket, prefix && `${prefix.replace(/\/+$/, "")}/`);
}
