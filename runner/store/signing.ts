/** Signatures of the records in a shared cache: Ed25519 (RFC 8032), with keys that are files or variables. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../stage.ts";

/** A public key as trusted-keys lists it: `ed25519:` and its 32 bytes in base64url. */
const PUBLIC_KEY = /^ed25519:[A-Za-z0-9_-]{43}$/;

/** The beginning of every signed text, so that a signature of anything else never fits. */
const PREFIX = "deephash record 1\n";

/** A pair that signs. */
export interface Signer {
  /** As trusted-keys lists it. */
  publicKey: string;
  sign(text: string): string;
}

/** The path of a person's signing key. */
export const signingKeyPath = (): string =>
  join(process.env.XDG_CONFIG_HOME || join(homedir(), ".config"), "deephash", "signing-key.pem");

function signerOf(privateKey: KeyObject): Signer {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  return {
    publicKey: `ed25519:${x}`,
    sign: (text) => signBytes(null, Buffer.from(PREFIX + text), privateKey).toString("base64url"),
  };
}

/**
 * The pair this machine signs with: out of DEEPHASH_SIGNING_KEY (the key itself in PEM, or the path of its
 * file), else out of the folder of settings. Undefined where there is none.
 * @throws UserError when the named file is no Ed25519 key
 */
export function readSigner(): Signer | undefined {
  const given = process.env.DEEPHASH_SIGNING_KEY;
  const isKey = given?.includes("-----BEGIN");
  const path = given && !isKey ? given : signingKeyPath();
  const from = isKey ? "the variable DEEPHASH_SIGNING_KEY" : path;
  if (!given && !existsSync(path)) return undefined;
  let key: KeyObject;
  try {
    key = createPrivateKey(isKey ? given! : readFileSync(path));
  } catch (error) {
    throw new UserError(
      `signing key: ${from} holds no private key in PEM (${(error as Error).message}). Make one: npm run pipeline -- key`,
    );
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw new UserError(
      `signing key: ${from} is of the kind ${key.asymmetricKeyType}, not ed25519. Make one: npm run pipeline -- key`,
    );
  return signerOf(key);
}

/** Makes a pair and writes its private half to a new file that only its owner may read. @throws when it is there */
export function makeSigner(path: string): Signer {
  const { privateKey } = generateKeyPairSync("ed25519");
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600, flag: "wx" });
  return signerOf(privateKey);
}

/** Whether `signature` is the one of `text` by the pair of `publicKey`. */
export function signedBy(publicKey: string, text: string, signature: string): boolean {
  if (!PUBLIC_KEY.test(publicKey)) return false;
  const x = publicKey.slice("ed25519:".length);
  try {
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    return verifyBytes(null, Buffer.from(PREFIX + text), key, Buffer.from(signature, "base64url"));
  } catch {
    return false; // 32 bytes that are no point of the curve
  }
}

/**
 * The public keys that the project trusts: the first word of each line of its file `trusted-keys`, and the
 * words of DEEPHASH_TRUSTED_KEYS. Text after a `#`, or after the key, is a comment.
 * @throws UserError with file:line for anything but a key
 */
export function trustedKeys(root: string): Set<string> {
  const keys = new Set<string>();
  const add = (key: string, where: string) => {
    if (!PUBLIC_KEY.test(key))
      throw new UserError(
        `${where}: ${JSON.stringify(key)} is no public key. One looks like ed25519:…, as "npm run pipeline -- key" prints it.`,
      );
    keys.add(key);
  };
  const path = join(root, "trusted-keys");
  if (existsSync(path))
    for (const [index, line] of readFileSync(path, "utf8").split("\n").entries()) {
      const [key] = line.replace(/#.*/, "").trim().split(/\s+/);
      if (key) add(key, `trusted-keys:${index + 1}`);
    }
  for (const key of (process.env.DEEPHASH_TRUSTED_KEYS ?? "").split(/[\s,]+/).filter(Boolean))
    add(key, "DEEPHASH_TRUSTED_KEYS");
  return keys;
}
