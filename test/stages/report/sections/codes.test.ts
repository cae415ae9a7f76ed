import { describe, expect, test } from "vitest";
import type { Block, Table } from "../../../../stages/report/document/document.ts";
import type { GroupSummary, ProtocolSummary } from "../../../../stages/report/numbers/summary.ts";
import { codeBlocks, codeLines } from "../../../../stages/report/sections/codes.ts";
import { namesOf } from "../../../../stages/shared/runs/words.ts";
import { recipeFor } from "../study.ts";

function group(point: GroupSummary["point"], map: number, dim = Number(point.bits ?? 64)): GroupSummary {
  const metric = (value: number) => ({ mean: value, values: [value] });
  const { binariser, bits = 0 } = point;
  const code = { binariser: { use: String(binariser ?? "sign") }, bits };
  return {
    point,
    recipe: recipeFor({ point, ...(bits && { code }) }),
    trained: point.loss !== undefined,
    collapsed: "",
    seeds: ["1"],
    ids: ["one"],
    dim,
    distance: point.bits ? "hamming" : "euclidean",
    metrics: {
      map: { mean: map, values: [map], seeds: { low: map - 0.002, high: map + 0.002 } },
      knn_accuracy: metric(map),
      map_worst: metric(map - 0.1),
      map_best: metric(map + 0.1),
      precision_radius_2: metric(0.5),
    },
    bits: { balance: 0.02, dead: 0, correlation: 0.11, distinct: 900 },
    classes: {},
  };
}

const groups = {
  "dtsh · bits 12": group({ loss: "dtsh", bits: 12 }, 0.8),
  "dtsh · bits 48": group({ loss: "dtsh", bits: 48 }, 0.83),
  "itq · bits 12": group({ binariser: "itq", bits: 12 }, 0.3),
  "itq · bits 48": group({ binariser: "itq", bits: 48 }, 0.82),
  facenet: group({ loss: "facenet" }, 0.85),
};
const difference = (first: string, second: string, low: number, excludes_zero: boolean) => ({
  metric: "map" as const,
  first,
  second,
  difference: 0.01,
  low,
  high: 0.02,
  p: 0.01,
  p_holm: 0.01,
  excludes_zero,
});
const summary: ProtocolSummary = {
  queries: 10,
  database: 100,
  groups,
  comparisons: [
    difference("dtsh · bits 12", "itq · bits 12", 0.005, true),
    difference("dtsh · bits 48", "itq · bits 48", -0.005, false),
    difference("dtsh · bits 48", "itq · bits 12", 0.005, true),
  ],
};
/** The blocks of codes under a protocol, those that are folded, too. */
const blocksOf = (protocol: string, own: ProtocolSummary) => {
  const named = Object.entries(own.groups).map(([label, { point, recipe }]) => ({ label, point, recipe }));
  const unfold = (block: Block): Block[] =>
    block.kind === "details" ? block.blocks.flatMap(unfold) : [block];
  return codeBlocks([[protocol, own]], namesOf(named)).flatMap(unfold);
};
const tables = (protocol: string) =>
  blocksOf(protocol, summary).filter((block): block is Table => block.kind === "table");

describe("codes in the report", () => {
  test("a row a method, a column a length, the best of a length strong", () => {
    const [lengths] = tables("P1");
    expect(lengths.columns.map(({ title }) => title)).toEqual(["method", "12 bits", "48 bits"]);
    const row = (name: string) => lengths.rows.find(([cell]) => cell.text === name)!;
    expect(row("DTSH").map(({ text }) => text)).toEqual(["DTSH", "0.8000 ± 0.0020", "0.8300 ± 0.0020"]);
    expect(row("DTSH")[1].strong).toBe(true);
    expect(row("ITQ")[1].strong).toBe(false);
    expect(lengths.rows).toHaveLength(2); // no real-valued vectors
  });

  test("published numbers of this protocol alone, in a table of their own, with the unchecked ones", () => {
    const papers = (protocol: string) => tables(protocol).at(-1)!;
    const dtsh = (protocol: string) =>
      papers(protocol)
        .rows.find(([cell]) => cell.text === "DTSH")!
        .map(({ text }) => text);
    expect(dtsh("P1").slice(3)).toEqual(["0.710 †", "0.750 †", "0.765 †", "0.774"]);
    expect(dtsh("P2").at(-1)).toBe("0.926 †");
    expect(JSON.stringify(tables("official"))).not.toContain("ublished");
  });

  test("lines of the chart have intervals of measured numbers, and marks of published ones", () => {
    const names = namesOf(
      Object.entries(groups).map(([label, { point, recipe }]) => ({ label, point, recipe })),
    );
    const lines = codeLines("P1", summary, names);
    expect(lines[0]).toEqual({
      protocol: "P1",
      method: "DTSH",
      label: "dtsh · bits 12",
      learned: true,
      bits: [12, 48],
      map: [0.8, 0.83],
      low: [0.798, 0.828],
      high: [0.802, 0.832],
    });
    expect(lines.filter(({ label }) => label === undefined)).toHaveLength(7);
    expect(codeLines("official", summary, names)).toHaveLength(2);
  });

  test("ties and bits are beside each code", () => {
    const [, bits] = tables("P1");
    expect(bits.rows[0].map(({ text }) => text)).toEqual([
      "DTSH, 12 bits",
      "0.8000",
      "0.7000",
      "0.9000",
      "0.5000",
      "2",
      "900",
      "0.0",
      "0.020",
      "0.110",
    ]);
  });

  test("says which learned codes are not above itq of their length", () => {
    const words = JSON.stringify(blocksOf("P1", summary));
    expect(words).toMatch(/1 of 2 learned codes are significantly above ITQ/);
    expect(words).toMatch(/No significant difference in mAP between DTSH, 48 bits and ITQ, 48 bits/);
  });

  test("holds no code against itq on other features, nor an untrained code by the name of its axis", () => {
    const cropped = group({ views: "crop", loss: "dtsh", bits: 12 }, 0.7);
    const named = group({ method: "itq", bits: 12 }, 0.3);
    const { recipe } = groups["itq · bits 12"];
    const words = JSON.stringify(
      blocksOf("P1", {
        ...summary,
        groups: {
          "dtsh · bits 12": groups["dtsh · bits 12"],
          "crop · dtsh · bits 12": { ...cropped, recipe: { ...cropped.recipe, features: { size: 96 } } },
          "itq · bits 12": { ...named, recipe },
        },
        comparisons: [
          difference("dtsh · bits 12", "itq · bits 12", 0.005, true),
          difference("crop · dtsh · bits 12", "itq · bits 12", 0.005, true),
        ],
      }),
    );
    expect(words).toMatch(/1 of 1 learned codes are significantly above ITQ/);
    expect(words).toContain("Of the features and the length of DTSH, crop, 12 bits there is no ITQ.");
  });

  test("nothing is said where there are no codes", () => {
    expect(blocksOf("P1", { ...summary, groups: { facenet: groups.facenet } })).toEqual([]);
  });
});
