/** mAP against the length of the code, a line a method, what is published beside it. */

import type { Evaluation } from "../../shared/artifacts/metrics.ts";
import { BRIGHT } from "../../shared/runs/colours.ts";
import { byName, groupRuns, methodOf } from "../../shared/runs/groups.ts";
import { publishedUnder } from "../../shared/runs/published.ts";
import { meanInterval } from "../../shared/statistics/intervals.ts";
import type { Figure } from "../figure.ts";
import { coloured, RAW_COLOUR } from "../theme.ts";

/** A method at one length. */
interface Dot {
  method: string;
  bits: number;
  map: number;
  low: number;
  high: number;
  /** Whether it is of a paper. */
  published: boolean;
}

/** Methods of which there is more than one length. */
function linesOf(dots: Dot[]): Dot[] {
  const lengths = byName(dots, ({ method }) => method);
  return dots.filter(({ method }) => lengths.get(method)!.length > 1);
}

/** One figure a protocol that has codes of several lengths. */
export function lengths(evaluations: Evaluation[]): Figure[] {
  const codes = evaluations.filter(({ representation }) => representation === "code");
  return [...byName(codes, ({ protocol }) => protocol)].flatMap(([protocol, own]) => {
    const measured = linesOf(
      groupRuns(own).map(({ label, point, members }): Dot => {
        const {
          mean,
          low = mean,
          high = mean,
        } = meanInterval(members.map(({ metrics }) => metrics.map.value));
        return {
          method: methodOf(label, point),
          bits: members[0].dim,
          map: mean,
          low,
          high,
          published: false,
        };
      }),
    );
    if (measured.length === 0) return [];
    const papers = publishedUnder(protocol).flatMap(({ method, backbone, map }) =>
      Object.entries(map).map(([bits, value]): Dot => {
        const name = `${method}, published (${backbone.split(",")[0]})`;
        return { method: name, bits: Number(bits), map: value, low: value, high: value, published: true };
      }),
    );
    const dots = [...measured, ...linesOf(papers)];
    const names = [...new Set(dots.map(({ method }) => method))];
    const methods = names.filter((name) => measured.some(({ method }) => method === name));
    const colours = coloured(
      methods,
      BRIGHT.filter((colour) => colour !== RAW_COLOUR), // grey is what was published
    );
    const color = {
      field: "method",
      type: "nominal",
      title: null,
      sort: names,
      scale: {
        domain: names,
        range: [...colours.range, ...names.slice(methods.length).map(() => RAW_COLOUR)],
      },
    };
    const x = {
      field: "bits",
      type: "quantitative",
      title: "bits of a code (logarithmic)",
      scale: { type: "log", base: 2, nice: false },
      axis: { values: [...new Set(dots.map(({ bits }) => bits))].sort((a, b) => a - b), format: "d" },
    };
    const y = {
      field: "map",
      type: "quantitative",
      title: "mAP",
      scale: { zero: false },
      axis: { format: ".2f" },
    };
    return [
      {
        name: `lengths-${protocol}`,
        title: `mAP by length of the code (${protocol})`,
        caption: `mAP against the length of the code, protocol ${protocol}: solid, measured here (mean over seeds, bars its 95 % interval); dashed and grey, as published, of whole networks that were trained. Methods of one length are left out.`,
        alt: measured
          .map(({ method, bits, map }) => `${method} at ${bits} bits ${map.toFixed(3)}`)
          .join(", "),
        spec: {
          data: { values: dots },
          title: {
            text: `mAP by length of the code, protocol ${protocol}`,
            subtitle: "Solid: measured here, bars are 95 % intervals over seeds; dashed: published",
          },
          width: 520,
          height: 380,
          encoding: { x, color },
          layer: [
            {
              mark: { type: "line", strokeWidth: 2 },
              encoding: {
                y,
                strokeDash: {
                  field: "published",
                  type: "nominal",
                  legend: null,
                  scale: { domain: [false, true], range: [[], [5, 4]] },
                },
              },
            },
            {
              mark: { type: "point", size: 45, opacity: 1 },
              encoding: {
                y,
                shape: {
                  field: "method",
                  type: "nominal",
                  title: null,
                  sort: names,
                  scale: { domain: names },
                },
              },
            },
            {
              transform: [{ filter: "!datum.published" }],
              mark: { type: "rule", strokeWidth: 1.5 },
              encoding: { y: { field: "low", type: "quantitative" }, y2: { field: "high" } },
            },
          ],
        },
      },
    ];
  });
}
