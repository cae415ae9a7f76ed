/** The answers of a study to its questions; a question that its numbers do not touch is left out. */
import { publishedUnder } from "../../shared/runs/published.ts";
import type { ProtocolSummary, Summary } from "../numbers/summary.ts";
import { type Answer, addressOf, barOf, entriesOf, type Numbers, seedsOf, told } from "./answer.ts";
import { bits, published } from "./bits.ts";
import { losses } from "./losses.ts";
import { mining } from "./mining.ts";
import { pretrained } from "./pretrained.ts";
import { steps } from "./steps.ts";

/** Groups that the chart of the best shows. */
const SHOWN = 4;

/** The best result, where no other question applies. */
function best(numbers: Numbers): Answer {
  const groups = entriesOf(numbers.summary);
  const [label, group] = groups[0];
  return {
    id: "best",
    question: "Which representation is best?",
    lines: [
      `${numbers.names.get(label)} has the highest mAP, ${told(group.metrics.map)}, ${seedsOf(group)}.`,
      `Its kNN accuracy is ${told(group.metrics.knn_accuracy)}.`,
    ],
    measure: "mAP",
    bars: groups.slice(0, SHOWN).map(([name, one]) => barOf(numbers.names.get(name)!, name, one)),
    addresses: [addressOf(numbers, label, "map")],
  };
}

/** The protocol in which a question has most to be answered from: that of published numbers, that of most groups. */
const byWeight = (protocols: Record<string, ProtocolSummary>): [string, ProtocolSummary][] =>
  Object.entries(protocols).sort(
    ([a, one], [b, other]) =>
      Object.keys(other.groups).length - Object.keys(one.groups).length ||
      publishedUnder(b).length - publishedUnder(a).length,
  );

/**
 * The answers, in the order of the questions.
 * @param names of the groups in words
 * @param folder where the report is published: addresses begin with it
 */
export function answersOf(
  { protocols, trainings }: Summary,
  names: Map<string, string>,
  folder: string,
): Answer[] {
  const all = byWeight(protocols).map(
    ([protocol, summary]): Numbers => ({ protocol, summary, names, folder }),
  );
  const asked = [pretrained, losses, (one: Numbers) => mining(one, trainings), steps, bits, published];
  const found = asked.flatMap((ask) => all.flatMap((numbers) => ask(numbers) ?? []).slice(0, 1));
  return found.length ? found : all.map(best).slice(0, 1);
}
