/** How metrics.json is to be read: who is behind each number, and how sure its change since another run is. */
import type { Compared, InputFile, Point, Reading, Result } from "../../runner/stage.ts";
import { readEvaluations } from "../shared/artifacts/metrics.ts";
import { isPerQuery, type Queries, readQueries } from "../shared/artifacts/per-query.ts";
import { random } from "../shared/compute/random.ts";
import { groupRuns, isRaw, labelOf, rawLabel } from "../shared/runs/groups.ts";
import { type Draws, drawMeans, type Scores } from "../shared/statistics/bootstrap.ts";
import { beyond, differenceOf, holm } from "./numbers/significance.ts";

/** Draws of the bootstrap. */
const RESAMPLES = 1000;
/** The 97.5 % quantile of the normal distribution. */
const NORMAL_95 = 1.959964;

interface Interval {
  low: number;
  high: number;
}
/** Of a group's metric, as metrics.json holds it. */
interface Held {
  mean: number;
  seeds?: Interval;
  queries?: Interval;
}
interface Numbers {
  protocols: Record<string, { groups: Record<string, { metrics: Record<string, Held> }> }>;
}

/** The queries of every run, by protocol and then by group. */
function queriesOf(sources: Record<string, InputFile[]>): Map<string, Map<string, Queries[]>> {
  const files = new Map((sources.queries ?? []).map((file) => [file.id, file]));
  const runs = readEvaluations(sources.metrics ?? []);
  const found = new Map<string, Map<string, Queries[]>>();
  for (const protocol of new Set(runs.map((run) => run.protocol)))
    for (const { label, members } of groupRuns(runs.filter((run) => run.protocol === protocol))) {
      const own = members.flatMap(({ id }) => files.get(id) ?? []);
      const groups = found.get(protocol) ?? new Map<string, Queries[]>();
      // A group without one of its runs has another mean.
      if (own.length === members.length && own.every(isPerQuery)) groups.set(label, own.map(readQueries));
      found.set(protocol, groups);
    }
  return found;
}

const scoresOf = (runs: Queries[], metric: string): Scores => ({
  seeds: runs.map(({ point }) => String(point.seed)),
  runs: runs.map(({ columns }) => columns[metric]),
});

const sameQueries = (a: Queries, b: Queries): boolean =>
  a.ids.length === b.ids.length && a.ids.every((id, at) => id === b.ids[at]);

const count = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;

/** How far a mean may be off, by its intervals: over seeds and over queries, which say different things. */
function deviationOf({ seeds, queries }: Held): number | undefined {
  const widths = [seeds, queries].flatMap((one) => (one ? [(one.high - one.low) / 2 / NORMAL_95] : []));
  return widths.length ? Math.hypot(...widths) : undefined;
}

/** A difference from the intervals of both, as if they had nothing in common: never too sure. */
function fromIntervals(before: Held, now: Held): Pick<Compared, "low" | "high" | "p" | "how"> {
  const [a, b] = [deviationOf(before), deviationOf(now)];
  if (a === undefined || b === undefined) return { how: "no interval" };
  const deviation = Math.hypot(a, b);
  const difference = now.mean - before.mean;
  return {
    low: difference - NORMAL_95 * deviation,
    high: difference + NORMAL_95 * deviation,
    p: difference === 0 ? 1 : deviation > 0 ? beyond(difference / deviation) : 0,
    how: "the 95 % intervals",
  };
}

/** Resamples queries and seeds for all groups of a protocol that both sides know query by query. */
function pairedOf(
  before: Map<string, Queries[]>,
  now: Map<string, Queries[]>,
  metric: string,
): Map<string, { was: Draws; is: Draws; how: string }> {
  const first = [...now.values()][0]?.[0];
  const labels = [...now.keys()].filter((label) =>
    [...(before.get(label) ?? []), ...now.get(label)!].every(
      (run) => run.columns[metric] && sameQueries(run, first) && before.has(label),
    ),
  );
  if (labels.length === 0) return new Map();
  const draws = drawMeans(
    labels.flatMap((label) => [scoresOf(before.get(label)!, metric), scoresOf(now.get(label)!, metric)]),
    RESAMPLES,
    random(1, "diff"),
  );
  return new Map(
    labels.map((label, index) => {
      const runs = now.get(label)!;
      const paired =
        scoresOf(before.get(label)!, metric).seeds.join() === scoresOf(runs, metric).seeds.join();
      const seeds =
        runs.length > 1 ? ` and ${count(runs.length, "seed")}${paired ? "" : " (not paired)"}` : "";
      return [
        label,
        {
          was: draws[2 * index],
          is: draws[2 * index + 1],
          how: `paired, ${count(first.ids.length, "query").replace("querys", "queries")}${seeds}`,
        },
      ];
    }),
  );
}

