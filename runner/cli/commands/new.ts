/** The commands that write files for a person to edit: `new` and `init`. */
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { wholeFrom } from "../../arguments/index.ts";
import { standing } from "../../files/index.ts";
import { colors } from "../../text/index.ts";

/** The code of `init`: loaded by its path, as stages are, since the runner knows nothing of images. */
const INIT = "init/init.ts";

interface Given {
  debug?: boolean;
}

async function newCommand(kind: string, name: string): Promise<number> {
  const { scaffold } = await import("./scaffold.ts");
  const { files, next } = scaffold(process.cwd(), kind, name);
  for (const file of files) console.log(`${colors.green("+")} ${file}`);
  console.log(`\nTest it:                  npx vitest run ${files.at(-1)}\n${next.trimEnd()}`);
  return 0;
}

async function initCommand(folder: string, options: Given): Promise<number> {
  const { CodeBook } = await import("../../code/index.ts");
  const root = process.cwd();
  const code = (await new CodeBook(root).read([INIT])).get(INIT)!;
  const { init } = (await import(pathToFileURL(code.bundle).href)).default;
  for (const line of init(folder, options, root, standing())) console.log(line);
  return 0;
}

/** Adds `new` and `init`. */
export function addMaking(
  program: Command,
  guard: (work: Promise<number>, debug: boolean | undefined) => Promise<void>,
): void {
  program
    .command("new")
    .argument(
      "<kind>",
      "loss, selector, sampler, network, augmentation, binariser, dataset, backbone, protocol or stage",
    )
    .argument("<name>", "its name in pipeline.yaml")
    .option("--debug", "print stack traces")
    .description("write a working part of this kind, with its test")
    .action((kind: string, name: string, { debug }: Given) => guard(newCommand(kind, name), debug));
  program
    .command("init")
    .argument("<folder>", "images: one folder per class; or train and test, each with one folder per class")
    .option("--name <name>", "name of the study, its report and its index (default: the folder's)")
    .option("--out <file>", "the pipeline file (default: NAME.pipeline.yaml)")
    .option("--backbone <name>", "the pretrained network", "mobilenetv2-zoo")
    .option("--bits <n>", "bits of a code", wholeFrom(1), 48)
    .option("--debug", "print stack traces")
    .description("write a pipeline for your own images")
    .action((folder: string, options: Given) => guard(initCommand(folder, options), options.debug));
}
