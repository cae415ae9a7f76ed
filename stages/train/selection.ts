/** Whether the parts of a training fit together; above all, who chooses the pairs or triplets. */
import { type Part, type Refusal, refusalOf, UserError } from "../../runner/stage.ts";
import { LOSSES_OF_SEVERAL, SAMPLERS_OF_SEVERAL } from "./several.ts";

const ONE_LABEL = "or, where each image has one label, declare several: false of the data set.";
const TUPLES = ["pairs", "triplets"];
/** How messages call what a loss takes. */
const taken = (selects: string) => (selects === "nothing" ? "neither pairs nor triplets" : selects);
const other = (kind: string) => TUPLES.filter((one) => one !== kind);

/** The combinations of parts that no training can work with. */
export const refusals: Refusal[] = [
  ...TUPLES.flatMap((gives) =>
    [...other(gives), "nothing"].map(
      (selects): Refusal => ({
        where: "sampler",
        when: { "sampler.gives": [gives], "loss.selects": [selects] },
        message: `the sampler "\${sampler}" gives ${gives}, but the loss "\${loss}" takes ${taken(selects)}. Take the sampler "balanced".`,
      }),
    ),
  ),
  ...TUPLES.flatMap((selects): Refusal[] => [
    {
      where: "loss",
      when: { "loss.selects": [selects], "sampler.gives": [null], selector: [null] },
      message: `the loss "\${loss}" learns from ${selects}: name a selector of ${selects}.`,
    },
    {
      where: "selector",
      when: { "loss.selects": [selects], "sampler.gives": [selects], selector: [true] },
      message: `the selector "\${selector}" has nothing to choose: the sampler "\${sampler}" gives the ${selects}. Leave it out.`,
    },
    {
      where: "selector",
      when: { "loss.selects": [selects], "sampler.gives": [null], "selector.selects": other(selects) },
      message: `the loss "\${loss}" learns from ${selects}, but the selector "\${selector}" chooses ${other(selects)[0]}. Take a selector of ${selects}.`,
    },
  ]),
  {
    where: "selector",
    when: { "loss.selects": ["nothing"], selector: [true] },
    message:
      'the selector "${selector}" has nothing to choose: the loss "${loss}" takes whole batches. Leave it out.',
  },
  {
    where: "loss",
    when: { "sampler.gives": TUPLES, "loss.params.memory": [true] },
    message:
      'the sampler "${sampler}" gives pairs or triplets of the batch, so that the memory of the loss "${loss}" has no part in them. Leave out memory, or take the sampler "balanced".',
  },
  {
    where: "loss",
    when: { "upstream.dataset.params.several": [true], "loss.several": [null, false] },
    message: `images of the data set "\${upstream.dataset}" may have several labels each, but the loss "\${loss}" takes one label an image. Take a loss that goes by whether two images share a label, as ${LOSSES_OF_SEVERAL.join(", ")}; ${ONE_LABEL}`,
  },
  {
    where: "sampler",
    when: { "upstream.dataset.params.several": [true], "sampler.several": [null, false] },
    message: `images of the data set "\${upstream.dataset}" may have several labels each, but the sampler "\${sampler}" takes one label an image. Take the sampler ${SAMPLERS_OF_SEVERAL.join(" or ")}; ${ONE_LABEL}`,
  },
  {
    where: "sampler",
    when: {
      "sampler.categories": [true],
      "sampler.params.categories": [1],
      "sampler.params.classes": [1],
    },
    message:
      'a batch of the sampler "${sampler}" would have one class, and nothing to tell apart. Take more classes, or more categories.',
  },
  {
    where: "sampler",
    when: { "upstream.dataset": [true], "upstream.dataset.categories": [null], "sampler.categories": [true] },
    message:
      'the sampler "${sampler}" draws by category, but the classes of the data set "${upstream.dataset}" have none. Take a data set with categories (sop, cifar100, or csv with a column category), or the sampler balanced.',
  },
];

/** The selector, where the loss needs one. @throws UserError when the parts do not fit together */
export function selectorFor(parts: Record<string, Part>): Part | undefined {
  const found = refusalOf(refusals, parts);
  if (found) throw new UserError(`train: ${found.message}`);
  return parts.selector;
}
