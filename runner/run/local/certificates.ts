/**
 * The certificates of NODE_EXTRA_CA_CERTS, read when a connection first needs them. Node itself reads and parses the
 * file at every start, which takes twice as long as the rest of the start, and few stages connect anywhere.
 */
import { closeSync, openSync, readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import type * as Tls from "node:tls";

/** Under this name a stage's process receives the variable, so that Node does not see it at its start. */
export const CERTIFICATES = "DEEPHASH_CA_CERTS";

/** Taken before trace.ts wraps it: what Node itself would read is no read of the stage. */
const openUntraced = openSync;

/** The part of Node's context that takes certificates; Node's own options offer none that adds to its list. */
interface Native {
  context: { addCACert(pem: Buffer): void };
}

function contentOf(file: string): Buffer {
  const descriptor = openUntraced(file, "r");
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Lets every TLS context trust the certificates of a file too, unless it is given a list of its own, as Node does. */
function trust(tls: typeof Tls, file: string): void {
  const { createSecureContext } = tls;
  let pem: Buffer | undefined;
  tls.createSecureContext = (options) => {
    const context = createSecureContext(options);
    if (options?.ca) return context;
    try {
      pem ??= contentOf(file);
      (context as unknown as Native).context.addCACert(pem);
    } catch (error) {
      process.emitWarning(`Ignoring extra certs from ${file}: ${(error as Error).message}`);
    }
    return context;
  };
  syncBuiltinESMExports();
}

/** Does so in this process or thread, and gives the variable back its name for what the stage starts. */
export function trustExtraCertificates(): void {
  const file = process.env[CERTIFICATES];
  if (!file) return;
  process.env.NODE_EXTRA_CA_CERTS = file;
  trust(require("node:tls"), file);
}
