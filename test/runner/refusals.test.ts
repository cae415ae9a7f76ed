/** Refusals that go by parts upstream, where several stages upstream have such a part. */
import { expect, test } from "vitest";
import { type Refusable, type Refusal, refusalOf } from "../../runner/stage.ts";

const dataset = (name: string, several: boolean, part: object = {}): Refusable => ({
  name,
  part,
  params: { several },
});
const refused = (refusals: Refusal[], ...datasets: Refusable[]) =>
  refusalOf(refusals, {}, { params: { metrics: ["nmi"] }, upstream: { dataset: datasets } })?.message;

const several: Refusal = {
  where: "metrics",
  when: { "upstream.dataset.params.several": [true], "params.metrics": ["nmi"] },
  message: 'no nmi of "${upstream.dataset}"',
};

test("a refusal takes every stage upstream that has the part", () => {
  expect(refused([several], dataset("lists", true))).toBe('no nmi of "lists"');
  expect(refused([several], dataset("lists", true), dataset("csv", true))).toBe('no nmi of "lists"');
  // A head that was trained on images with several labels, and the images of one label that it embeds.
  expect(refused([several], dataset("lists", true), dataset("cifar10", false))).toBeUndefined();
  expect(refused([several], dataset("cifar10", false), dataset("lists", true))).toBeUndefined();
});

test("of two conditions on a part upstream, one stage meets both", () => {
  const both: Refusal = {
    where: "sampler",
    when: { "upstream.dataset": [true], "upstream.dataset.categories": [null] },
    message: 'none in "${upstream.dataset}"',
  };
  expect(refusalOf([both], {})).toBeUndefined();
  expect(refused([both], dataset("csv", false), dataset("sop", false, { categories: true }))).toBeUndefined();
  expect(refused([both], dataset("csv", false))).toBe('none in "csv"');
  const mixed: Refusal = { ...several, when: { ...several.when, "upstream.dataset.searched": [true] } };
  expect(refused([mixed], dataset("a", true), dataset("b", false, { searched: true }))).toBeUndefined();
  expect(refused([mixed], dataset("a", true, { searched: true }))).toBe('no nmi of "a"');
});
