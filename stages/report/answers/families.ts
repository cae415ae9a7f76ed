/** Groups that differ in their selector alone, by their loss: what the questions of losses and mining are asked of. */
import { partWords } from "../../shared/runs/words.ts";
import type { GroupSummary, ProtocolSummary } from "../numbers/summary.ts";
import { entriesOf } from "./answer.ts";

/** The groups of one loss, one for each selector, best mAP first. */
export interface Family {
  loss: string;
  /** In words. */
  name: string;
  members: { selector: string; label: string; group: GroupSummary }[];
}

/** The losses that were trained with selectors, no other axis set; the one with most selectors first. */
export function familiesOf(summary: ProtocolSummary): Family[] {
  const families = new Map<string, Family>();
  for (const [label, group] of entriesOf(summary)) {
    const { loss, selector, ...others } = group.point;
    if (!group.trained || group.distance === "hamming") continue;
    if (typeof loss !== "string" || typeof selector !== "string") continue;
    if (Object.keys(others).some((axis) => axis !== "protocol")) continue;
    const family = families.get(loss) ?? { loss, name: partWords(loss), members: [] };
    family.members.push({ selector, label, group });
    families.set(loss, family);
  }
  return [...families.values()].sort((a, b) => b.members.length - a.members.length);
}

/** The first family, and those that can be compared with it: they share selectors with it. */
export function comparable([first, ...others]: Family[]): Family[] {
  if (!first) return [];
  const own = new Set(first.members.map(({ selector }) => selector));
  return [first, ...others.filter(({ members }) => members.some(({ selector }) => own.has(selector)))];
}
