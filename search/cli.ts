/** The two commands of the tool for people: search and index. */
import { Command, InvalidArgumentError } from "commander";
import { UserError } from "../runner/stage.ts";
import { build } from "./build.ts";
import { search } from "./search.ts";

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("It must be a whole number from 1.");
  return value;
}

/** @param root the project's folder; @param from where the user stood: paths start there */
export async function main(args: string[], root: string, from: string): Promise<number> {
  const program = new Command("npm run").exitOverride();
  program
    .command("search")
    .description("the images of an index that are nearest to yours")
    .usage("-- IMAGE|FOLDER … [options]")
    .argument("<image...>", "images, or folders of images")
    .option("--index <folder>", "the index (default: the only one in indexes/)")
    .option("--top <n>", "how many to find", wholeNumber, 10)
    .option("--json", "as JSON")
    .option("--html <file>", "as a page with the images in it, too")
    .action((paths, options) => search(paths, options, root, from));
  program
    .command("index")
    .description("an index of your own images, the folders they lie in as their classes")
    .usage("-- FOLDER [options]")
    .argument("<folder>", "images: PNG, JPEG, WebP")
    .option("--like <index>", "encode as this index does, by its trained model")
    .option("--backbone <name>", "without training: features of this network, and itq")
    .option("--bits <n>", "length of a code, with --backbone", Number, 64)
    .option("--mirror <folder>", "look for the network's file in this folder first")
    .option("--out <folder>", "the new index (default: indexes/ and the folder's name)")
    .action((path, { mirror, ...options }) => {
      if (mirror) process.env.DEEPHASH_MIRROR = mirror;
      return build(path, options, root, from);
    });
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    const { code, exitCode } = error as { code?: string; exitCode?: number };
    if (code?.startsWith("commander.")) return exitCode === 0 ? 0 : 2;
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    return 2;
  }
}
