/** The commands `search`, `index`, `duplicates`, `export`, `page` and `serve`, which know of images: loaded by their path when they are called. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { standing } from "../../files/index.ts";

/** The launcher of all, below the folder of the package. */
const LAUNCHER = "search/main.mjs";

const COMMANDS = [
  ["index", "[folder]", "make a search index of your own images"],
  ["duplicates", "[folder...]", "list images that are the same, or nearly"],
  ["export", "", "write the codes of an index for other programs"],
  ["serve", "", "search an index on a page in your browser"],
  ["page", "", "write a page that searches an index in the browser, on any web server"],
  ["search", "[image...]", "find the images of an index nearest to yours"],
] as const;

/** The names of the commands. */
export const SEARCHING: string[] = COMMANDS.map(([name]) => name);

/** Adds them. They parse their arguments themselves. @param home the folder of the package */
export function addSearching(
  program: Command,
  guard: (work: Promise<number>, debug: boolean | undefined) => Promise<void>,
  home: string,
): void {
  for (const [name, argument, effect] of COMMANDS)
    program
      .command(`${name} ${argument}`.trim())
      .description(effect)
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .action((...given) => {
        const { args } = given.at(-1) as Command; // after the arguments, if any, and the options
        return guard(
          import(pathToFileURL(join(home, LAUNCHER)).href).then(({ start }) =>
            start([name, ...args], standing()),
          ),
          false,
        );
      });
}
