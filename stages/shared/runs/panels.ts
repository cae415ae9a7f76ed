/** The trainings that share a panel: those that are compared with each other, and no more than a reader can tell apart. */
import type { Point } from "../../../runner/stage.ts";
import { byName } from "./groups.ts";

/** Lines of a panel. */
export const MOST_LINES = 8;

/**
 * The methods that a chart of codes shows: the best, with the best of those that used no labels, which they must beat.
 * @param methods the best first
 * @returns also a note on the others; empty where there are none
 */
export function bestMethods<T extends { learned?: boolean }>(methods: T[]): { shown: T[]; note: string } {
  const best = methods.slice(0, MOST_LINES);
  if (best.length === methods.length) return { shown: best, note: "" };
  const baseline = methods.find(({ learned }) => !learned);
  if (!baseline || best.includes(baseline))
    return { shown: best, note: `the ${MOST_LINES} best of ${methods.length} methods` };
  return {
    shown: [...best.slice(0, -1), baseline],
    note: `the ${MOST_LINES - 1} best of ${methods.length} methods, and the best that used no labels`,
  };
}

/** A training, as far as it decides where it is drawn. */
export interface Trained {
  /** Of its group. */
  label: string;
  point: Point;
  protocol: string;
  /** The loss function: losses of different functions have no common scale. */
  loss_name: string;
  /** Validation mAP, one value an evaluation. */
  map: ArrayLike<number>;
}

/** Trainings that are drawn together. */
export interface Panel<T extends Trained = Trained> {
  title: string;
  runs: T[];
}

const linesIn = (runs: Trained[]): number => new Set(runs.map(({ label }) => label)).size;

/** The best validation mAP of a training. */
export const bestOf = ({ map }: Trained): number => Array.from(map).reduce((a, b) => Math.max(a, b), 0);

/** The groups of some trainings by their label, the best first. */
export function ranked<T extends Trained>(runs: T[]): [label: string, members: T[]][] {
  const rank = (own: T[]) => Math.max(...own.map(bestOf));
  return [...byName(runs, ({ label }) => label)].sort(([, a], [, b]) => rank(b) - rank(a));
}

/** Axes that a family of selectors may have without being a variant of it. */
const PLAIN = new Set(["loss", "selector", "seed", "protocol"]);
const isVariant = ({ point }: Trained): boolean => Object.keys(point).some((axis) => !PLAIN.has(axis));

/** The variants of a family, as longer trainings, beside what they vary; undefined where there are none. */
function variantsApart<T extends Trained>({ title, runs }: Panel<T>): Panel<T>[] | undefined {
  const variants = runs.filter((run) => isVariant(run) && run.point.selector !== undefined);
  if (variants.length === 0 || variants.length === runs.length) return undefined;
  const varied = new Set(variants.map(({ point }) => point.selector));
  return [
    { title, runs: runs.filter((run) => !variants.includes(run)) },
    { title: `${title}, variants`, runs: runs.filter(({ point }) => varied.has(point.selector)) },
  ];
}

/** Splits what has too many lines: variants, then the length of the codes, else by rank. */
function split<T extends Trained>({ title, runs }: Panel<T>): Panel<T>[] {
  if (linesIn(runs) <= MOST_LINES) return [{ title, runs }];
  const apart = variantsApart({ title, runs });
  if (apart?.every((one) => linesIn(one.runs) < linesIn(runs))) return apart.flatMap(split);
  const lengths = byName(runs, ({ point }) => String(point.bits ?? ""));
  if (lengths.size > 1)
    return [...lengths].flatMap(([bits, own]) =>
      split({ title: bits ? `${title}, ${bits} bits` : title, runs: own }),
    );
  const groups = ranked(runs).map(([, members]) => members);
  const panels: Panel<T>[] = [];
  for (let at = 0; at < groups.length; at += MOST_LINES) {
    const end = Math.min(groups.length, at + MOST_LINES);
    panels.push({ title: `${title}, rank ${at + 1} to ${end}`, runs: groups.slice(at, end).flat() });
  }
  return panels;
}

/**
 * The panels of a study: under each protocol, a panel for each loss that was trained with several selectors, one for the
 * codes, one for the others.
 * @param names of losses, in words
 */
export function panelsOf<T extends Trained>(runs: T[], partName: (part: string) => string): Panel<T>[] {
  const protocols = byName(runs, ({ protocol }) => protocol);
  return [...protocols].flatMap(([protocol, own]) => {
    const losses = byName(own, ({ loss_name }) => loss_name);
    const kindOf = ({ loss_name, point }: T): string => {
      const selectors = new Set(losses.get(loss_name)!.flatMap((run) => run.point.selector ?? []));
      if (point.bits !== undefined) return "Codes";
      return selectors.size > 1 ? partName(loss_name) : "Other losses";
    };
    const kinds = byName(own, kindOf);
    const titles = [...kinds].sort(([, a], [, b]) => linesIn(b) - linesIn(a));
    return titles.flatMap(([title, members]) =>
      split({
        title: [
          kinds.size === 1 && title === "Other losses" ? "All losses" : title,
          protocols.size > 1 ? protocol : "",
        ]
          .filter(Boolean)
          .join(", "),
        runs: members,
      }),
    );
  });
}

/** The words of a line: its name, less what all lines of the panel have in common at both ends. */
export function lineNames(labels: string[], groups: Record<string, { name: string }>): Map<string, string> {
  const names = labels.map((label) => (groups[label]?.name ?? label).split(", "));
  let shared = 0;
  while (
    names.length > 1 &&
    names.every((words) => words.length > shared + 1 && words[shared] === names[0][shared])
  )
    shared++;
  let last = 0;
  while (
    names.length > 1 &&
    names.every((words) => words.length > shared + last + 1 && words.at(-1 - last) === names[0].at(-1 - last))
  )
    last++;
  return new Map(
    labels.map((label, at) => [label, names[at].slice(shared, names[at].length - last).join(", ")]),
  );
}
