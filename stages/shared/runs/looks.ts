/** One colour for each method, the same in every chart of a report. */
import type { Point } from "../../../runner/stage.ts";
import { labelOf } from "./groups.ts";

/** Lines that differ in colour alone; later ones come with dashes. */
export const COLOURS = 8;

/** A colour, as an index, and how often the colours were used up before it. */
export interface Look {
  colour: number;
  round: number;
}

/** Vectors and codes that need no colour of their own: they are drawn in grey. */
export const GREY: Look = { colour: -1, round: 0 };

/**
 * What takes a colour: the selector, where there is one, so that a selector looks alike with every loss; else the method
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
