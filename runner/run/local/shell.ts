/** Runs a shell stage's command in bash, by zx. Its output passes to this process's own; only the end is kept. */
import { writeSync } from "node:fs";
import { constants } from "node:os";
import { UserError } from "../../stage.ts";
import { plain, shortened } from "../../text/index.ts";

/** Bytes of each stream whose end is kept, to tell how a command failed. */
const TAIL_BYTES = 8192;

/** Characters of a command's last line that are told. */
const LONGEST_LINE = 300;

/** Ends the command where one of its parts fails, also within a pipe, and where a variable is not set. */
const STRICT = "set -euo pipefail;";

/** As bash tells of a program that a signal ended: its exit code is the signal's number and this. */
const SIGNALLED = 128;

/** The signal behind an exit code; "" for none. */
const signalOf = (code: number): string =>
  Object.entries(constants.signals).find(([, number]) => number === code - SIGNALLED)?.[0] ?? "";

/** Keeps the end of a stream that may be of any length, with lines of any length, where zx would keep all of it. */
class Tail extends Array<Buffer> {
  override push(chunk: Buffer): number {
    // A copy: a part of a buffer would hold on to the whole.
    this[0] = Buffer.concat([...this, chunk.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
    return this.length;
  }

  /** The last line with something in it; "" for none. */
  get lastLine(): string {
    const lines = (this[0] ?? "").toString().split(/[\r\n]+/);
    const line = lines.map((one) => plain(one).trim()).findLast(Boolean) ?? "";
    return shortened(line, LONGEST_LINE);
  }
}

/** Writes all of a chunk, however much of it the file takes at a time. */
function writeAll(file: number, chunk: Buffer): void {
  for (let done = 0; done < chunk.length; )
    try {
      done += writeSync(file, chunk, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error; // a pipe that is full for now
    }
}

/** The likely reason of an exit code, where the command printed none; "" for none. */
function hintOf(code: number, said: string): string {
  const signal = signalOf(code);
  if (signal === "SIGPIPE")
    return "A program wrote on into a pipe whose reader (as head) had ended, which set -o pipefail counts as a failure. Let the reader read to the end, or write (… || [ $? = 141 ]).";
  if (signal === "SIGKILL") return "A program was killed (SIGKILL), probably because memory ran out.";
  if (signal) return `A program was ended by ${signal}.`;
  if (/unbound variable/.test(said))
    return "A stage sees few variables of the environment: pass it on with env: { NAME: ${env.NAME} }.";
  if (!said)
    return "It wrote nothing. Under set -e a command ends at its first program that fails (as grep that finds nothing): begin it with set -x to see which.";
  return "";
}

/** How a command failed, with the last line it wrote. */
function failureOf(code: number, err: Tail, out: Tail): string {
  const said = err.lastLine || out.lastLine;
  const told = `its command ended with exit code ${code}${said ? `: ${said}` : ""}`;
  const hint = hintOf(code, said);
  return hint ? `${told}${/[.!?…]$/.test(told) ? "" : "."} ${hint}` : told + (said ? "" : ".");
}

/** The message where bash cannot be started. */
const UNSTARTED: Record<string, string> = {
  ENOENT: "there is no bash on PATH, which shell stages need. Install bash.",
  E2BIG: "its command is longer than the system takes (128 KB). Let it take a folder in place of many files.",
};

/** Runs bash. @returns its exit code, once all that holds its output has ended */
async function runBash(command: string, env: Record<string, string>, out: Tail, err: Tail): Promise<number> {
  const { $, quote } = await import("zx");
  const run = $({
    shell: "bash",
    prefix: STRICT,
    quote, // zx sets its own only where it finds bash
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    store: { stdout: out, stderr: err, stdall: new Tail() },
    quiet: true,
    nothrow: true,
  });
  // The command as the template's only text: it was filled in before, so zx has nothing to quote.
  const child = run(Object.assign([command], { raw: [command] }));
  return new Promise((resolve, reject) => {
    const pass = (file: number) => (chunk: Buffer) => {
      try {
        writeAll(file, chunk);
      } catch (error) {
        reject(error); // a full disk takes no log
      }
    };
    const { stdout, stderr } = child.child ?? {}; // neither where bash was not started
    stdout?.on("data", pass(1));
    stderr?.on("data", pass(2));
    child.then(({ exitCode, signal, cause }) => {
      if (cause)
        reject(cause); // bash was not started
      else resolve(signal ? SIGNALLED + constants.signals[signal] : exitCode!);
    }, reject);
  });
}

/**
 * Runs a command under `set -euo pipefail`.
 * @param env more variables for its environment, which no log shows
 * @throws Error with the last line it wrote to stderr, or else to stdout
 */
export async function runCommand(command: string, env: Record<string, string>): Promise<void> {
  const [out, err] = [new Tail(), new Tail()];
  writeAll(1, Buffer.from(`$ ${command}\n`));
  const code = await runBash(command, env, out, err).catch((error: NodeJS.ErrnoException) => {
    const { syscall = "", code = "" } = error;
    throw syscall.startsWith("spawn") && code in UNSTARTED ? new UserError(UNSTARTED[code]) : error;
  });
  if (code !== 0) throw new Error(failureOf(code, err, out));
}
