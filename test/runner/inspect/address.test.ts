import { describe, expect, test } from "vitest";
import { findNumber } from "../../../runner/inspect/address.ts";

const numbers = {
  protocols: {
    official: {
      queries: 10,
      groups: {
        "facenet · all": {
          metrics: { map: { mean: 0.5, values: [0.4, 0.6] } },
          classes: { cat: { map: 0.3 } },
        },
        "facenet · all · steps 150": { metrics: { map: { mean: 0.7, values: [0.7] } } },
        "raw features": { metrics: { map: { mean: 0.1, values: [0.1] } } },
      },
      differences: { map: { "facenet · all less raw features": { difference: 0.4 } } },
    },
  },
  words: "only",
};
const find = (query: string) => findNumber(numbers, query, "r").keys;
const group = (label: string, ...below: string[]) => ["protocols", "official", "groups", label, ...below];

describe("some words of the way name a number", () => {
  test.each<[string, string[]]>([
    ["facenet/all.map", group("facenet · all", "metrics", "map")],
    ["Facenet All map", group("facenet · all", "metrics", "map")],
    ["facenet/all/steps/150.map", group("facenet · all · steps 150", "metrics", "map")],
    ["150.map.mean", group("facenet · all · steps 150", "metrics", "map", "mean")],
    ["raw/features.map", group("raw features", "metrics", "map")],
    ["facenet/all.cat.map", group("facenet · all", "classes", "cat", "map")],
    ["facenet/all.map.values.1", group("facenet · all", "metrics", "map", "values", "1")],
    ["queries", ["protocols", "official", "queries"]],
    ["protocols.official.groups.facenet/all.metrics.map", group("facenet · all", "metrics", "map")],
  ])("%s", (query, keys) => {
    expect(find(query)).toEqual(keys);
  });
});

describe("errors list what there is", () => {
  const error = (query: string) => {
    try {
      find(query);
    } catch (fault) {
      return (fault as Error).message;
    }
    throw new Error("found");
  };
  test("a word mistyped", () => {
    expect(error("facent/all.map")).toBe(
      'r#facent/all.map: no such number. Did you mean "r#facenet/all.map"?',
    );
    // Of two unknown words, one with none near it: the list, with the other word's nearest.
    expect(error("facent/wholly.map")).toMatch(
      /^r#facent\/wholly\.map: no such number\. Did you mean "facenet"\? With map there are:\n/,
    );
    expect(error("facent/wholly.map")).toContain("  protocols.official.groups.facenet/all.metrics.map\n");
  });
  test("several that are equally near", () => {
    expect(error("mean")).toMatch(/^r#mean: 2 numbers are called so\. Write more of one:\n/);
    expect(error("mean")).not.toContain("steps"); // it has more words left out
  });
  test("nothing given, or nothing near", () => {
    expect(error("")).toMatch(/^r: name one of its numbers, as r#WORDS:\n {2}protocols\.official\n/);
    expect(error("xyzzy")).toMatch(/^r#xyzzy: no such number\. There are:\n/);
  });
});
