/** The numbers of each loss and selector in the committed reports. */
import { readFileSync } from "node:fs";

/** One training of a report: the parts in its label, and the mean over seeds of each metric. */
export interface Measured {
  label: string;
  metrics: Record<string, { mean: number }>;
}

interface Report {
  protocols: Record<string, { groups: Record<string, Omit<Measured, "label">> }>;
}

/** A set of trainings that may be compared: one protocol of one report, and labels of one form. */
export interface Comparison {
  report: string;
  protocol: string;
  /** Whether a training belongs to the comparison, by the words of its label. */
  takes(words: string[]): boolean;
}

/** The words of a label, as `facenet` and `all` of `facenet · all`. */
export const wordsOf = (label: string): string[] => label.split(" · ");

/** The trainings of a comparison, the highest metric first. */
export function ranking({ report, protocol, takes }: Comparison, metric: string): Measured[] {
  const { protocols } = JSON.parse(readFileSync(`reports/${report}/metrics.json`, "utf8")) as Report;
  return Object.entries(protocols[protocol].groups)
    .filter(([label]) => takes(wordsOf(label)))
    .map(([label, { metrics }]) => ({ label, metrics }))
    .sort((a, b) => b.metrics[metric].mean - a.metrics[metric].mean);
}

/**
 * A training's metric and its rank in the comparison: `0.872 (rank 1 of 22)`.
 * @throws Error when the report has no such training
 */
export function rankOf(comparison: Comparison, label: string, metric: string): string {
  const trainings = ranking(comparison, metric);
  const place = trainings.findIndex((one) => one.label === label);
  if (place < 0) throw new Error(`reports/${comparison.report}: no training "${label}". Correct the choice.`);
  return `${number(trainings[place], metric)} (rank ${place + 1} of ${trainings.length})`;
}

/** A metric's mean over seeds, with three decimals. */
export const number = ({ metrics }: Measured, metric: string): string => metrics[metric].mean.toFixed(3);
