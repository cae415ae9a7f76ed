/** How runs become panels and lines: the axis that is compared takes the colour, the others the panels. */
import { type Group, groupRuns } from "../shared/groups.ts";

/** The axes that take the colour where they are there; else the last one does. */
const COLOURED = ["selector"];

/** A group with its panel and the name of its line. */
export interface Line<T> extends Group<T> {
  panel: string;
  line: string;
}

/** Groups with their panel and line. What has one axis alone is drawn in one panel. */
export function linesOf<T extends { point: Record<string, string | number | boolean> }>(
  runs: T[],
): Line<T>[] {
  return groupRuns(runs).map((group) => {
    const axes = Object.keys(group.point);
    const coloured = COLOURED.find((axis) => axis in group.point) ?? axes.at(-1);
    const name = (axis: string) => {
      const value = group.point[axis];
      return typeof value === "string" ? value : `${axis} ${value}`;
    };
    return {
      ...group,
      line: coloured === undefined ? group.label : name(coloured),
      panel: axes
        .filter((axis) => axis !== coloured)
        .map(name)
        .join(" · "),
    };
  });
}

/** Names in the order in which they first stand. */
export const distinct = (names: string[]): string[] => [...new Set(names)];

/**
 * The mean of several series, place by place, as far as all of them go: after that the ones that stopped early
 * would make a step that no training made.
 */
export function meanSeries(series: ArrayLike<number>[]): number[] {
  const length = Math.min(...series.map((one) => one.length));
  return Array.from({ length }, (_, at) => series.reduce((sum, one) => sum + one[at], 0) / series.length);
}
