/** The errors of a command line that commander rejects: one line with the command, the error and the next step. */
import type { Command } from "commander";

/** The name of a command below its program: "index add". */
export function nameOf(command: Command): string {
  const { parent } = command;
  return parent ? [nameOf(parent), command.name()].filter(Boolean).join(" ") : "";
}

/** An error of commander's in one line. @param page the command line that prints the command's help */
function worded(text: string, command: Command, page: string): string {
  const line = text.trim().replace(/^error: /, "");
  const name = nameOf(command);
  const where = name ? `${name}: ` : "";
  const missing = /^missing required argument '(.*)'$/.exec(line)?.[1];
  if (missing !== undefined) {
    const argument = command.registeredArguments.find((one) => one.name() === missing);
    return `${where}<${missing}> is missing${argument?.description ? `: ${argument.description}` : ""}. See: ${page}`;
  }
  const near = /^(.*)\n\((Did you mean .*)\)$/s.exec(line);
  if (near) return `${where}${near[1]}. ${near[2]}`;
  return where + (/[.?]$/.test(line) ? line : `${line}. See: ${page}`);
}

/**
 * Words the errors of a program and of all its commands.
 * @param pageOf the command line that prints the help of the command with this name ("": of the program)
 * @param print prints the line
 */
export function wordErrors(
  program: Command,
  pageOf: (name: string) => string,
  print: (line: string) => void,
): void {
  program.configureOutput({
    outputError: (text) => print(worded(text, program, pageOf(nameOf(program)))),
  });
  for (const command of program.commands) wordErrors(command, pageOf, print);
}
