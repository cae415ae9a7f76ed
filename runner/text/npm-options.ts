/** Options that npm kept for itself, since no `--` came before them: `npm run pipeline --force`. */
import { readFileSync } from "node:fs";
import { UserError } from "../stage.ts";

/** The options that npm or node-gyp also know: a person's npmrc may set them, so that only the typed form counts. */
const SHARED = new Set(["cache", "jobs", "debug", "only", "version", "help", "quiet"]);

/** The command line of npm, as Linux tells it; "" elsewhere. */
function npmLine(): string {
  try {
    const line = readFileSync(`/proc/${process.ppid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return line.startsWith("npm ") ? line : "";
  } catch {
    return ""; // no Linux, or the parent has ended
  }
}

/**
 * The options of a program that npm took.
 * @param options the long options that the program knows
 * @param env the variables npm sets: `npm_config_NAME`, "true" for an option without a value
 * @param line npm's command line, where it is known
 */
export function takenByNpm(options: string[], env: NodeJS.ProcessEnv, line: string): string[] {
  const typed = line.split(/ --(?: |$)/)[0].split(/[\s=]+/);
  return options.filter((option) => {
    const name = option.slice("--".length);
    return typed.includes(option) || (!SHARED.has(name) && env[variableOf(option)] !== undefined);
  });
}

const variableOf = (option: string) => `npm_config_${option.slice("--".length).replaceAll("-", "_")}`;

/**
 * Rejects a start by `npm run SCRIPT` where npm took options of the program.
 * @param script the npm script that starts the program, @param args that reached it
 * @throws UserError with the command line to write
 */
export function refuseTaken(
  script: string,
  options: string[],
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
  line = npmLine(),
): void {
  if (env.npm_lifecycle_event !== script) return;
  const taken = takenByNpm([...new Set(options)], env, line);
  if (taken.length === 0) return;
  const shown = taken.map((option) => {
    const value = env[variableOf(option)];
    return value && value !== "true" ? `${option}=${value}` : option;
  });
  throw new UserError(
    `npm took ${taken.join(" and ")} for itself. Write "--" before the options: npm run ${script} -- ${[...shown, ...args].join(" ")}`,
  );
}
