/** The options that commands share. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { valueBy, wholeFrom } from "../arguments/index.ts";
import { given, givenSource } from "../files/index.ts";
import type { RemoteOptions } from "../remote/index.ts";
import type { Setting } from "../study/index.ts";
import { bytesOf, yamlValue } from "../text/index.ts";
import { remoteOption } from "./commands/index.ts";

export interface Options extends RemoteOptions {
  profile?: string;
  pipeline: string;
  cache: string;
  set: Setting[];
  only: string[];
  from: string[];
  force?: boolean;
  jobs?: number;
  executor: "local" | "slurm";
  detach?: boolean;
  memory?: number;
  gpus?: number;
  mirror?: string;
  keepGoing?: boolean;
  debug?: boolean;
  strict?: boolean;
  quiet?: boolean;
  jsonLines?: boolean;
  /** Of why and explain: show every line. */
  all?: boolean;
}

const memory = valueBy((text) => bytesOf(text) || undefined, "Write a size, as in 500MB or 16GB.");

/** `train.loss.margin=0.3` */
function setting(text: string, before: Setting[]): Setting[] {
  const cut = text.indexOf("=");
  const path = text.slice(0, cut).split(".");
  if (cut < 1 || path.length < 2 || path.includes(""))
    throw new InvalidArgumentError("Write stage.param=value or vars.name=value.");
  const value = yamlValue(text.slice(cut + 1), (message) => {
    throw new InvalidArgumentError(`Its value: ${message}`);
  });
  return [...before, { path, value }];
}

/** `a,b` and repeated; a comma within [...] belongs to the instance's name. */
export const several = (text: string, before: string[]): string[] => [
  ...before,
  ...(text.match(/(?:[^,[]|\[[^\]]*\]?)+/g) ?? [text]),
];

/** The options of every command that reads the study. */
export function withOptions(command: Command): Command {
  return command
    .optionsGroup("Study:")
    .option("-p, --profile <name>", "the profile of pipeline.yaml (default: the one it names)")
    .option(
      "--set <stage.param=value>",
      "replace the value of a param, or of a var (vars.NAME=VALUE); repeatable",
      setting,
      [],
    )
    .option("--pipeline <file>", "the pipeline file", (path) => givenSource(path), "pipeline.yaml")
    .option("--cache <folder>", "the store", (path) => given(path), "cache")
    .option("--debug", "print stack traces");
}

/** The options of the commands that run stages. */
export function withRunOptions(command: Command): Command {
  return withOptions(command)
    .optionsGroup("Stages:")
    .option("--only <stage>", "run this stage and those it depends on; repeatable", several, [])
    .option("--from <stage>", "rerun this stage and those that depend on it; repeatable", several, [])
    .option("-f, --force", "rerun stages that are up to date (with --only: that stage)")
    .option("-k, --keep-going", "after a failure, run the stages that do not depend on it")
    .option("--strict", "fail a stage that reads or writes an undeclared file (default: warn)")
    .optionsGroup("Resources:")
    .option("-j, --jobs <n>", "cores that running stages share (default: all)", wholeFrom(1))
    .option("--memory <amount>", "memory that running stages share, as in 16GB (default: all)", memory)
    .option("--gpus <n>", "GPUs that running stages share (default: all)", wholeFrom(0))
    .addOption(
      new Option("--executor <where>", "run the stages here, or as jobs of a Slurm cluster")
        .choices(["local", "slurm"])
        .default("local"),
    )
    .option("--detach", "with --executor slurm: submit the jobs and exit")
    .optionsGroup("Files from elsewhere:")
    .option("--mirror <folder>", "search this folder for downloads, by file name, first", (path) =>
      given(path),
    )
    .addOption(remoteOption())
    .option("--remote-push", "also upload results to the shared cache, signed (see the command key)");
}
