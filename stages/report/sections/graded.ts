/** The table of images with several labels: how many labels the first images share with a query, and F1 of votes. */
import { type Block, groupCell } from "../document/document.ts";
import { type Groups, means, nameOf } from "./cells.ts";

/** Whether the images of a group have several labels. */
export const hasSeveral = ([, { metrics }]: Groups[number]): boolean => "wap" in metrics;

const GRADED = /^(ndcg@\d+|acg@\d+|wap|f1_micro|f1_macro)$/;

/** One table of the groups whose images have several labels; nothing where there are none. */
export function gradedBlocks(protocol: string, groups: Groups, names: Map<string, string>): Block[] {
  const rows = groups.filter(hasSeveral);
  const metrics = [...new Set(rows.flatMap(([, group]) => Object.keys(group.metrics)))].filter((name) =>
    GRADED.test(name),
  );
  if (rows.length === 0) return [];
  const columns = metrics.map((metric) => means(rows, metric));
  return [
    {
      kind: "table",
      caption: `Graded relevance, protocol ${protocol}: images have several labels, and the gain of one is the number of labels that it shares with the query. nDCG@k: the discounted gains of the first k (2^gain - 1), by those of the best order. ACG@k: the mean gain of the first k. WAP: the mean ACG at each image that shares a label. F1: of the labels that more than half of the nearest neighbours have. Means over runs; ties as expectations.`,
      columns: [
        { title: "representation" },
        ...metrics.map((metric) => ({ title: nameOf(metric), number: true })),
      ],
      rows: rows.map(([label], index) => [
        groupCell(label, names),
        ...columns.map((column) => column[index]),
      ]),
    },
  ];
}
