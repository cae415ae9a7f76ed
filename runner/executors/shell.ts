/** A shell stage (`run:` in pipeline.yaml): its command, and how zx runs it. */
import { interpolate } from "../interpolate.ts";

/**
 * The command with the paths and params of a run, each quoted for the shell; an input of many files gives
 * many words.
 * @param values `in`, `out` and `with`, each a map from name to value or values
 * @param unknown called with an expression that names none of them
 */
export function fillCommand(
  command: string,
  values: Record<string, Record<string, unknown>>,
  unknown: (expression: string) => never,
): string {
  return interpolate(
    // One ${…} that is the whole command would keep its type: the space makes it text.
    `${command} `,
    (expression) => {
      const [head, ...rest] = expression.split(".");
      const [map, name] = [values[head] ?? {}, rest.join(".")];
      return Object.hasOwn(map, name) ? [map[name]].flat().map(quoted).join(" ") : undefined;
    },
    unknown,
  ) as string;
}

/** One word for a POSIX shell, whatever is in it. */
const quoted = (value: unknown): string => `'${String(value).replaceAll("'", `'\\''`)}'`;

/** Runs a command, its output to this process's own. @throws Error with the last line it wrote to stderr */
export async function runCommand(command: string): Promise<void> {
  const { $ } = await import("zx");
  console.log(`$ ${command}`);
  const child = $({ nothrow: true, quiet: true, stdio: ["ignore", "pipe", "pipe"] })([
    command,
  ] as unknown as TemplateStringsArray);
  child.stdout.pipe(process.stdout, { end: false });
  child.stderr.pipe(process.stderr, { end: false });
  const { exitCode, signal, stderr } = await child;
  if (exitCode !== 0)
    throw new Error(
      `its command ended with exit code ${exitCode ?? signal}: ${stderr.trim().split("\n").at(-1) || "nothing was said"}`,
    );
}
