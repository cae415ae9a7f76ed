/** pipeline.yaml → a Pipeline: its profiles, each with the files that make it up. */
import { dirname, resolve } from "node:path";
import { UserError } from "../stage.ts";
import { oneLine, suggest } from "../text/index.ts";
import { compose } from "./compose.ts";
import type { SlurmSettings } from "./slurm-settings.ts";
import type { Source } from "./source.ts";
import { stageNames } from "./stages.ts";
import { type StudyFile, StudyFiles, type StudySpec } from "./study-file.ts";

export interface Pipeline {
  source: Source;
  profile?: string;
  /** The names of the profiles, in the order of the file. */
  profiles: string[];
  /** The whole study of a profile, out of all its files. @throws UserError with file:line:column of the first error */
  study(profile: string): StudySpec;
  slurm?: SlurmSettings;
}

/**
 * Reads and checks a pipeline file. The files of its profiles are read when a profile is asked for.
 * @param root the project's folder, where `schemas/` is
 * @throws UserError with file:line:column of the first error
 */
export function load(path: string, root: string): Pipeline {
  const file = resolve(path);
  const files = new StudyFiles(root, dirname(file));
  const source = files.read(file);
  const value = source.value as StudyFile;
  if (value.profiles === undefined)
    throw new UserError(
      `${source.locate([])}: "profiles" is missing. Name one study: profiles: { NAME: {} }.`,
    );
  const profiles = Object.keys(value.profiles);
  if (value.profile !== undefined && !profiles.includes(value.profile))
    throw new UserError(
      oneLine(
        `${source.locate(["profile"])} profile: no profile "${value.profile}".${suggest(value.profile, profiles)}`,
      ),
    );
  const known = new Map<string, StudySpec>();
  const study = (name: string): StudySpec => {
    if (!known.has(name)) known.set(name, compose(files, { path: file, source }, name));
    return known.get(name)!;
  };
  const pipeline: Pipeline = { source, profile: value.profile, profiles, study, slurm: value.slurm };
  checkSlurm(pipeline);
  return pipeline;
}

/** Each name in `slurm.stages` is a stage, of any profile. */
function checkSlurm({ source, slurm, profiles, study }: Pipeline): void {
  const wanted = Object.keys(slurm?.stages ?? {});
  if (wanted.length === 0) return;
  const known = profiles.flatMap((name) => stageNames(study(name)));
  for (const name of wanted)
    if (!known.includes(name))
      throw new UserError(
        oneLine(
          `${source.locate(["slurm", "stages", name])} slurm.stages.${name}: no stage "${name}".${suggest(name, known)}`,
        ),
      );
}
