/** Which trainings share a panel: those that are compared with each other, and no more than one can tell apart. */
import type { PageData, RunData } from "../data.ts";

/** Lines of a panel. */
export const MOST_LINES = 8;

/** Trainings that are drawn together. */
export interface Panel {
  title: string;
  runs: RunData[];
}

const by = (runs: RunData[], key: (run: RunData) => string): Map<string, RunData[]> => {
  const found = new Map<string, RunData[]>();
  for (const run of runs) found.set(key(run), [...(found.get(key(run)) ?? []), run]);
  return found;
};

const linesIn = (runs: RunData[]): number => new Set(runs.map(({ label }) => label)).size;

/** The best validation mAP of a training. */
export const bestOf = ({ map }: RunData): number => Math.max(...map);

/** Axes that a family of selectors may have without being a variant of it. */
const PLAIN = new Set(["loss", "selector", "seed", "protocol"]);
const isVariant = ({ point }: RunData): boolean => Object.keys(point).some((axis) => !PLAIN.has(axis));

/** The variants of a family, as longer trainings, beside what they vary; undefined where there are none. */
function variantsApart({ title, runs }: Panel): Panel[] | undefined {
  const variants = runs.filter((run) => isVariant(run) && run.point.selector !== undefined);
  if (variants.length === 0 || variants.length === runs.length) return undefined;
  const varied = new Set(variants.map(({ point }) => point.selector));
  return [
    { title, runs: runs.filter((run) => !variants.includes(run)) },
    { title: `${title}, variants`, runs: runs.filter(({ point }) => varied.has(point.selector)) },
  ];
}

/** Splits what has too many lines: variants, then the length of the codes, else by rank. */
function split({ title, runs }: Panel): Panel[] {
  if (linesIn(runs) <= MOST_LINES) return [{ title, runs }];
  const apart = variantsApart({ title, runs });
  if (apart?.every((one) => linesIn(one.runs) < linesIn(runs))) return apart.flatMap(split);
  const lengths = by(runs, ({ point }) => String(point.bits ?? ""));
  if (lengths.size > 1)
    return [...lengths].flatMap(([bits, own]) =>
      split({ title: bits ? `${title}, ${bits} bits` : title, runs: own }),
    );
  const groups = [...by(runs, ({ label }) => label).values()];
  const rank = (own: RunData[]) => Math.max(...own.map(bestOf));
  groups.sort((a, b) => rank(b) - rank(a));
  const panels: Panel[] = [];
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
export function panelsOf(runs: RunData[], partName: (part: string) => string): Panel[] {
  const protocols = by(runs, ({ protocol }) => protocol);
  return [...protocols].flatMap(([protocol, own]) => {
    const losses = by(own, ({ loss_name }) => loss_name);
    const kindOf = ({ loss_name, point }: RunData): string => {
      const selectors = new Set(losses.get(loss_name)!.flatMap((run) => run.point.selector ?? []));
      if (point.bits !== undefined) return "Codes";
      return selectors.size > 1 ? partName(loss_name) : "Other losses";
    };
    const kinds = by(own, kindOf);
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
export function lineNames(labels: string[], groups: PageData["groups"]): Map<string, string> {
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