function compare(before: Result, now: Result): Compared[] {
  const [was, is] = [before.numbers as Numbers, now.numbers as Numbers];
  const [oldQueries, newQueries] = [queriesOf(before.sources), queriesOf(now.sources)];
  const found: Compared[] = [];
  for (const [protocol, { groups }] of Object.entries(is.protocols)) {
    const old = was.protocols[protocol]?.groups ?? {};
    const both = Object.entries(groups).filter(([label]) => Object.hasOwn(old, label));
    for (const metric of new Set(both.flatMap(([, group]) => Object.keys(group.metrics)))) {
      const paired = pairedOf(
        oldQueries.get(protocol) ?? new Map(),
        newQueries.get(protocol) ?? new Map(),
        metric,
      );
      for (const [label, group] of both) {
        const [held, last] = [group.metrics[metric], old[label].metrics[metric]];
        if (!held || !last) continue;
        const difference = held.mean - last.mean;
        const drawn = paired.get(label);
        found.push({
          path: ["protocols", protocol, "groups", label, "metrics", metric],
          before: last.mean,
          now: held.mean,
          difference,
          ...(drawn
            ? { ...differenceOf(drawn.is, drawn.was, difference), how: drawn.how }
            : fromIntervals(last, held)),
        });
      }
    }
  }
  const tested = found.filter(({ p }) => p !== undefined);
  const corrected = holm(tested.map(({ p }) => p!));
  for (const [index, one] of tested.entries()) one.p = corrected[index];
  return found;
}

/** The instances of an input that make up a group; with an index, the one of that place among its seeds. */
function membersOf(
  makers: { input: string; id: string; point: Point }[],
  input: string,
  label: string,
  protocol?: string,
  index?: string,
): string[] {
  const named = isRaw(label) ? rawLabel : (point: Point) => labelOf(point, "");
  const own = makers
    .filter((maker) => maker.input === input)
    .filter(
      ({ point }) => point.protocol === undefined || protocol === undefined || point.protocol === protocol,
    )
    .map((maker) => ({ ...maker, label: named(maker.point) || maker.id }));
  // A longer name than that of the axes is given where runs of one name were not made alike: all of these are behind it.
  const members =
    groupRuns(own).find((group) => label === group.label || label.startsWith(`${group.label} (`))?.members ??
    [];
  const one = index === undefined ? undefined : members[Number(index)];
  return (one ? [one] : members).map(({ id }) => id);
}

const reading: Reading = {
  output: "metrics",
  makers([top, name, kind, label, ...below], makers) {
    if (top === "protocols" && kind === "groups" && label) {
      const index = below[2] === "values" ? below[3] : undefined;
      return membersOf(makers, "metrics", label, name, index);
    }
    if (top === "protocols" && kind === "differences" && below[0])
      return below[0].split(" less ").flatMap((one) => membersOf(makers, "metrics", one, name));
    if (top === "validation" && name === "choices" && kind) return [kind];
    if (top === "validation" && name === "trainings" && kind)
      return membersOf(
        makers,
        "histories",
        kind,
        undefined,
        label === "best_validation_map" ? below[0] : undefined,
      );
    return [];
  },
  compare,
  covers([top, , kind, , part, ...below]) {
    if (top !== "protocols") return false;
    return (
      kind === "differences" ||
      (kind === "groups" && ["metrics", "classes"].includes(part) && below.length > 1)
    );
  },
};

export default reading;
