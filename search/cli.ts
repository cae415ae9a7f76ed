/** The commands search, index, duplicates, export and serve. */
import { Command, Option } from "commander";
import { refuseEmptyPaths, valueBy, wholeFrom, wordErrors } from "../runner/arguments/index.ts";
import { standing } from "../runner/files/index.ts";
import { UserError } from "../runner/stage.ts";
import { diskFault, refuseTaken } from "../runner/text/index.ts";
import { DownloadError } from "../stages/shared/download/fetch.ts";
import { shown } from "../stages/shared/text.ts";
import { duplicates } from "./duplicates/command.ts";
import { DEFAULT } from "./duplicates/find.ts";
import { exportIndex } from "./export/command.ts";
import { addIndex } from "./index/commands.ts";
import { writePage } from "./page/command.ts";
import { search } from "./search.ts";
import { serve } from "./serve/command.ts";
import { runEncoder } from "./serve/encoder-process.ts";
import { ENCODER_COMMAND } from "./serve/encoding.ts";

const share = valueBy((text) => {
  const value = Number(text);
  return text.trim() !== "" && value >= 0 && value <= 1 ? value : undefined;
}, "It must be a number from 0 to 1.");

/** Collects the values of an option that may be repeated. */
const several = (value: string, before: string[] = []) => [...before, value];

/** The long options of a command and of those below it. */
const optionsOf = ({ options, commands }: Pick<Command, "options" | "commands">): string[] => [
  ...options.flatMap(({ long }) => long ?? []),
  ...commands.flatMap(optionsOf),
];

export { standing };

/** @param root the project's folder; @param from the folder that paths start at */
export async function main(args: string[], root: string, from: string): Promise<number> {
  let code = 0;
  const program = new Command("npx deephash").exitOverride().enablePositionalOptions();
  program
    .command("search")
    .description("find the images of an index that are nearest to yours")
    .usage("IMAGE|FOLDER|- … [options]")
    .argument("[image...]", "images, folders of images, or - for an image on the standard input")
    .option("--index <folder>", "the index (default: the only one in indexes/)")
    .option("--top <n>", "images to find", wholeFrom(1), 10)
    .option("--all-ties", "beyond --top, all images that are as near as the last one")
    .option("--radius <bits>", "only images whose codes differ in at most so many bits", wholeFrom(0))
    .option("--class <name>", "only images of this class (repeatable)", several)
    .addOption(
      new Option(
        "--order <by>",
        "rank by differing bits, equal ones by the outputs behind the bits; or by the outputs alone",
      )
        .choices(["bits", "outputs"])
        .default("bits"),
    )
    .option("--url <address>", "search by an image on the web (repeatable)", several)
    .option("--allow-private", "let --url reach this machine and private networks")
    .option("--json", "print JSON (with npx deephash search: npm run adds lines)")
    .option("--json-lines", "print JSON, one line an image, as soon as it is answered")
    .option("--html <file>", "also write a page with the images")
    .action(async (paths, options) => {
      code = await search(paths, options, root, from);
    });
  addIndex(program, root, from);
  program
    .command("duplicates")
    .description("list images that are the same, or nearly; deletes nothing")
    .usage("FOLDER|IMAGE … [options]")
    .argument("[path...]", "folders of images, or images")
    .option("--index <folder>", "compare the files of this index")
    .option(
      "--similarity <s>",
      "least similarity of near duplicates, from 0 to 1",
      share,
      DEFAULT.correlation,
    )
    .option("--json", "print JSON")
    .option("--html <file>", "also write a page with the images")
    .action(async (paths, options) => {
      code = await duplicates(paths, options, root, from);
    });
  program
    .command("export")
    .description(
      "write the codes of an index for other programs (.npy, .faiss, .jsonl), or its encoder as one ONNX file (.onnx)",
    )
    .usage("--out FILE [options]")
    .option("--index <folder>", "the index (default: the only one in indexes/)")
    .requiredOption("--out <file>", "the file; its ending says the form")
    .option("--force", "replace a file that is there")
    .addOption(
      new Option(
        "--input <form>",
        "of the encoder: bytes [count, height, width, channels], or scaled pixels [count, 3, height, width]",
      )
        .choices(["bytes", "pixels"])
        .default("bytes"),
    )
    .option("--compare <n>", "images of the index that the encoder is compared on", wholeFrom(1), 100)
    .action((options) => exportIndex(options, root, from));
  program
    .command("page")
    .description("write a folder with a page that searches an index in the browser, on any web server")
    .usage("--out FOLDER [options]")
    .option("--index <folder>", "the index (default: the only one in indexes/)")
    .requiredOption("--out <folder>", "the folder, which must not be there or be empty")
    .action((options) => writePage(options, root, from));
  program
    .command("serve")
    .description("search an index on a page in your browser, and by HTTP")
    .usage("[options]")
    .option("--index <folder>", "the index (default: the only one in indexes/)")
    .option(
      "--host <address>",
      "where to listen; other machines reach another than this, with a token",
      "127.0.0.1",
    )
    .option("--port <n>", "0 takes any that is free", wholeFrom(0), 8000)
    .option("--token-file <file>", "file with the token to ask for (default: a new one, where one is needed)")
    .option("--allow-host <name>", "a name that this machine is called by (repeatable)", several)
    .option("--rate <n>", "requests a second that one address may send", wholeFrom(1), 100)
    .action(async (options) => {
      code = await serve(options, root, from);
    });
  program.command(`${ENCODER_COMMAND} <index>`, { hidden: true }).action(async (index) => {
    code = await runEncoder(index);
  });
  refuseEmptyPaths(program);
  wordErrors(
    program,
    (name) => `npx deephash ${name} --help`,
    (line) => console.error(shown(line)),
  );
  try {
    const [script, ...rest] = args;
    refuseTaken(script ?? "", optionsOf(program), rest);
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    const { code: kind, exitCode } = error as { code?: string; exitCode?: number };
    if (kind?.startsWith("commander.")) return exitCode === 0 ? 0 : 2;
    const { errno, message } = error as NodeJS.ErrnoException;
    const isKnown = error instanceof UserError || error instanceof DownloadError || errno !== undefined;
    if (!isKnown) throw error;
    console.error(shown(errno === undefined ? message : diskFault(error as NodeJS.ErrnoException)));
    return error instanceof UserError ? 2 : 1;
  }
}
