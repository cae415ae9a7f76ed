/** Slurm's own commands: sbatch, squeue, scancel, sinfo, scontrol. They wait for a controller that does not answer. */
import { spawn } from "node:child_process";
import { userInfo } from "node:os";
import pRetry from "p-retry";
import { jobEnvironment } from "../../code/index.ts";
import { UserError } from "../../stage.ts";

/** One job, or one element of an array, as squeue lists it. */
export interface QueueRow {
  /** The array's job id, and the element's index: 0 for a job without an array. */
  job: string;
  index: number;
  name: string;
  /** "PENDING", "RUNNING", "COMPLETED", "NODE_FAIL", … */
  state: string;
  /** Why it waits, or how it ended, in Slurm's words. */
  reason: string;
  nodes: string;
}

/** The answer of sbatch. */
export type Submission = { job: string } | { full: string };

interface Answer {
  code: number;
  out: string;
  err: string;
}

/** The errors of Slurm's commands when the controller could not be reached, or not in time. */
const SILENT =
  /Unable to contact|Socket timed out|Connection (refused|timed out|reset)|communication connection failure|Zero Bytes were transmitted|Unable to establish control|in standby mode|Header lengths are longer/i;

/** The errors of sbatch at a limit of jobs: the run submits again when some have ended. */
const FULL =
  /temporarily unable to accept|Resource temporarily unavailable|job submit limit|MaxJobCount|MaxSubmitJob|QOS\w{0,64}Limit|AssocMax/i;

/** The wait between two tries, which doubles each time. */
const BACKOFF = { minTimeout: 1000, maxTimeout: 15_000, factor: 2, retries: Number.POSITIVE_INFINITY };

/** The controller did not answer. */
class NoAnswer extends Error {}

/** Asks until the controller answers. @throws the reason of `signal`, once it is aborted */
const untilAnswered = <Found>(ask: () => Promise<Found | undefined>, signal?: AbortSignal): Promise<Found> =>
  pRetry(
    async () => {
      const found = await ask();
      if (found === undefined) throw new NoAnswer();
      return found;
    },
    { ...BACKOFF, signal, shouldRetry: ({ error }) => error instanceof NoAnswer },
  );

/** The last line of an error. */
const lastLine = (text: string) =>
  text
    .trim()
    .split("\n")
    .at(-1)
    ?.replace(/^\w+: (error: )?/, "") ?? "";

function start(command: string, args: string[], input: string, env: NodeJS.ProcessEnv): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // A group of its own: a Ctrl-C on the terminal must not interrupt a submission.
    const child = spawn(command, args, {
      stdio: "pipe",
      detached: true,
      env: { ...env, LC_ALL: "C" },
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (data) => {
      out += data;
    });
    child.stderr.on("data", (data) => {
      err += data;
    });
    child.stdin.on("error", () => {}); // it ended before it read its script; its exit code is reported
    child.stdin.end(input);
    child.on("error", ({ code, message }: NodeJS.ErrnoException) =>
      reject(
        code === "ENOENT"
          ? new UserError(
              `--executor slurm: there is no ${command} on PATH. Run this on a machine of the cluster that has Slurm's commands.`,
            )
          : new Error(`${command}: ${message}`),
      ),
    );
    child.on("close", (code) => resolve({ code: code ?? 1, out, err }));
  });
}

export class Slurm {
  private readonly say: (line: string) => void;
  private readonly passed: Set<string>;
  private silent = false;
  /**
   * @param say called when the controller stops answering, and when it answers again
   * @param passed names of secrets that stages pass on to their jobs
   */
  constructor(say: (line: string) => void, passed = new Set<string>()) {
    this.say = say;
    this.passed = passed;
  }

