/** Every number of the report, in one tree, from which its files are written. */

import type { Point } from "../../../runner/stage.ts";
import type { Choice as ChosenParam } from "../../shared/artifacts/choice.ts";
import { type History, trainingOf } from "../../shared/artifacts/history.ts";
import type { Evaluation } from "../../shared/artifacts/metrics.ts";
import { checkPaired, type Queries } from "../../shared/artifacts/per-query.ts";
import { random } from "../../shared/compute/random.ts";
import { collapsedAmong } from "../../shared/runs/collapse.ts";
import { byName, type Group, groupRuns } from "../../shared/runs/groups.ts";
import type { Recipe } from "../../shared/runs/recipe.ts";
import { type Draws, drawMeans, percentileInterval } from "../../shared/statistics/bootstrap.ts";
import { meanInterval } from "../../shared/statistics/intervals.ts";
import { differenceOf, holm } from "./significance.ts";
import { levelsOf, type Training, trainingGroups } from "./training.ts";

/** The metrics that are compared query by query. */
export const COMPARED = ["map", "knn_accuracy"] as const;

/** Metrics that count shared labels, and so can be above 1. */
const UNBOUNDED = /^(acg@\d+|wap)$/;

export interface Interval {
  low: number;
  high: number;
}

/** A metric of a group. */
export interface GroupMetric {
  mean: number;
  /** 95 % over seeds; not with one seed. */
  seeds?: Interval;
  /** 95 % over queries of the mean over seeds; only of metrics that are known of each query, or of one run. */
  queries?: Interval;
  /** One value a seed. */
  values: number[];
}

/** How the bits of codes are used, mean over seeds; see {@link BitUse}. */
export interface BitMeans {
  balance: number;
  dead: number;
  correlation: number;
  distinct: number;
}

/** A group under one protocol. */
export interface GroupSummary {
  point: Point;
  /** Of its first run; the others differ in their seeds. */
  recipe: Recipe;
  /** Whether labels were used to make it. */
  trained: boolean;
  /** How many of its runs rest on a training that collapsed, in words; "" for none. */
  collapsed: string;
  seeds: string[];
  ids: string[];
  dim: number;
  distance: string;
  metrics: Record<string, GroupMetric>;
  /** Of codes alone. */
  bits?: BitMeans;
  /** F1 where images have several labels. */
  classes: Record<string, { map: number; knn_accuracy: number; f1?: number }>;
}

/** `first` less `second`. */
export interface Comparison extends Interval {
  metric: (typeof COMPARED)[number];
  first: string;
  second: string;
  difference: number;
  p: number;
  /** Corrected for all pairs of this metric and protocol. */
  p_holm: number;
  excludes_zero: boolean;
}

export interface ProtocolSummary {
  queries: number;
  database: number;
  /** Best mAP first. */
  groups: Record<string, GroupSummary>;
  comparisons: Comparison[];
}

/** The artifact `choice`, with the group it was made for. */
export interface Choice extends ChosenParam {
  label: string;
  id: string;
}

