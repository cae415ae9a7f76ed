import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  makeSigner,
  readSigner,
  signedBy,
  signingKeyPath,
  trustedKeys,
} from "../../../runner/store/signing.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "deephash-signing-"));
  vi.stubEnv("XDG_CONFIG_HOME", root);
  vi.stubEnv("DEEPHASH_SIGNING_KEY", undefined);
  vi.stubEnv("DEEPHASH_TRUSTED_KEYS", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

test("a pair signs a text, and nothing else fits the signature", () => {
  const [one, other] = [makeSigner(join(root, "one.pem")), makeSigner(join(root, "other.pem"))];
  const signature = one.sign("text");
  expect(signedBy(one.publicKey, "text", signature)).toBe(true);
  expect(signedBy(one.publicKey, "texts", signature)).toBe(false);
  expect(signedBy(other.publicKey, "text", signature)).toBe(false);
  expect(signedBy(one.publicKey, "text", other.sign("text"))).toBe(false);
  expect(signedBy(one.publicKey, "text", "")).toBe(false);
  expect(signedBy("ed25519:", "text", signature)).toBe(false);
  expect(signedBy(`ed25519:${"_".repeat(43)}`, "text", signature)).toBe(false);
});

test("agrees with the test vector 2 of RFC 8032 on what a public key is", () => {
  // The key of 7.1 in PKCS #8: a fixed head and the 32 bytes of the secret.
  const secret = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
  const der = Buffer.from(`302e020100300506032b657004220420${secret}`, "hex").toString("base64");
  vi.stubEnv("DEEPHASH_SIGNING_KEY", `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`);
  const publicKey = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
  expect(readSigner()!.publicKey).toBe(`ed25519:${Buffer.from(publicKey, "hex").toString("base64url")}`);
});

test("the key is read from the folder of settings, from a file, or from the variable itself", () => {
  expect(readSigner()).toBeUndefined();
  const path = signingKeyPath();
  expect(path).toBe(join(root, "deephash/signing-key.pem"));
  const { publicKey } = makeSigner(path);
  expect(statSync(path).mode & 0o777).toBe(0o600); // nobody else may read it
  expect(readSigner()!.publicKey).toBe(publicKey);
  expect(() => makeSigner(path)).toThrow("EEXIST"); // a key is never lost
  const other = makeSigner(join(root, "other.pem"));
  vi.stubEnv("DEEPHASH_SIGNING_KEY", join(root, "other.pem"));
  expect(readSigner()!.publicKey).toBe(other.publicKey);
  vi.stubEnv("DEEPHASH_SIGNING_KEY", readFileSync(path, "utf8"));
  expect(readSigner()!.publicKey).toBe(publicKey);
});

test("a key that is none, or of another kind, is a fault of the user's", () => {
  vi.stubEnv("DEEPHASH_SIGNING_KEY", join(root, "none.pem"));
  expect(() => readSigner()).toThrow(/^signing key: .*none\.pem holds no private key in PEM \(ENOENT/);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  vi.stubEnv("DEEPHASH_SIGNING_KEY", privateKey.export({ format: "pem", type: "pkcs8" }) as string);
  expect(() => readSigner()).toThrow(
    "signing key: the variable DEEPHASH_SIGNING_KEY is of the kind ec, not ed25519. Make one: npm run pipeline -- key",
  );
});

test("trusted keys come from the project's file and the variable, comments apart", () => {
  expect(trustedKeys(root)).toEqual(new Set());
  const [a, b] = ["a.pem", "b.pem"].map((name) => makeSigner(join(root, name)).publicKey);
  writeFileSync(join(root, "trusted-keys"), `# who may push\n\n  ${a} ann # at home\n`);
  vi.stubEnv("DEEPHASH_TRUSTED_KEYS", `${b},`);
  expect(trustedKeys(root)).toEqual(new Set([a, b]));
  writeFileSync(join(root, "trusted-keys"), `${a}\nann ${b}\n`);
  expect(() => trustedKeys(root)).toThrow(
    'trusted-keys:2: "ann" is no public key. One looks like ed25519:…, as "npm run pipeline -- key" prints it.',
  );
});
