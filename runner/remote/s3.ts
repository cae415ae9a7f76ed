/**
 * A shared cache in S3 or what speaks its language. Endpoint, region and credentials come from where the AWS
 * client looks for them: AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_PROFILE, ~/.aws, the machine's role.
 */
import type { Readable } from "node:stream";
import type { S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { UserError } from "../stage.ts";
import type { Content, Remote } from "./place.ts";

type Library = typeof import("@aws-sdk/client-s3");

/** It is said once that later versions of the client need a later Node: nothing a user could act on. */
const QUIET = "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED";

/** Tries of a request, the first included; what fails longer is an outage. */
const TRIES = 2;

const isAbsent = (error: unknown) =>
  (error as S3ServiceException).$metadata?.httpStatusCode === 404 &&
  (error as S3ServiceException).name !== "NoSuchBucket";

/** The response of a request; undefined when nothing has the name. */
async function known<Answer>(request: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

class S3 implements Remote {
  readonly name: string;
  private readonly library: Library;
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly prefix: string;

  constructor(name: string, library: Library, client: S3Client, bucket: string, prefix: string) {
    this.name = name;
    this.library = library;
    this.client = client;
    this.bucket = bucket;
    this.prefix = prefix;
  }

  private place(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: this.prefix + name };
  }

  async read(name: string, abortSignal: AbortSignal): Promise<Readable | undefined> {
    const command = new this.library.GetObjectCommand(this.place(name));
    return (await known(this.client.send(command, { abortSignal })))?.Body as Readable | undefined;
  }

  async size(name: string, abortSignal: AbortSignal): Promise<number | undefined> {
    const command = new this.library.HeadObjectCommand(this.place(name));
    return (await known(this.client.send(command, { abortSignal })))?.ContentLength;
  }

  async write(name: string, { bytes, stream, sha256 }: Content, abortSignal: AbortSignal): Promise<void> {
    const command = new this.library.PutObjectCommand({
      ...this.place(name),
      Body: stream,
      ContentLength: bytes,
      ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64"),
    });
    await this.client.send(command, { abortSignal });
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
    // An endpoint of one's own is one host: buckets are in the path.
    ...(endpoint ? { forcePathStyle: true } : {}),
    // Objects are checked by their own hash; not all that speaks S3 knows the client's trailers.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  return new S3(name, library, client, bucket, prefix && `${prefix.replace(/(?<!\/)\/+$/, "")}/`);
}