export interface Summary {
  resamples: number;
  protocols: Record<string, ProtocolSummary>;
  choices: Choice[];
  /** By protocol: the validation mAP near the best of its trainings. */
  near_best: Map<string, number>;
  trainings: Record<string, Training[]>;
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Undefined where a member is no code. */
function bitMeans(members: Evaluation[]): BitMeans | undefined {
  const uses = members.flatMap(({ bits }) => bits ?? []);
  if (uses.length < members.length) return undefined;
  return {
    balance: mean(uses.map(({ balance }) => balance.mean)),
    dead: mean(uses.map(({ dead }) => dead)),
    correlation: mean(uses.map(({ correlation }) => correlation.mean)),
    distinct: mean(uses.map(({ distinct }) => distinct)),
  };
}

/** The bootstrap draws of the groups whose queries were given: by metric, by label. */
type AllDraws = Record<string, Map<string, Draws>>;

function drawsOf(groups: Group<Evaluation>[], queries: Queries[], resamples: number, seed: number): AllDraws {
  const perQuery = new Map(queries.map((run) => [run.id, run]));
  const given = groups.filter(({ members }) => members.every(({ id }) => perQuery.has(id)));
  checkPaired(given.flatMap(({ members }) => members.map(({ id }) => perQuery.get(id)!)));
  if (given.length === 0) return {};
  const drawn = COMPARED.map((metric): [string, Map<string, Draws>] => {
    const scores = given.map(({ members }) => ({
      seeds: members.map(({ point }) => String(point.seed)),
      runs: members.map(({ id }) => perQuery.get(id)!.columns[metric]),
    }));
    const draws = drawMeans(scores, resamples, random(seed, "bootstrap"));
    return [metric, new Map(given.map(({ label }, at) => [label, draws[at]]))];
  });
  return Object.fromEntries(drawn);
}

/** A metric of a group with its intervals. @param draws none where its queries were not given */
function metricOf(members: Evaluation[], name: string, draws: Draws | undefined): GroupMetric {
  const values = members.map((member) => member.metrics[name].value);
  const over = meanInterval(values);
  const most = UNBOUNDED.test(name) ? Number.POSITIVE_INFINITY : 1;
  const { low, high } = members[0].metrics[name];
  return {
    mean: over.mean,
    // Student's t does not know the ends of the scale.
    seeds:
      over.low === undefined ? undefined : { low: Math.max(0, over.low), high: Math.min(most, over.high!) },
    queries: draws ? percentileInterval(draws.queries) : members.length === 1 ? { low, high } : undefined,
    values,
  };
}

function summariseGroup(
  { label, point, members }: Group<Evaluation>,
  draws: AllDraws,
  histories: History[],
): GroupSummary {
  const metrics = Object.keys(members[0].metrics).map((name): [string, GroupMetric] => [
    name,
    metricOf(members, name, draws[name]?.get(label)),
  ]);
  const classes = Object.entries(members[0].classes).map(([name, { f1 }]) => {
    const of = (metric: "map" | "knn_accuracy" | "f1") =>
      mean(members.map((member) => member.classes[name][metric]!));
    return [
      name,
      { map: of("map"), knn_accuracy: of("knn_accuracy"), ...(f1 !== undefined && { f1: of("f1") }) },
    ];
  });
  return {
    point,
    recipe: members[0].recipe,
    trained: members[0].trained,
    collapsed: collapsedAmong(members.map(({ recipe }) => trainingOf(histories, recipe))),
    seeds: members.map(({ point: { seed } }) => String(seed ?? "")).filter(Boolean),
    ids: members.map(({ id }) => id),
    dim: members[0].dim,
    distance: members[0].distance,
    metrics: Object.fromEntries(metrics),
    bits: bitMeans(members),
    classes: Object.fromEntries(classes),
  };
}

/** Every pair of groups under every compared metric. @param groups the best first */
function compare(groups: [string, GroupSummary][], draws: AllDraws): ProtocolSummary["comparisons"] {
  return COMPARED.flatMap((metric) => {
    const order = groups.filter(([label]) => draws[metric]?.has(label));
    const pairs = order.flatMap(([first, a], index) =>
      order.slice(index + 1).map(([second, b]) => {
        const difference = a.metrics[metric].mean - b.metrics[metric].mean;
        const [own, other] = [draws[metric].get(first)!, draws[metric].get(second)!];
        return { metric, first, second, difference, ...differenceOf(own, other, difference) };
      }),
    );
    const corrected = holm(pairs.map(({ p }) => p));
    return pairs.map((pair, index) => ({
      ...pair,
      p_holm: corrected[index],
      excludes_zero: pair.low > 0 || pair.high < 0,
    }));
  });
}

function summariseProtocol(
  evaluations: Evaluation[],
  queries: Queries[],
  histories: History[],
  resamples: number,
  seed: number,
): ProtocolSummary {
  const groups = groupRuns(evaluations);
  const draws = drawsOf(groups, queries, resamples, seed);
  const summaries = groups.map((group): [string, GroupSummary] => [
    group.label,
    summariseGroup(group, draws, histories),
  ]);
  summaries.sort(([, a], [, b]) => b.metrics.map.mean - a.metrics.map.mean);
  return {
    queries: evaluations[0].queries,
    database: evaluations[0].database,
    groups: Object.fromEntries(summaries),
    comparisons: compare(summaries, draws),
  };
}

/**
 * Brings the study together. Groups are runs that differ in their seed alone; protocols stay apart.
 * @param resamples of the bootstrap
 * @throws UserError when runs of one protocol asked different queries
 */
export function summarise(
  study: { evaluations: Evaluation[]; queries: Queries[]; histories: History[]; choices: Choice[] },
  resamples: number,
  seed: number,
): Summary {
  const protocols = [...byName(study.evaluations, ({ protocol }) => protocol)].map(([protocol, own]) => [
    protocol,
    summariseProtocol(
      own,
      study.queries.filter((run) => run.protocol === protocol),
      study.histories,
      resamples,
      seed,
    ),
  ]);
  return {
    resamples,
    protocols: Object.fromEntries(protocols),
    choices: study.choices,
    near_best: levelsOf(study.histories),
    trainings: Object.fromEntries(
      trainingGroups(study.histories).map(({ label, members }) => [
        label,
        members.map(({ summary }) => summary),
      ]),
    ),
  };
}
