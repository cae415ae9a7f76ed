/** The top of the page: the numbers that matter most, and what they support. */
import { isRaw } from "../../shared/runs/groups.ts";
import { type Block, type Card, type Item, list, madeAnchor, text } from "../document/document.ts";
import type { Comparison, GroupMetric, ProtocolSummary, Summary } from "../numbers/summary.ts";
import { lostTo, sentence } from "./comparisons.ts";
import { range } from "./results.ts";

/** A metric of a group with its intervals. */
function cardOf(title: string, label: string, { mean, seeds, queries }: GroupMetric): Card {
  return {
    title,
    value: mean.toFixed(3),
    notes: [
      label,
      ...(seeds ? [`95 % over seeds: ${range(seeds).text}`] : []),
      ...(queries ? [`95 % over queries: ${range(queries).text}`] : []),
    ],
    to: madeAnchor(label),
  };
}

const found = (comparison: Comparison): Item => ({
  text: sentence(comparison),
  to: madeAnchor(comparison.first),
});

/** What the numbers of a protocol support, in sentences. */
function findings({ groups, comparisons }: ProtocolSummary): Item[] {
  const names = Object.keys(groups);
  const best = names[0];
  const maps = comparisons.filter(({ metric }) => metric === "map");
  // An untrained code says nothing of what training brings.
  const raw = maps.filter(({ first, second }) =>
    isRaw(second) ? groups[first].trained : isRaw(first) && groups[second].trained,
  );
  const above = raw.filter(({ second, excludes_zero }) => excludes_zero && isRaw(second));
  const equal = maps.filter(({ first, excludes_zero }) => first === best && !excludes_zero);
  const withRaw = raw.find(({ first }) => first === best);
  const nearest = maps.find(({ first }) => first === best);
  return [
    ...(withRaw ? [found(withRaw)] : []),
    ...(raw.length > 1
      ? [
          `${above.length} of ${raw.length} trained representations are significantly above the raw features in mAP.${lostTo(above)}`,
        ]
      : []),
    ...(nearest && nearest !== withRaw ? [found(nearest)] : []),
    ...(equal.length > 1 ? [`${equal.length} are not significantly below the best in mAP.`] : []),
  ];
}

/** Cards and findings of every protocol. */
export function headlineBlocks({ protocols, trainings }: Summary): Block[] {
  const collapsed = Object.values(trainings)
    .flat()
    .filter((run) => run.collapsed).length;
  return [
    ...Object.entries(protocols).flatMap(([protocol, summary]): Block[] => {
      const groups = Object.entries(summary.groups);
      const [best, { metrics }] = groups[0];
      const raw = groups.find(([label]) => isRaw(label) && label !== best);
      return [
        text(
          `${groups.length} representations are compared under protocol ${protocol}: ${summary.queries.toLocaleString("en-US")} queries, a database of ${summary.database.toLocaleString("en-US")}. A number leads to how it was made.`,
        ),
        {
          kind: "cards",
          cards: [
            cardOf("Highest mAP", best, metrics.map),
            cardOf("kNN accuracy of the same", best, metrics.knn_accuracy),
            ...(raw ? [cardOf("mAP to start from", raw[0], raw[1].metrics.map)] : []),
          ],
        },
        ...list(findings(summary)),
      ];
    }),
    ...(collapsed ? [text(`${collapsed} trainings show signs of collapse: see Training.`)] : []),
  ];
}
