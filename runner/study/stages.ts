/** The stages of a study, chains written out and defaults put in, each with the places of its words. */
import { UserError } from "../stage.ts";
import { dotted, oneLine, own, type Path, suggest } from "../text/index.ts";
import { expandChains, type PlacedStage } from "./chains.ts";
import { paramsOf } from "./command.ts";
import { mergeStage } from "./compose.ts";
import { put, type Setting } from "./settings.ts";
import type { StageSpec, StudySpec } from "./study-file.ts";

/** Every stage with the defaults of its kind. */
function placedStages(study: StudySpec): Record<string, PlacedStage> {
  return Object.fromEntries(
    Object.entries(expandChains(study)).map(([name, { spec, places }]) => {
      const below = spec.uses === undefined ? undefined : own(study.defaults, spec.uses);
      if (below === undefined) return [name, { spec, places }];
      return [name, { spec: mergeStage(below, spec), places: [...places, ["defaults", spec.uses!]] }];
    }),
  );
}

/** The names of a study's stages. */
export const stageNames = (study: StudySpec): string[] => Object.keys(expandChains(study));

/** Where a study publishes, as its files write it. */
export const publishTexts = (study: StudySpec): string[] =>
  Object.values(placedStages(study)).flatMap(({ spec }) => spec.publish ?? []);

/** The stages of one study, with what `--set` put into them. */
export class Stages {
  readonly study: StudySpec;
  readonly names: string[];
  private readonly placed: Record<string, PlacedStage>;
  private readonly settings: Setting[];

  /** @throws UserError for a `--set` of an unknown stage or param */
  constructor(study: StudySpec, settings: Setting[] = []) {
    this.study = study;
    this.placed = placedStages(study);
    this.names = Object.keys(this.placed);
    this.settings = settings;
    for (const setting of settings) if (setting.path[0] !== "vars") this.set(setting);
    for (const name of this.names) {
      const { uses, run } = this.spec(name) ?? {};
      if ((uses === undefined) !== (run === undefined)) continue;
      const others = this.names.filter((other) => other !== name);
      this.refuse(
        name,
        [],
        `needs either "uses" (a stage), "run" (a shell command) or "chain".${suggest(name, others)}`,
      );
    }
  }

  has(name: string): boolean {
    return Object.hasOwn(this.placed, name);
  }

  spec(name: string): StageSpec {
    return this.placed[name].spec;
  }

  private set(setting: Setting): void {
    const [stage, param] = setting.path;
    const refuse = (message: string): never => {
      throw new UserError(oneLine(`--set ${dotted(setting.path)}: ${message}`));
    };
    if (!this.has(stage)) refuse(this.unknown(stage));
    const spec = structuredClone(this.spec(stage));
    spec.with ??= {};
    const taken = spec.run === undefined ? undefined : paramsOf(spec);
    if (taken && !taken.has(param))
      refuse(
        `the command of ${stage} takes no "${param}".${suggest(param, [...taken]) || ` It takes ${[...taken].join(", ") || "none"}.`}`,
      );
    put(spec.with, setting, 1);
    this.placed[stage] = { ...this.placed[stage], spec };
  }

  /** The refusal of a name that is no stage; a use of a chain is told its stages. */
  unknown(name: string): string {
    const chain = own(this.study.stages, name)?.chain;
    if (chain !== undefined && this.study.chains[chain])
      return `"${name}" is a use of the chain "${chain}". Its stages are ${Object.keys(
        this.study.chains[chain],
      )
        .map((step) => `${step}-${name}`)
        .join(", ")}.`;
    return `no stage "${name}".${suggest(name, this.names)}`;
  }

  /** "file:line:column" of something of a stage, by its path below the stage; "--set …" where that put it there. */
  at(stage: string, ...path: Path): string {
    const [head, ...below] = path;
    const name = `${[stage, ...below].join(".")}.`;
    const given = this.settings.find((one) => head === "with" && name.startsWith(`${one.path.join(".")}.`));
    return given
      ? `--set ${given.path.join(".")}:`
      : this.study.locate(...this.placed[stage].places.map((place) => [...place, ...path]));
  }

  /** @throws UserError with the place of something of a stage */
  refuse(stage: string, path: Path, message: string): never {
    throw new UserError(oneLine(`${this.at(stage, ...path)} ${dotted([stage, ...path])}: ${message}`));
  }
}
