/** The commands `verify` and `gc`, which check and clean the store, and their options. */

import { join, resolve } from "node:path";
import type { Command } from "commander";
import { valueBy, wholeFrom } from "../../arguments/index.ts";
import type { Plan } from "../../plan/index.ts";
import { Store } from "../../store/index.ts";
import { expand, load, publishTexts } from "../../study/index.ts";
import { bytesOf, secondsOf } from "../../text/index.ts";

/** The parts of the program that the commands use. */
interface Shared<Options> {
  withOptions(command: Command): Command;
  prepare(options: Options): Promise<{ plan: Plan; store: Store; root: string }>;
  guard(work: Promise<number>, debug: boolean | undefined): Promise<void>;
}

/** A time without use, in milliseconds. Minutes are not allowed: a person who writes 3m may mean months. */
const milliseconds = (text: string): number | undefined => {
  const seconds = secondsOf(text, ["h", "d", "w"]);
  return seconds === undefined ? undefined : seconds * 1000;
};

/** The folders that stages publish to, in any profile, and the parents of those that a `--set` can name. */
function reportFolders(pipelineFile: string, root: string): string[] {
  const pipeline = load(resolve(pipelineFile), root);
  const texts = pipeline.profiles.flatMap((profile) => publishTexts(pipeline.study(profile)));
  const above = texts.map((text) => text.slice(0, text.lastIndexOf("/", text.indexOf("$")) + 1));
  const exact = pipeline.profiles.flatMap((profile) =>
    expand(pipeline, profile).instances.flatMap(({ publish }) => publish ?? []),
  );
  return [...new Set([...above.filter((folder) => folder !== ""), ...exact])].map((folder) =>
    join(root, folder),
  );
}

interface Given {
  pipeline: string;
  cache: string;
  debug?: boolean;
}

/** Adds `verify` and `gc`. */
export function addUpkeep<Options extends Given>(
  program: Command,
  { withOptions, prepare, guard }: Shared<Options>,
): void {
  const root = process.cwd();
  const storeOf = ({ cache }: Given) => new Store(resolve(cache));
  withOptions(
    program
      .command("verify")
      .description("read the whole store; quarantine corrupt objects")
      .option("--rerun <stage>", "rerun a stage instead, and compare its outputs with those in the store"),
  ).action((options: Options & { rerun?: string }) =>
    guard(
      (async () => {
        const { verifyCommand, rerunCommand } = await import("./verify.ts");
        if (options.rerun === undefined) return verifyCommand(storeOf(options));
        const { plan, store } = await prepare(options);
        return rerunCommand(options.rerun, plan, store, root);
      })(),
      options.debug,
    ),
  );
  withOptions(
    program
      .command("gc")
      .description("remove results that no recent run or report uses")
      .option(
        "--older-than <span>",
        "remove results that no run used for this time (default: 30d, or none with --max-size)",
        valueBy(milliseconds, "Write a time, as in 12h, 30d or 4w."),
      )
      .option(
        "--max-size <size>",
        "remove the oldest results until the store fits, as in 5GB",
        valueBy(bytesOf, "Write a size, as in 300MB or 5GB."),
      )
      .option("--keep-runs <n>", "last runs of each profile that keep all their results", wholeFrom(0), 3)
      .option("--dry-run", "list the results, and remove none"),
  ).action(
    (options: Options & { olderThan?: number; maxSize?: number; keepRuns: number; dryRun?: boolean }) =>
      guard(
        (async () => {
          const { gcCommand } = await import("./gc.ts");
          const { olderThan, maxSize: maxBytes, keepRuns, dryRun } = options;
          const reports = reportFolders(options.pipeline, root);
          return gcCommand(storeOf(options), root, reports, { olderThan, maxBytes, keepRuns, dryRun });
        })(),
        options.debug,
      ),
  );
}
