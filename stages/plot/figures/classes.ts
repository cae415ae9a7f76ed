/** How good each group is on each class. */

import type { Evaluation } from "../../shared/artifacts/metrics.ts";
import { byName, groupRuns } from "../../shared/runs/groups.ts";
import type { Appearances } from "../../shared/runs/looks.ts";
import type { Figure } from "../figure.ts";

/** With more classes than this the numbers are left to the table. */
const MOST_CLASSES = 20;

/** mAP of each class as a table of shades, mean over seeds. One figure for each protocol with few enough classes. */
export function classes(evaluations: Evaluation[], appearances: Appearances): Figure[] {
  return [...byName(evaluations, ({ protocol }) => protocol)].flatMap(([protocol, own]) => {
    const names = Object.keys(own[0].classes);
    if (names.length > MOST_CLASSES) return [];
    const groups = groupRuns(own).map(({ label, members }) => ({
      label: appearances[label].name,
      mean: members.reduce((sum, { metrics }) => sum + metrics.map.value, 0) / members.length,
      members,
    }));
    groups.sort((a, b) => b.mean - a.mean);
    const values = groups.flatMap(({ label, members }) =>
      names.map((name) => {
        const mapOf = ({ classes }: Evaluation) => (Object.hasOwn(classes, name) ? classes[name].map : 0);
        const map = members.reduce((sum, member) => sum + mapOf(member), 0) / members.length;
        return { label, name, map, text: map.toFixed(2) };
      }),
    );
    const shades = values.map(({ map }) => map);
    const [low, high] = [Math.min(...shades), Math.max(...shades)];
    const figure: Figure = {
      name: `classes-${protocol}`,
      title: `mAP of each class (${protocol})`,
      caption: `mAP over the queries of each class, mean over seeds, protocol ${protocol}.`,
      alt: `Table of shades, ${groups.length} groups by ${names.length} classes, mAP from ${low.toFixed(2)} to ${high.toFixed(2)}; the table of classes has the numbers.`,
      spec: {
        data: { values },
        title: { text: `mAP of each class, protocol ${protocol}`, subtitle: "Mean over seeds" },
        width: { step: 62 },
        height: { step: 28 },
        encoding: {
          x: {
            field: "name",
            type: "nominal",
            sort: names,
            title: null,
            axis: { labelAngle: -35, orient: "bottom", ticks: false, domain: false },
          },
          y: {
            field: "label",
            type: "nominal",
            sort: groups.map(({ label }) => label),
            title: null,
            axis: { ticks: false, domain: false, labelPadding: 8 },
          },
        },
        layer: [
          {
            mark: { type: "rect", stroke: "white", strokeWidth: 2 },
            encoding: {
              color: {
                field: "map",
                type: "quantitative",
                title: "mAP",
                scale: { range: ["#f1f5f9", "#1d4f91"], domain: [low, high] },
                legend: { format: ".2f", gradientLength: 120 },
              },
            },
          },
          {
            mark: { type: "text", fontSize: 12 },
            encoding: {
              text: { field: "text" },
              color: {
                condition: { test: `datum.map > ${low + 0.6 * (high - low)}`, value: "white" },
                value: "#222222",
              },
            },
          },
        ],
      },
    };
    return [figure];
  });
}
