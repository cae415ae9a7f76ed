/** A record as a shared cache holds it: signed, without private fields, and checked before it counts. */
import { existsSync } from "node:fs";
import { Ajv } from "ajv";
import { keyOfRecord } from "../code/index.ts";
import type { Task } from "../plan/index.ts";
import {
  mergeFault,
  type Origin,
  outputsFault,
  RECORD_SCHEMA,
  recordFault,
  type Signer,
  type StageRecord,
  signedBy,
} from "../store/index.ts";
import { Unusable } from "./place.ts";

/** `record` is the record's text, which `signature` by the key `by` covers. */
interface Signed {
  record: string;
  by: string;
  signature: string;
}

const isSigned = new Ajv().compile<Signed>({
  type: "object",
  required: ["record", "by", "signature"],
  properties: {
    record: { type: "string" },
    by: { type: "string", pattern: "^ed25519:[A-Za-z0-9_-]{43}$" },
    signature: { type: "string", pattern: "^[A-Za-z0-9_-]+$" },
  },
});

/** The files of all outputs that some disks would merge, in words; "" for none. */
const mergedIn = ({ outputs }: StageRecord): string =>
  Object.values(outputs)
    .map(({ files = [], folders = [] }) => mergeFault([...files.map(([path]) => path), ...folders]))
    .find(Boolean) ?? "";

/**
 * The record in a shared cache's bytes, with who signed it.
 * @throws Unusable when no trusted key signed it, or it is not the record of this task as the store would write it
 */
export function opened(bytes: Buffer, key: string, task: Task, trusted: Set<string>): StageRecord {
  let signed: unknown;
  try {
    signed = JSON.parse(bytes.toString());
  } catch {}
  if (!isSigned(signed)) throw new Unusable("is no signed record");
  const { by } = signed;
  if (!trusted.has(by)) throw new Unusable(`is signed by ${by}, which trusted-keys does not list`);
  if (!signedBy(by, signed.record, signed.signature))
    throw new Unusable(`does not fit its signature by ${by}`);
  let record: StageRecord;
  try {
    record = JSON.parse(signed.record);
  } catch {
    throw new Unusable("is no signed record");
  }
  const fault = recordFault(record);
  if (fault) throw new Unusable(`is none as this version writes them (${fault})`);
  if (record.key !== key || keyOfRecord(record) !== key) throw new Unusable("is the record of another key");
  const wrong = outputsFault(record, task.outputs) || mergedIn(record);
  if (wrong) throw new Unusable(wrong);
  return { ...record, by };
}

/** A record in the form that {@link opened} reads. */
export function sealed(record: StageRecord, { publicKey, sign }: Signer): Buffer {
  const text = JSON.stringify(record);
  const signed: Signed = { record: text, by: publicKey, signature: sign(text) };
  return Buffer.from(JSON.stringify(signed));
}

/** Addresses of the web: what follows their "//" is no path of this machine. */
const URLS = /\b(https?|s3|ftp):\/\/\S*/g;
/** Where a path begins in a text, and the first name of an absolute one. */
const BEGIN = "(?:^|[\\s=\"'`(,;:[<>|&])";
const ABSOLUTE = new RegExp(`${BEGIN}/+([^\\s/"'\`]+)`, "g");
const HOME_OR_DRIVE = new RegExp(`${BEGIN}(~[\\\\/]|[A-Za-z]:[\\\\/]|\\\\\\\\|file:/)`);
const UP = new RegExp(`${BEGIN}\\.\\.[\\\\/]`);
/** Folders at the top of some system, if not of this one. */
const TOPS = new Set([
  "home",
  "root",
  "Users",
  "mnt",
  "media",
  "tmp",
  "var",
  "opt",
  "srv",
  "Volumes",
  "private",
]);

/**
 * Whether a text holds an absolute path. Of one that begins with "/" its first name must be a folder there, on this
 * machine or usually: the name of a tensor begins like that too.
 */
export function namesPath(text: string): boolean {
  const rest = text.replace(URLS, "");
  return (
    HOME_OR_DRIVE.test(rest) ||
    [...rest.matchAll(ABSOLUTE)].some(([, top]) => TOPS.has(top) || existsSync(`/${top}`))
  );
}

/** The user and the password of an address. */
const CREDENTIALS = /\w:\/\/[^\s/@]+@/;

const isPrivate = (text: string): boolean => CREDENTIALS.test(text) || namesPath(text);

/** Where a value holds a path or a password, as `params.file`; "" for nowhere. */
function placeOfPrivate(value: unknown, at: string): string {
  if (typeof value === "string") return isPrivate(value) ? at : "";
  if (value === null || typeof value !== "object") return "";
  for (const [name, inner] of Object.entries(value)) {
    const found = isPrivate(name) ? at : placeOfPrivate(inner, `${at}.${name}`);
    if (found) return found;
  }
  return "";
}

/** Stands for what others must not see. */
const HIDDEN = "(not shared)";

/** Whether a text names a file outside the project, or holds a password. */
const isOutside = (text: string): boolean => isPrivate(text) || UP.test(text);

const hidden = (text: string): string => (isOutside(text) ? HIDDEN : text);

const hiddenOrigin = (origin: Origin): Origin => ("file" in origin ? { file: hidden(origin.file) } : origin);

/** A `--set` by its name alone, where its value is private. */
const hiddenSetting = (text: string): string => (isOutside(text) ? text.replace(/=.*/s, `=${HIDDEN}`) : text);

const mapped = <Value>(map: Record<string, Value>, change: (value: Value) => Value): Record<string, Value> =>
  Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));

/** The public form of a record, with its signer. */
const MEMBERS = Object.keys(RECORD_SCHEMA.properties).filter((name) => name !== "by");
/** The members that the key covers: they cannot be changed. */
const KEYED = ["code", "parts", "params", "inputs", "env"];

/**
 * The part of a record that others may see: without paths outside the project where the key does not need them, and without
 * members that this version does not know.
 * @throws Unusable for a record that is not to be shared at all, with the reason
 */
export function shareable(record: StageRecord): StageRecord {
  const known = Object.fromEntries(Object.entries(record).filter(([name]) => MEMBERS.includes(name)));
  const place = ["id", ...KEYED].map((name) => placeOfPrivate(known[name], name)).find(Boolean);
  if (place)
    throw new Unusable(`is not shared: ${place} holds a path or a password, and its key covers that`);
  const merged = mergedIn(record);
  if (merged) throw new Unusable(`is not shared: an output ${merged}`);
  const { notes, from, run } = record;
  return {
    ...(known as unknown as StageRecord),
    notes: mapped(notes, (value) => (typeof value === "string" ? hidden(value) : value)),
    ...(from && { from: mapped(from, (origins) => origins.map(hiddenOrigin)) }),
    ...(run && { run: { ...run, settings: run.settings.map(hiddenSetting) } }),
  };
}
