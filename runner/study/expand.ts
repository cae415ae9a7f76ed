/** A Pipeline and a profile → the stage instances: names filled in, matrices multiplied out, inputs joined. */
import { UserError } from "../stage.ts";
import { suggest } from "../text/index.ts";
import { instancesOf, type StageInstance } from "./instances.ts";
import type { Pipeline } from "./load.ts";
import { inOrder } from "./order.ts";
import { Points } from "./points.ts";
import { References } from "./references.ts";
import { Scopes } from "./scope.ts";
import type { Setting } from "./settings.ts";
import type { SlurmSettings } from "./slurm-settings.ts";
import { Stages } from "./stages.ts";
import type { CheckRule } from "./study-file.ts";

/** A profile, ready to be planned. */
export interface Study {
  profile: string;
  check: CheckRule;
  instances: StageInstance[];
  slurm: SlurmSettings;
}

/**
 * The instances of one profile, upstream before downstream, otherwise in the order of its files.
 * @throws UserError with file:line:column for unknown stages, names, axes and ambiguous inputs
 */
export function expand(pipeline: Pipeline, profileName: string | undefined, settings: Setting[] = []): Study {
  const names = pipeline.profiles;
  const profile = profileName ?? pipeline.profile ?? names[0];
  if (!names.includes(profile))
    throw new UserError(`no profile "${profile}". Known are ${names.join(", ")}.${suggest(profile, names)}`);
  const study = pipeline.study(profile);
  const stages = new Stages(study, settings);
  const scopes = new Scopes(stages, settings);
  const points = new Points(stages, scopes);
  const references = new References(stages, points);
  const instances = stages.names.flatMap((stage) =>
    instancesOf(stage, { stages, scopes, points, references }),
  );
  return { profile, check: study.check, instances: inOrder(instances), slurm: pipeline.slurm ?? {} };
}
