/** The commands `index FOLDER`, `index update`, `index add` and `index remove`. */
import { relative } from "node:path";
import { type Command, Option } from "commander";
import { wholeFrom } from "../../runner/arguments/index.ts";
import { commandWord, counted } from "../../runner/text/index.ts";
import { MOST_BITS } from "../../stages/shared/artifacts/codes.ts";
import { indexFolder } from "../location.ts";
import { BITS, type Built, build } from "./build.ts";
import { addToIndex, type Changed, removeFromIndex, updateIndex } from "./change.ts";

/** An option that may be given several times. */
const several = (flags: string, effect: string) =>
  new Option(flags, effect)
    .argParser((value: string, before: string[] | undefined) => [...(before ?? []), value])
    .default(undefined);

const EXCLUDE = [
  "--exclude <pattern>",
  "pass over files that a pattern of .gitignore matches (repeatable)",
] as const;
const INDEX = ["--index <folder>", "the index (default: the only one in indexes/)"] as const;

const unread = (failed: number) => (failed > 0 ? `; ${failed} could not be read` : "");

/** Prints the result of `index FOLDER`. */
function tellBuilt({ folder, images, bits, failed }: Built, from: string): void {
  const path = relative(from, folder);
  const index = path === "" || path.startsWith("..") ? folder : path;
  console.log(
    `${folder}: ${counted(images, "image")}, ${bits} bits each${unread(failed)}. Search it: npm run search -- IMAGE --index ${commandWord(index)}`,
  );
}

/** Prints the changes. */
async function tellChanged(folder: string, change: Promise<Changed>): Promise<void> {
  const { images, failed, ...counts } = await change;
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  const unchanged = images - counts.new - counts.changed - counts.moved;
  const told =
    parts.length === 0
      ? `up to date, ${counted(images, "image")}`
      : `${parts.map(([what, count]) => `${count} ${what}`).join(", ")}, ${unchanged} unchanged`;
  console.log(`${folder}: ${told}${unread(failed)}.`);
}

/** Adds them. @param root the project's folder; @param from the folder that paths start at */
export function addIndex(program: Command, root: string, from: string): void {
  const index = program
    .command("index")
    .enablePositionalOptions() // else its own --exclude would take that of "index add"
    .description("make an index of your own images; the folder of an image is its class")
    .usage("FOLDER … [options]")
    .argument("<folder...>", "images: JPEG, PNG, WebP, GIF, TIFF, AVIF")
    .option("--like <index>", "encode with the trained model of this index")
    .option("--backbone <name>", "encode without training: features of this network, and itq")
    .option("--bits <n>", `bits of a code, with --backbone (default: ${BITS})`, wholeFrom(1, MOST_BITS))
    .option("--mirror <folder>", "look for the network's file in this folder first")
    .option("--out <folder>", "the new index (default: in indexes/, named after the folder and the encoder)")
    .option("--force", "replace an index of other images")
    .addOption(several(...EXCLUDE))
    .action(async (paths, options) => tellBuilt(await build(paths, options, root, from), from));
  index
    .command("update")
    .description("encode new and changed images, drop those that are gone")
    .usage("[options]")
    .option(...INDEX)
    .addOption(several("--root <old=new>", "where a folder of images has moved to (NEW alone: the only one)"))
    .action((options) => {
      const folder = indexFolder(options.index, root, from);
      return tellChanged(folder, updateIndex(folder, options.root ?? [], from));
    });
  index
    .command("add")
    .description("add the images of another folder, or single images")
    .usage("FOLDER|IMAGE … [options]")
    .argument("<path...>", "folders or images")
    .option(...INDEX)
    .addOption(several(...EXCLUDE))
    .action((paths, options) => {
      const folder = indexFolder(options.index, root, from);
      return tellChanged(folder, addToIndex(folder, paths, options.exclude ?? [], from));
    });
  index
    .command("remove")
    .description("take images out of the index; their files stay")
    .usage("PATH … [options]")
    .argument("<path...>", "folders or images, which may be gone")
    .option(...INDEX)
    .action((paths, options) => {
      const folder = indexFolder(options.index, root, from);
      return tellChanged(folder, removeFromIndex(folder, paths, from));
    });
}
