/** The first sentences of a report: the comparisons, and the best result. */
import { isRaw } from "../../shared/runs/groups.ts";
import type { GroupMetric, ProtocolSummary } from "../numbers/summary.ts";
import { range } from "./cells.ts";

/** The intervals of a mean in words; nothing where there is none. */
function intervals({ seeds, queries }: GroupMetric): string {
  const said = [
    ...(seeds ? [`over seeds ${range(seeds).text}`] : []),
    ...(queries ? [`over queries ${range(queries).text}`] : []),
  ];
  return said.length ? ` (95 %: ${said.join("; ")})` : "";
}

/** The best result and that of the raw features, for the terminal. */
export function leadOf(protocols: Record<string, ProtocolSummary>, names: Map<string, string>): string {
  return Object.entries(protocols)
    .map(([protocol, { groups, comparisons }]) => {
      const [best, { metrics, seeds }] = Object.entries(groups)[0];
      const over = seeds.length > 1 ? `, mean of ${seeds.length} seeds` : "";
      const found = `Protocol ${protocol}: the highest mAP is ${metrics.map.mean.toFixed(3)}${intervals(metrics.map)}, of ${names.get(best)}${over} (kNN accuracy ${metrics.knn_accuracy.mean.toFixed(3)}).`;
      const raw = comparisons.find(
        ({ metric, first, second }) => metric === "map" && first === best && isRaw(second),
      );
      if (!raw) return found;
      return `${found} The pretrained features have ${groups[raw.second].metrics.map.mean.toFixed(3)} (${groups[raw.second].metrics.knn_accuracy.mean.toFixed(3)}).`;
    })
    .join(" ");
}

/** The comparisons under each protocol. */
export const scopeOf = (protocols: Record<string, ProtocolSummary>): string =>
  Object.entries(protocols)
    .map(
      ([protocol, { groups, queries, database }]) =>
        `${protocol}: ${Object.keys(groups).length} representations, ${queries.toLocaleString("en-US")} queries, ${database.toLocaleString("en-US")} images in the database`,
    )
    .join("; ");
