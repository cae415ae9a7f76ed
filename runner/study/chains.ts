/** Chains: steps that share one matrix. `NAME: { chain: C }` makes the stage STEP-NAME of each step of C. */
import { own, type Path, suggest } from "../text/index.ts";
import type { StageSpec, StudySpec } from "./study-file.ts";

/** A stage, and where its words may be, the first place first. */
export interface PlacedStage {
  spec: StageSpec;
  places: Path[];
}

/** The fields that a use of a chain may set. */
const USE_WORDS = ["chain", "vars", "inputs", "matrix"];
/** The fields that a step may not set, because its use does. */
const NO_STEP_WORDS = ["chain", "vars", "matrix"];

type Inputs = NonNullable<StageSpec["inputs"]>;

/** References to a step of the chain as references to its stage. */
function renamed(inputs: Inputs, steps: string[], use: string): Inputs {
  const one = (text: string): string => {
    const [, name] = /^([\w-]+)[.[]/.exec(text) ?? [];
    return name !== undefined && steps.includes(name) ? `${name}-${use}${text.slice(name.length)}` : text;
  };
  return Object.fromEntries(
    Object.entries(inputs).map(([input, given]) => [
      input,
      Array.isArray(given) ? given.map(one) : typeof given === "string" ? one(given) : given,
    ]),
  );
}

/** The stages of one use of a chain. */
function stagesOfUse(study: StudySpec, use: string, spec: StageSpec): [string, PlacedStage][] {
  const name = spec.chain!;
  const chain = own(study.chains, name);
  const at: Path = ["stages", use];
  if (chain === undefined)
    return study.refuse([...at, "chain"], `no chain "${name}".${suggest(name, Object.keys(study.chains))}`);
  for (const word of Object.keys(spec))
    if (!USE_WORDS.includes(word))
      study.refuse(
        [...at, word],
        `a use of a chain takes ${USE_WORDS.slice(1).join(", ")}. Write "${word}" at a step: chains.${name}.STEP.`,
      );
  const steps = Object.keys(chain);
  const first = `${steps[0]}-${use}`;
  return steps.map((step, index): [string, PlacedStage] => {
    for (const word of NO_STEP_WORDS)
      if (Object.hasOwn(chain[step], word))
        study.refuse(
          ["chains", name, step, word],
          `belongs to the use of the chain, which all its steps share: NAME: { chain: ${name}, ${word}: … }.`,
        );
    const { inputs = {}, ...others } = chain[step];
    const given = index === 0 ? (spec.inputs ?? {}) : {};
    return [
      `${step}-${use}`,
      {
        spec: {
          ...others,
          inputs: { ...renamed(inputs, steps, use), ...given },
          ...(spec.vars ? { vars: spec.vars } : {}),
          ...(spec.matrix === undefined ? {} : { matrix: index === 0 ? spec.matrix : first }),
        },
        places: [at, ["chains", name, step]],
      },
    ];
  });
}

/**
 * All stages, those of chains written out in their place.
 * @throws UserError with file:line:column for an unknown chain, and for two stages of one name
 */
export function expandChains(study: StudySpec): Record<string, PlacedStage> {
  const found: Record<string, PlacedStage> = {};
  for (const [name, spec] of Object.entries(study.stages)) {
    const own: [string, PlacedStage][] =
      spec?.chain === undefined
        ? [[name, { spec: spec ?? {}, places: [["stages", name]] }]]
        : stagesOfUse(study, name, spec);
    for (const [stage, placed] of own) {
      if (Object.hasOwn(found, stage))
        study.refuse(
          ["stages", name],
          `the stage ${stage} is there twice: as a stage, and as a step of a chain. Rename one.`,
        );
      found[stage] = placed;
    }
  }
  return found;
}
