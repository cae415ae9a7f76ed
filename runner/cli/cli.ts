/** The entry of the command line: parses the arguments, runs one command and sets the exit code. */
import { CommanderError } from "commander";
import { isUserError } from "../stage.ts";
import { colors, diskFault, guardOutput, refuseTaken, thrown } from "../text/index.ts";
import { commandFirst, type Guard, type Launched, noCommand, programOf } from "./program.ts";

/** The npm script that starts this program. */
const SCRIPT = "pipeline";

/** Runs one command and sets the exit code: 0 success, 1 a failure, 2 invalid input. */
export async function main(args: string[], launched?: Launched): Promise<void> {
  const guard: Guard = async (work, debug) => {
    try {
      process.exitCode = (await work) || process.exitCode;
    } catch (error) {
      const { stack, ...rest } = thrown(error);
      console.error(colors.red(diskFault(rest)));
      if (debug) console.error(stack);
      process.exitCode = isUserError(error) ? 2 : 1;
    }
  };
  guardOutput();
  const program = programOf(guard, launched);
  const options = program.commands.flatMap((command) => command.options.flatMap(({ long }) => long ?? []));
  await guard(
    (async () => {
      refuseTaken(SCRIPT, options, args);
      return 0;
    })(),
    false,
  );
  if (process.exitCode) return;
  try {
    const words = commandFirst(args, program);
    const [name, wanted] = words;
    const isKnown =
      !wanted || ["help", ...program.commands.map((command) => command.name())].includes(wanted);
    if (name === "help" && !isKnown) await guard(noCommand(wanted, program), false);
    else await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has printed the error
  }
}
