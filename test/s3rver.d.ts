/** The types of the npm package s3rver that the tests use: S3 on loopback, in a folder. */
declare module "s3rver" {
  import type { Readable } from "node:stream";

  /** Where it keeps the objects. */
  export interface S3Store {
    getResourcePath(bucket: string, key: string, resource: string): string;
    putMetadata(bucket: string, key: string, metadata: object, md5: string): Promise<void>;
    putObject(object: {
      bucket: string;
      key: string;
      content: Buffer | Readable;
      metadata: object;
    }): Promise<{ size: number; md5: string }>;
  }
  export default class S3rver {
    store: S3Store;
    constructor(options: {
      address: string;
      port: number;
      silent: boolean;
      directory: string;
      configureBuckets: { name: string }[];
    });
    run(): Promise<{ port: number }>;
    close(): Promise<void>;
  }
}
