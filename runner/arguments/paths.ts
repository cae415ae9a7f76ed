/** Paths on a command line: "" is none, and comes of a variable of the shell that is not set. */
import { type Argument, type Command, InvalidArgumentError, type Option } from "commander";

/** The placeholders that stand for a path in the help. */
const PATH = /^(file|folder|image|index|path|place)$/;

type Parse = (value: string, before: unknown) => unknown;

/** How commander itself reads the value of an argument. */
const asGiven =
  ({ variadic }: { variadic: boolean }): Parse =>
  (value, before) =>
    variadic ? [...((before as string[] | undefined) ?? []), value] : value;

/** @param env the variable that also gives the value: set to nothing, it is as good as not set */
function refuseEmpty(one: Option | Argument, env?: string): void {
  const parse = (one.parseArg as Parse | undefined) ?? asGiven(one);
  one.argParser((value: string, before: unknown) => {
    if (value === "" && !(env !== undefined && process.env[env] === ""))
      throw new InvalidArgumentError("The path is empty.");
    return parse(value, before);
  });
}

/** Makes a program and all its commands refuse an empty path, where it would mean the current folder. */
export function refuseEmptyPaths(program: Command): void {
  for (const option of program.options) {
    const name = /<([^>.]+)(\.\.\.)?>/.exec(option.flags)?.[1] ?? "";
    if (PATH.test(name)) refuseEmpty(option, option.envVar);
  }
  for (const argument of program.registeredArguments) if (PATH.test(argument.name())) refuseEmpty(argument);
  for (const command of program.commands) refuseEmptyPaths(command);
}
