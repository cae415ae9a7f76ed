/** Runs a shell stage (`run:` in pipeline.yaml) with zx. */
import { createWriteStream } from "node:fs";
import { $, quote } from "zx";
import { interpolate } from "../interpolate.ts";
import { UserError } from "../stage.ts";
import { type Executor, StageError } from "./executor.ts";

/** The command with the paths and params of this run, each quoted for the shell. */
function fill(command: string, values: Record<string, Record<string, unknown>>): string {
  return interpolate(
    // One ${…} that is the whole command would keep its type: the space makes it text.
    `${command} `,
    (expression) => {
      const [head, ...rest] = expression.split(".");
      const value = values[head]?.[rest.join(".")];
      return value === undefined
        ? undefined
        : [value]
            .flat()
            .map((one) => quote(String(one)))
            .join(" ");
    },
    (expression) => {
      throw new UserError(
        `run: nothing is called \${${expression}}. Known are \${in.NAME}, \${out.NAME} and \${with.NAME}.`,
      );
    },
  ) as string;
}

export const shell: Executor = async (job) => {
  const { task } = job;
  const paths = Object.fromEntries(
    Object.entries(job.inputs).map(([name, files]) => [name, files.map(({ path }) => path)]),
  );
  const command = fill(task.run!, { in: paths, out: job.outputs, with: task.params });
  const log = createWriteStream(job.log, { flags: "a" });
  log.write(`$ ${command}\n`);
  const child = $({
    cwd: job.root,
    nothrow: true,
    quiet: true,
    detached: true,
    signal: job.signal,
    killSignal: "SIGKILL",
    ...(task.timeout === undefined
      ? {}
      : { timeout: `${Math.ceil(task.timeout * 1000)}ms` as const, timeoutSignal: "SIGKILL" as const }),
  })([command] as unknown as TemplateStringsArray);
  const started = performance.now();
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const result = await child;
  await new Promise((closed) => log.end(closed));
  if (job.signal.aborted) throw new StageError("was cancelled.");
  if (task.timeout !== undefined && performance.now() - started >= task.timeout * 1000 && result.signal)
    throw new StageError(`took longer than its timeout of ${task.timeout} s and was ended.`);
  if (result.exitCode !== 0)
    throw new StageError(
      `its command ended with exit code ${result.exitCode ?? result.signal}: ${result.stderr.trim().split("\n").at(-1) || "nothing was said"}`,
      false,
      result.stderr,
    );
  return { notes: {}, peakMegabytes: 0 };
};