  /** Runs a command once. @returns undefined when the controller did not answer */
  private async ask(
    command: string,
    args: string[],
    { input = "", silence = SILENT } = {},
  ): Promise<Answer | undefined> {
    const answer = await start(command, args, input, jobEnvironment(process.env, this.passed));
    const silent = answer.code !== 0 && silence.test(answer.err);
    if (silent && !this.silent)
      this.say(`Slurm's controller does not answer (${lastLine(answer.err)}). Waiting for it.`);
    if (!silent && this.silent) this.say("Slurm's controller answers again.");
    this.silent = silent;
    return silent ? undefined : answer;
  }

  /** Runs a command until the controller answers. @throws the reason of `signal`, once it is aborted */
  private insist(command: string, args: string[], signal?: AbortSignal): Promise<Answer> {
    return untilAnswered(() => this.ask(command, args), signal);
  }

  /**
   * The user's jobs, those that ended a short while ago too, an element of an array a row.
   * @returns undefined when the controller does not answer now: nothing is known then
   */
  async queue(): Promise<QueueRow[] | undefined> {
    const answer = await this.ask(
      "squeue",
      [
        "--noheader",
        "--array",
        "--all",
        "--states=all",
        `--user=${userInfo().username}`,
        "--format=%F|%K|%T|%r|%N|%j",
      ],
      { silence: /^/ }, // no answer, for any reason, must not count as an empty queue
    );
    return answer?.out
      .split("\n")
      .filter(Boolean)
      .map((line) => {
        const [job, index, state, reason, nodes, ...name] = line.split("|");
        return { job, index: Number(index) || 0, state, reason, nodes, name: name.join("|") };
      });
  }

  /** As {@link queue}, as soon as the controller answers. */
  queueAtLast(signal?: AbortSignal): Promise<QueueRow[]> {
    return untilAnswered(() => this.queue(), signal);
  }

  /**
   * Submits a job exactly once, even if the controller stops answering meanwhile.
   * @param name no other submission has it while this one is under way
   * @param known ids of the jobs of that name that were there before
   * @throws UserError with sbatch's words when it refuses the job
   */
  async submit(
    name: string,
    args: string[],
    script: string,
    known: Set<string>,
    signal?: AbortSignal,
  ): Promise<Submission> {
    for (;;) {
      const answer = await this.ask("sbatch", ["--parsable", `--job-name=${name}`, ...args], {
        input: script,
      });
      if (answer?.code === 0) return { job: answer.out.trim().split(";")[0] };
      if (answer) {
        if (FULL.test(answer.err)) return { full: lastLine(answer.err) };
        throw new UserError(
          `sbatch refused ${name}: ${lastLine(answer.err)}. Correct "slurm" in pipeline.yaml, or the SBATCH_ variables.`,
        );
      }
      // sbatch may have taken the job and failed to answer.
      const taken = (await this.queueAtLast(signal)).find((row) => row.name === name && !known.has(row.job));
      if (taken) return { job: taken.job };
    }
  }

  /** Cancels jobs by their ids. @param pending only those that have not begun */
  async cancel(jobs: string[], { pending }: { pending: boolean }, signal?: AbortSignal): Promise<void> {
    // scancel does not fail for a job that has ended.
    if (jobs.length) await this.insist("scancel", [...(pending ? ["--state=PENDING"] : []), ...jobs], signal);
  }

  /** How many elements an array may have. */
  async arraySize(signal?: AbortSignal): Promise<number> {
    const { out } = await this.insist("scontrol", ["show", "config"], signal);
    return Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(out)?.[1] ?? 1001);
  }

  /** The cores of the smallest node (of a partition). */
  async coresOfNode(partition: string | undefined, signal?: AbortSignal): Promise<number> {
    const where = partition === undefined ? [] : [`--partition=${partition}`];
    const { out } = await this.insist("sinfo", ["--noheader", "--format=%c", ...where], signal);
    const cores = out.split("\n").flatMap((line) => Number.parseInt(line, 10) || []);
    return Math.max(1, Math.min(...cores, Number.MAX_SAFE_INTEGER)) % Number.MAX_SAFE_INTEGER || 1;
  }
}
