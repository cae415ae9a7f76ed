/** The commands search and index. */
import { Command, InvalidArgumentError, Option } from "commander";
import { standing } from "../runner/files/index.ts";
import { UserError } from "../runner/stage.ts";
import { diskFault, refuseTaken } from "../runner/text/index.ts";
import { shown } from "../stages/shared/text.ts";
import { build } from "./build.ts";
import { search } from "./search.ts";

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("It must be a whole number from 1.");
  return value;
}

export { standing };

/** @param root the project's folder; @param from the folder that paths start at */
export async function main(args: string[], root: string, from: string): Promise<number> {
  let code = 0;
  const program = new Command("npm run").exitOverride();
  program
    .command("search")
    .description("find the images of an index that are nearest to yours")
    .usage("-- IMAGE|FOLDER … [options]")
    .argument("<image...>", "images, or folders of images")
    .option("--index <folder>", "the index (default: the only one in indexes/)")
    .option("--top <n>", "images to find", wholeNumber, 10)
    .addOption(
      new Option(
        "--order <by>",
        "rank by differing bits, equal ones by the outputs behind the bits; or by the outputs alone",
      )
        .choices(["bits", "outputs"])
        .default("bits"),
    )
    .option("--json", "print JSON (with npx deephash search: npm run adds lines)")
    .option("--html <file>", "also write a page with the images")
    .action(async (paths, options) => {
      code = await search(paths, options, root, from);
    });
  program
    .command("index")
    .description("make an index of your own images; the folder of an image is its class")
    .usage("-- FOLDER [options]")
    .argument("<folder>", "images: JPEG, PNG, WebP, GIF, TIFF, AVIF")
    .option("--like <index>", "encode with the trained model of this index")
    .option("--backbone <name>", "encode without training: features of this network, and itq")
    .option("--bits <n>", "bits of a code, with --backbone", Number, 64)
    .option("--mirror <folder>", "look for the network's file in this folder first")
    .option("--out <folder>", "the new index (default: in indexes/, named after the folder and the encoder)")
    .option("--force", "replace an index of other images")
    .action((path, options) => build(path, options, root, from));
  try {
    const [script, ...rest] = args;
    const options = program.commands.flatMap((command) => command.options.flatMap(({ long }) => long ?? []));
    refuseTaken(script ?? "", options, rest);
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    const { code: kind, exitCode } = error as { code?: string; exitCode?: number };
    if (kind?.startsWith("commander.")) return exitCode === 0 ? 0 : 2;
    const { errno, message } = error as NodeJS.ErrnoException;
    if (!(error instanceof UserError) && errno === undefined) throw error;
    console.error(shown(errno === undefined ? message : diskFault(error as NodeJS.ErrnoException)));
    return errno === undefined ? 2 : 1;
  }
}
