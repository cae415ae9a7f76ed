/** The changes of a stage instance since a record, in words: the old value and the new one. */
import { type CodeFacts, type KeyParts, outlineChanges } from "../code/index.ts";
import type { Origin, StageRecord } from "../store/index.ts";
import { counted, listed, redacted } from "../text/index.ts";

/** Characters of a hash that are shown. */
const SHOWN = 12;

/** Characters of one name that are shown where a reason is to be short. */
const SHORT = 80;

/** The first of some items; where it is to be short, a count of several. */
const told = (items: string[], word: string, isBrief: boolean): string =>
  isBrief && items.length > 1 ? counted(items.length, word) : listed(items);

/** The changes in the files of a code, in words. @param changes as {@link outlineChanges} gives them */
function filesTold(changes: string[], isBrief: boolean): string {
  const [only] = changes;
  if (isBrief && changes.length === 1 && only.length > SHORT)
    return `several functions${only.slice(only.lastIndexOf(" in "))}`;
  return told(changes, "file", isBrief);
}

const shown = (value: unknown): string => (value === undefined ? "none" : redacted(JSON.stringify(value)));

/** `name: old → new` for every leaf of two params that differs. */
function valueChanges(name: string, before: unknown, after: unknown): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const isMap = (value: unknown) => value !== null && typeof value === "object" && !Array.isArray(value);
  if (!isMap(before) || !isMap(after)) return [`${name}: ${shown(before)} → ${shown(after)}`];
  const [b, a] = [before, after] as Record<string, unknown>[];
  return [...new Set([...Object.keys(b), ...Object.keys(a)])].flatMap((key) =>
    valueChanges(name ? `${name}.${key}` : key, b[key], a[key]),
  );
}

/** `zx 1.0.0 → 2.0.0` for every package that differs. */
function packageChanges(before: string[], after: string[]): string[] {
  const byName = (list: string[]) => {
    const versions = new Map<string, string[]>();
    for (const one of list) {
      const cut = one.lastIndexOf("@");
      versions.set(one.slice(0, cut), [...(versions.get(one.slice(0, cut)) ?? []), one.slice(cut + 1)]);
    }
    return versions;
  };
  const [old, now] = [byName(before), byName(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((name) => {
    const [was, is] = [old.get(name)?.join(" and ") ?? "none", now.get(name)?.join(" and ") ?? "none"];
    return was === is ? [] : [`${name} ${was} → ${is}`];
  });
}

/** The changes in a code, as `: …` after a word for it; "" where the outline of the old one is unknown. */
function codeChanges(
  what: string,
  before: CodeFacts | undefined,
  now: CodeFacts | undefined,
  isBrief: boolean,
): string {
  if (!before || !now) return `${what} changed`;
  if (before.command !== now.command) return `its command: ${shown(before.command)} → ${shown(now.command)}`;
  const packages = packageChanges(before.packages, now.packages);
  const functions = outlineChanges(before.outline, now.outline);
  const changes = [
    ...(functions.length ? [`${what} changed: ${filesTold(functions, isBrief)}`] : []),
    ...(packages.length ? [`packages changed: ${told(packages, "package", isBrief)}`] : []),
  ];
  return changes.join("; ") || `${what} changed`;
}

const nameOf = (origin: Origin): string => ("file" in origin ? origin.file : `${origin.id}.${origin.output}`);

/** The changes in one input. */
function inputChanges(
  input: string,
  before: { hash: string; id?: string }[],
  now: { hash: string; id?: string }[],
  makersBefore: Origin[] | undefined,
  makersNow: Origin[],
  isBrief: boolean,
): string[] {
  if (JSON.stringify(before) === JSON.stringify(now)) return [];
  const old = before.map(({ hash, id }, index) => ({
    hash: hash.slice(0, SHOWN),
    name: makersBefore ? nameOf(makersBefore[index]) : id,
    as: id,
  }));
  const own = now.map(({ hash, id }, index) => ({
    hash: hash.slice(0, SHOWN),
    name: nameOf(makersNow[index]),
    as: id,
  }));
  const say = (words: string) => [`the input "${input}" ${words}`];
  if (old.length !== own.length) {
    const count = (length: number) => `${length} file${length === 1 ? "" : "s"}`;
    const names = new Set(old.map(({ name }) => name));
    const added = own.filter(({ name }) => !names.has(name)).map(({ name }) => `+ ${name}`);
    const left = new Set(own.map(({ name }) => name));
    const gone = old.filter(({ name }) => name && !left.has(name)).map(({ name }) => `− ${name}`);
    return say(
      `has ${count(own.length)}, before ${old.length}${added.length + gone.length ? `: ${told([...added, ...gone], "other", isBrief)}` : ""}`,
    );
  }
  const changed = own.flatMap(({ hash, name, as }, index) => {
    const was = old[index];
    if (was.hash === hash && (was.name === undefined || was.name === name))
      return was.as === as ? [] : [`${was.as ?? "without a name"} → ${as}, the same bytes`];
    if (was.hash === hash) return [`${was.name} → ${name}, the same bytes`];
    return was.name === undefined || was.name === name
      ? [`${name} ${was.hash} → ${hash}`]
      : [`${was.name} ${was.hash} → ${name} ${hash}`];
  });
  return say(`changed: ${told(changed, "file", isBrief)}`);
}

/**
 * Everything that changed between a record and the ingredients of a key.
 * @param codes the outline of a code, by its hash
 * @param makers who makes each file of each input now
 * @param isBrief whether several changed files are counted, not named
 */
export function difference(
  record: StageRecord,
  now: KeyParts,
  codes: (hash: string) => CodeFacts | undefined,
  makers: Record<string, Origin[]>,
  isBrief = false,
): string[] {
  const changes: string[] = [];
  if (record.code !== now.code)
    changes.push(codeChanges("its code", codes(record.code), codes(now.code), isBrief));
  for (const param of new Set([...Object.keys(record.parts), ...Object.keys(now.parts)])) {
    const [before, after] = [record.parts[param], now.parts[param]];
    if (before?.name !== after?.name)
      changes.push(`${param}: ${before?.name ?? "none"} → ${after?.name ?? "none"}`);
    else {
      if (before.code !== after.code)
        changes.push(
          codeChanges(`the code of ${param} ${after.name}`, codes(before.code), codes(after.code), isBrief),
        );
      changes.push(...valueChanges(param, before.params, after.params));
    }
  }
  changes.push(...valueChanges("", record.params, now.params));
  changes.push(...valueChanges("env", record.env ?? {}, now.env ?? {}));
  for (const input of new Set([...Object.keys(record.inputs), ...Object.keys(now.inputs)]))
    changes.push(
      ...inputChanges(
        input,
        record.inputs[input] ?? [],
        now.inputs[input] ?? [],
        record.from?.[input],
        makers[input] ?? [],
        isBrief,
      ),
    );
  return changes;
}
