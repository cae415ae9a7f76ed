/**
 * A Slurm within this process, for tests: its commands on PATH are shell scripts that hand their arguments over and
 * print the answer. Jobs begin when what they wait for has ended well, and do the work of the test.
 */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Between two polls of the calls. */
const TICK_MILLISECONDS = 5;

/** Hands over the arguments (and the script, of sbatch), and waits for the answer: a line with the exit code first. */
const CLIENT = `#!/bin/sh
call="$CLUSTER/.$$"; mkdir "$call" && mkfifo "$call/answer"
name="\${0##*/}"
[ "$name" = sbatch ] && { cat > "$call/script"; env > "$call/env"; }
printf '%s\\n' "$name" "$@" > "$call/words"
mv "$call" "$CLUSTER/$$.call"
{ read -r code; if [ "$code" = 0 ]; then cat; else cat >&2; fi; } < "$CLUSTER/$$.call/answer"
exit "$code"
`;

/** One job: an element of an array. */
export interface FakeJob {
  id: string;
  job: string;
  index: number;
  name: string;
  state: string;
  reason: string;
  args: string[];
  script: string;
  cancelled: AbortController;
}

interface Answer {
  code?: number;
  text: string;
}

const ENDED_WELL = "COMPLETED";
const OPEN = ["PENDING", "RUNNING"];

export class Cluster {
  private readonly folder = mkdtempSync(join(tmpdir(), "deephash-slurm-"));
  private readonly path = process.env.PATH;
  private closed = false;
  private serving?: Promise<void>;
  jobs: FakeJob[] = [];
  /** Every command so far, with its arguments. */
  calls: [command: string, ...args: string[]][] = [];
  /** The environment of the last sbatch, and so of its jobs: a line a variable. */
  environment = "";
  /** Whether no job begins. */
  held = false;
  /** How many jobs may be open. */
  room = Number.POSITIVE_INFINITY;
  /** The answer of a command in the place of its own; undefined for its own. */
  failure: (command: string) => Answer | undefined = () => undefined;
  /** Does a job's work. @returns its exit code, or the state it ends in */
  work: (job: FakeJob) => Promise<number | string>;

  /** Puts the commands on PATH. */
  constructor(work: (job: FakeJob) => Promise<number | string>) {
    this.work = work;
    for (const command of ["sbatch", "squeue", "scancel", "scontrol", "sinfo"]) {
      writeFileSync(join(this.folder, command), CLIENT);
      chmodSync(join(this.folder, command), 0o755);
    }
    process.env.PATH = `${this.folder}:${this.path}`;
    process.env.CLUSTER = this.folder;
    this.serving = this.serve();
  }

  private async serve(): Promise<void> {
    while (!this.closed) {
      for (const call of readdirSync(this.folder).filter((name) => name.endsWith(".call"))) {
        const at = join(this.folder, call);
        const [command, ...args] = readFileSync(join(at, "words"), "utf8").trimEnd().split("\n");
        this.calls.push([command, ...args]);
        if (command === "sbatch") this.environment = readFileSync(join(at, "env"), "utf8");
        const { code = 0, text } =
          this.failure(command) ??
          this.answer(command, args, command === "sbatch" ? readFileSync(join(at, "script"), "utf8") : "");
        writeFileSync(join(at, "answer"), `${code}\n${text}`);
        rmSync(at, { recursive: true });
      }
      if (!this.held) for (const job of this.jobs) if (job.state === "PENDING") this.begin(job);
      await sleep(TICK_MILLISECONDS);
    }
  }

  private answer(command: string, args: string[], script: string): Answer {
    const option = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
    switch (command) {
      case "sbatch": {
        const indices = option("array")!
          .split(",")
          .flatMap((part) => {
            const [from, to = from] = part.split("-").map(Number);
            return Array.from({ length: to - from + 1 }, (_, at) => from + at);
          });
        const open = this.jobs.filter(({ state }) => OPEN.includes(state)).length;
        if (open + indices.length > this.room)
          return {
            code: 1,
            text: "sbatch: error: Batch job submission failed: Resource temporarily unavailable\n",
          };
        const job = String(Math.max(0, ...this.jobs.map((one) => Number(one.job))) + 1);
        for (const index of indices)
          this.jobs.push({
            id: `${job}_${index}`,
            job,
            index,
            name: option("job-name")!,
            state: "PENDING",
            reason: "None",
            args,
            script,
            cancelled: new AbortController(),
          });
        return { text: `${job}\n` };
      }
      case "squeue":
        return {
          text: this.jobs
            .map(({ job, index, state, reason, name }) => `${job}|${index}|${state}|${reason}|n1|${name}\n`)
            .join(""),
        };
      case "scancel":
        for (const job of this.jobs)
          if (args.includes(job.job) || args.includes(job.id))
            if (job.state === "PENDING" || (job.state === "RUNNING" && !args.includes("--state=PENDING"))) {
              job.state = "CANCELLED";
              job.cancelled.abort();
            }
        return { text: "" };
      case "scontrol":
        return { text: "MaxArraySize            = 1001\n" };
      default:
        return { text: "4\n2+\n" };
    }
  }

  /** Begins a job when it may. */
  private begin(job: FakeJob): void {
    const waits =
      job.args.find((arg) => arg.startsWith("--dependency="))?.slice("--dependency=".length) ?? "";
    for (const term of waits.split(",").filter(Boolean)) {
      const [kind, ...ids] = term.split(":");
      for (const id of ids) {
        const wanted = kind === "aftercorr" ? `${id}_${job.index}` : id;
        const found = this.jobs.filter((one) => one.id === wanted || one.job === wanted);
        if (found.some(({ state }) => state !== ENDED_WELL && !OPEN.includes(state))) job.state = "CANCELLED";
        if (found.length === 0 || found.some(({ state }) => state !== ENDED_WELL)) return;
      }
    }
    job.state = "RUNNING";
    void this.work(job).then((end) => {
      if (job.state === "RUNNING")
        job.state = end === 0 ? ENDED_WELL : typeof end === "string" ? end : "FAILED";
    });
  }

  /** Forgets all jobs and failures. */
  reset(): void {
    for (const { cancelled } of this.jobs) cancelled.abort();
    [this.jobs, this.calls, this.held, this.room] = [[], [], false, Number.POSITIVE_INFINITY];
    this.failure = () => undefined;
  }
  /** The arguments of each call of a command. */
  callsOf(command: string): string[][] {
    return this.calls.filter(([name]) => name === command).map(([, ...args]) => args);
  }
  states(): string[] {
    return this.jobs.map(({ state }) => state);
  }

  /** Takes the commands off PATH. */
  async remove(): Promise<void> {
    this.reset();
    this.closed = true;
    await this.serving;
    process.env.PATH = this.path;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until `found` gives something. */
export async function until<T>(found: () => T | undefined | false, what: string): Promise<T> {
  for (let at = 0; at < 3000; at++) {
    const value = found();
    if (value) return value;
    await sleep(10);
  }
  throw new Error(`${what} did not come about`);
}
