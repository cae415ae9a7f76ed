/** Which mining pays? */
import { partWords } from "../../shared/runs/words.ts";
import { listed } from "../numbers/kin.ts";
import type { Training } from "../numbers/training.ts";
import { type Answer, addressOf, barOf, differenceOf, type Numbers, told } from "./answer.ts";
import { type Family, familiesOf } from "./families.ts";

/** The family whose selectors are compared; undefined where no loss was trained with several. */
export const mined = ({ summary }: Numbers): Family | undefined =>
  familiesOf(summary).find(({ members }) => members.length > 1);

/** Images until a group came near the best validation mAP; undefined where a run never did. */
function imagesOf(runs: Training[] | undefined): number | undefined {
  const images = (runs ?? []).map(({ images_to_near_best }) => images_to_near_best);
  if (images.length === 0 || images.some((one) => one === null)) return undefined;
  return images.reduce<number>((sum, one) => sum + one!, 0) / images.length;
}

/** The seconds of the selectors until they come near the best, in a sentence; "" where none did. */
function costs({ members }: Family, trainings: Record<string, Training[]>): string {
  const known = members
    .map(({ label, selector, group: { point } }) => {
      const key = point.protocol === undefined ? label : `${label} · ${point.protocol}`;
      return { name: partWords(selector), images: imagesOf(trainings[key]) };
    })
    .flatMap(({ name, images }) => (images === undefined ? [] : [{ name, images }]))
    .sort((a, b) => a.images - b.images);
  if (known.length === 0) return "";
  const [first, last] = [known[0], known.at(-1)!];
  const count = (images: number) => Math.round(images).toLocaleString("en-US");
  const begin = `95 % of the best validation mAP takes ${count(first.images)} images with ${first.name}`;
  if (known.length === 1) return `${begin}; no other mining reached it in every run.`;
  return `${begin} and ${count(last.images)} with ${last.name}.`;
}

/** The selectors of the loss that has most of them. */
export function mining(numbers: Numbers, trainings: Record<string, Training[]>): Answer | undefined {
  const family = mined(numbers);
  if (!family) return undefined;
  const [top, ...others] = family.members;
  const equal = others.filter(
    ({ label }) => differenceOf(numbers.summary, top.label, label)?.excludes_zero === false,
  );
  const untested = others.filter(({ label }) => !differenceOf(numbers.summary, top.label, label));
  const collapsed = family.members.filter(({ group }) => group.collapsed);
  const words = (some: Family["members"]) => listed(some.map(({ selector }) => partWords(selector)));
  const verdict = untested.length
    ? "the differences were not tested"
    : equal.length
      ? `${words(equal)} ${equal.length === 1 ? "is" : "are"} not significantly below`
      : "significantly above all others";
  const fallen = collapsed
    .map(({ selector, group }) => `${partWords(selector)} (${group.collapsed})`)
    .join(", ");
  return {
    id: "mining",
    question: "Which mining pays?",
    lines: [
      `With ${family.name}, the highest mAP is that of ${partWords(top.selector)}, ${told(top.group.metrics.map)}: ${verdict}.${fallen ? ` Collapse: ${fallen}.` : ""}`,
      costs(family, trainings),
    ].filter(Boolean),
    measure: "mAP",
    bars: family.members.map(({ selector, label, group }) => barOf(partWords(selector), label, group)),
    addresses: [addressOf(numbers, top.label, "map")],
  };
}
