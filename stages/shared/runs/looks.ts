/** The name in words and the colour of each group, the same in every chart and figure of a study. */
import type { Point } from "../../../runner/stage.ts";
import { axesOf, isRaw, labelOf } from "./groups.ts";
import { type Named, namesOf } from "./words.ts";

/** Lines that differ in colour alone; later ones come with dashes. */
export const COLOURS = 8;
/** Kinds of lines that differ in their dashes; charts repeat them after so many rounds of colours. */
export const ROUNDS = 4;

/** A colour, as an index, and how often the colours were used up before it. */
export interface Look {
  colour: number;
  round: number;
}

/** Vectors and codes that need no colour of their own: they are drawn in grey. */
export const GREY: Look = { colour: -1, round: 0 };

/**
 * The name that takes a colour: the selector, where there is one, so that a selector looks alike with every loss; else the method
 * without its length. Longer trainings of a method are told apart.
 */
export function methodKey(point: Point, label: string): string {
  const { bits: _, loss, selector, ...others } = point;
  const name: Point = selector === undefined ? (loss === undefined ? {} : { loss }) : { selector };
  return labelOf({ ...name, ...others }, label);
}

/** The looks of all methods, in the order in which they first come. */
export function looksOf(groups: { point: Point; label: string }[]): Map<string, Look> {
  const keys = new Set(groups.map(({ point, label }) => methodKey(point, label)));
  return new Map(
    [...keys].map((key, at) => [key, { colour: at % COLOURS, round: Math.floor(at / COLOURS) }]),
  );
}

/** How a group is shown. */
export interface Appearance extends Look {
  /** In words. */
  name: string;
}

/** By the label of a group. */
export type Appearances = Record<string, Appearance>;

/** The names and the looks of the groups of all results and trainings. The later of two with one label gives its name. */
export function appearancesOf(runs: Named[]): Appearances {
  const groups = [...new Map(runs.map((run) => [run.label, run])).values()].map(
    ({ label, point, recipe }): Named => ({ label, point: axesOf(point), recipe }),
  );
  const names = namesOf(groups);
  const looks = looksOf(groups.filter(({ label }) => !isRaw(label)));
  const shown = groups.map(({ label, point }): [string, Appearance] => {
    const look = isRaw(label) ? GREY : looks.get(methodKey(point, label))!;
    return [label, { name: names.get(label)!, ...look }];
  });
  return Object.fromEntries(shown);
}

/**
 * The looks of the lines of one panel. Where two have one look, as codes of one method at several lengths, the later one
 * takes the next dashes.
 */
export function distinctLooks(labels: string[], groups: Appearances): Map<string, Look> {
  const taken = new Set<string>();
  return new Map(
    labels.map((label) => {
      const { colour, round: first } = groups[label] ?? GREY;
      let round = first % ROUNDS;
      for (let tries = 1; tries < ROUNDS && taken.has(`${colour} ${round}`); tries++)
        round = (round + 1) % ROUNDS;
      taken.add(`${colour} ${round}`);
      return [label, { colour, round }];
    }),
  );
}

/** The title of a drawing of one run: the name of its group, with the seed where there are several. */
export function titleOf({ label, point }: { label: string; point: Point }, groups: Appearances): string {
  const name = Object.hasOwn(groups, label) ? groups[label].name : label;
  return point.seed === undefined ? name : `${name}, seed ${point.seed}`;
}
