/** The points of the charts of codes. */
import { meanSeries } from "../../../shared/statistics/means.ts";
import type { CodeLine, RadiusCurve } from "../data.ts";
import type { CurvePoint } from "./series.ts";

/** mAP by length. @param reference the line of all published numbers */
export const lengthPoints = (lines: CodeLine[], reference: string): CurvePoint[] =>
  lines.flatMap(({ method, label, bits, map, low, high }) =>
    bits.map((x, at) => ({
      x,
      y: map[at],
      ...(low && high && { low: low[at], high: high[at] }),
      line: label ?? reference,
      run: "mean",
      tip: `${method}: mAP ${map[at]} at ${x} bits`,
    })),
  );

/** Precision against recall, radius by radius, mean over the seeds of a group. */
export function radiusPoints(curves: RadiusCurve[]): CurvePoint[] {
  return [...new Set(curves.map(({ label }) => label))].flatMap((line) => {
    const own = curves.filter(({ label }) => label === line);
    const [precision, recall] = [
      meanSeries(own.map((curve) => curve.precision)),
      meanSeries(own.map((curve) => curve.recall)),
    ];
    return precision.map((y, at) => ({
      x: recall[at],
      y,
      line,
      run: "mean",
      tip: `${line}: precision ${y.toFixed(3)}, recall ${recall[at].toFixed(3)} within radius ${at}`,
    }));
  });
}
