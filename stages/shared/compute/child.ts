/** Runs a program in a process of its own: a driver may crash there, hang, or compute nothing. */
import { execFile } from "node:child_process";

/** Of the answer, in bytes. */
const MOST = 1 << 28;

/** The order to the process. */
export interface ChildRun {
  /** Read by the program as `args`, an array of texts. */
  args: string[];
  /** Read by the program as `input`, a Buffer. */
  input?: Uint8Array;
  /** Seconds until it is killed, and what it did not do by then, as in "it gave nothing". */
  patience: number;
  late: string;
  /** Kills it, too. */
  signal?: AbortSignal;
  cwd?: string;
}

const scriptOf = (program: string): string => `
  const args = process.argv.slice(1);
  const parts = [];
  const say = (answer) => process.stdout.write("\\n@" + JSON.stringify(answer), () => process.exit(0));
  process.stdin.on("data", (part) => parts.push(part)).on("end", () => {
    const input = Buffer.concat(parts);
    Promise.resolve().then(() => ${program}).then(say, (error) => say({ failure: error.message }));
  });`;

/**
 * Runs a program.
 * @param program an expression, whose value or promise JSON can hold: it may use `args`, `input`, `require` and `import`
 * @returns its value; or why there is none
 * @throws what the signal was aborted with
 */
export function runInChild<T extends object>(
  program: string,
  { args, input, patience, late, signal, cwd }: ChildRun,
): Promise<T | { failure: string }> {
  const end = AbortSignal.any([AbortSignal.timeout(patience * 1000), ...(signal ? [signal] : [])]);
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      ["-e", scriptOf(program), ...args],
      { signal: end, killSignal: "SIGKILL", maxBuffer: MOST, cwd },
      (error, stdout) => {
        if (signal?.aborted) return reject(signal.reason);
        if (end.aborted) return resolve({ failure: `${late} within ${patience} s` });
        const said = stdout.split("\n@").at(-1);
        if (!error && said) return resolve(JSON.parse(said) as T | { failure: string });
        const code = error?.code ?? "without a word";
        resolve({
          failure: error?.signal ? `its driver crashed (${error.signal})` : `its process ended (${code})`,
        });
      },
    );
    child.stdin?.on("error", () => {}); // it died before it read all: the callback tells of it
    child.stdin?.end(input);
  });
}
