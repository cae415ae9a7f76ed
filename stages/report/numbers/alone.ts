/** The quality of measured seconds: how they differ, and whether other work disturbed them. */
import { meanInterval } from "../../shared/statistics/intervals.ts";
import { listed } from "./kin.ts";

/** Other work on more cores than this makes itself felt. */
const QUIET = 0.1;

/** Seconds in the steps of one training, and what others did meanwhile: `others_busy` of `cores`, unless nobody measured it. */
export interface Measured {
  step_seconds: number;
  cores?: number;
  others_busy?: number;
}

/** The cores of the machines, each number once. */
export const machinesOf = (runs: Measured[]): number[] =>
  [...new Set(runs.flatMap(({ cores }) => cores ?? []))].sort((a, b) => a - b);

/** Whether all were measured with one kind of machine to themselves; undefined: nobody knows. */
export function alone(runs: Measured[]): boolean | undefined {
  if (runs.some(({ others_busy }) => others_busy === undefined)) return undefined;
  return runs.every(({ cores, others_busy }) => others_busy! <= QUIET && cores === runs[0].cores);
}

/** The other work of the machine during the trainings, in a sentence. */
export function besides(runs: Measured[]): string {
  const known = alone(runs);
  if (known === undefined) return "Other work on the machine was not measured: the seconds give no ranking.";
  const most = runs.reduce((one, other) => (other.others_busy! > one.others_busy! ? other : one));
  const cores = `${most.others_busy!.toFixed(2)} of ${most.cores} cores`;
  const machines = machinesOf(runs);
  if (machines.length > 1)
    return `They were measured on machines of ${machines.join(" and ")} cores, where other work kept ${cores} busy at most. Such seconds give no ranking.`;
  if (known) return `Each was measured alone: other work kept ${cores} busy at most.`;
  const disturbed = runs.filter(({ others_busy }) => others_busy! > QUIET).length;
  return `They were not measured alone: beside ${disturbed} of ${runs.length} trainings other work kept more than ${QUIET} cores busy, ${cores} at most. Such seconds give no ranking.`;
}

/** The time between trainings. @param groups by their labels */
export function spreadOf(groups: Record<string, Measured[]>): string {
  const rows = Object.entries(groups)
    .map(([label, runs]) => ({ label, ...meanInterval(runs.map(({ step_seconds }) => step_seconds)) }))
    .sort((a, b) => a.mean - b.mean);
  const [first, last] = [rows[0], rows[rows.length - 1]];
  const told = ({ label, mean, low, high }: (typeof rows)[number]) =>
    `${mean.toFixed(1)} s with ${label}${low === undefined ? "" : ` (95 % over runs: ${low.toFixed(1)} to ${high!.toFixed(1)})`}`;
  const runs = Object.values(groups).flat();
  const size = `Steps took from ${told(first)} to ${told(last)}, ${(last.mean / first.mean).toFixed(2)} times as long.`;
  if (!alone(runs)) return `${size} ${besides(runs)}`;
  const within = rows.filter(({ low }) => low !== undefined && low <= (first.high ?? first.mean));
  const equal = within.filter(({ label }) => label !== first.label).map(({ label }) => label);
  return `${size} ${besides(runs)} ${equal.length ? `The intervals of ${listed(equal)} reach down to that of ${first.label}.` : `No interval reaches down to that of ${first.label}.`}`;
}
