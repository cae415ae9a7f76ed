/** Submitting to Slurm, following the jobs, and failures of Slurm. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Plan } from "../../../../runner/plan/plan.ts";
import type { Task } from "../../../../runner/plan/task.ts";
import { Events } from "../../../../runner/run/events.ts";
import type { Summary } from "../../../../runner/run/execute.ts";
import { type Job, StageError } from "../../../../runner/run/index.ts";
import { runOnSlurm } from "../../../../runner/run/slurm/run.ts";
import { work } from "../../../../runner/run/slurm/work.ts";
import { Store } from "../../../../runner/store/store.ts";
import type { SlurmSettings } from "../../../../runner/study/slurm-settings.ts";
import { Cluster, type FakeJob, until } from "./cluster.ts";
import { task } from "./tasks.ts";

const root = mkdtempSync(join(tmpdir(), "deephash-slurm-run-"));
let folder = "";
/** The ids that ran, and what each does in the place of writing its own name. */
let ran: string[] = [];
let deeds: Record<string, (job: Job) => Promise<void> | void> = {};

async function stage(job: Job) {
  ran.push(job.task.id);
  await deeds[job.task.id]?.(job);
  writeFileSync(job.outputs.o, job.task.id);
  return { notes: {}, peakMegabytes: 1 };
}

/** Does a job's work in this process. */
const workHere = (job: FakeJob) =>
  work(folder, job.name, {
    job: job.job,
    index: job.index,
    cores: 1,
    restarts: 0,
    executor: stage,
    signal: job.cancelled.signal,
    absentSeconds: 0,
  });

const cluster = new Cluster(workHere);
beforeEach(() => {
  cluster.reset();
  cluster.work = workHere;
  [ran, deeds] = [[], {}];
  folder = mkdtempSync(join(root, "cache-"));
});
afterAll(async () => {
  await cluster.remove();
  rmSync(root, { recursive: true });
});

/** A study of one stage, a matrix that needs it, and one that needs all of these. */
const STUDY = [
  task("data"),
  task("train[seed=1]", ["data"]),
  task("train[seed=2]", ["data"]),
  task("report", ["train[seed=1]", "train[seed=2]"]),
];
const ALL = STUDY.map(({ id }) => id);

interface Options {
  forced?: string[];
  keepGoing?: boolean;
  detach?: boolean;
  cores?: number;
  settings?: SlurmSettings;
}

/** Runs tasks on the cluster. @returns the summary, and the messages, a line each */
function start(tasks: Task[], { forced = [], settings, ...more }: Options = {}) {
  const cancelled = new AbortController();
  const lines: string[] = [];
  const events = new Events();
  events.listen({
    started: ({ task, reason }) => lines.push(`started ${task.id} (${reason})`),
    progress: ({ task, done, total, unit }) => lines.push(`progress ${task.id} ${done}/${total} ${unit}`),
    warned: ({ task, message }) => lines.push(`warned ${task ? `${task.id}: ` : ""}${message}`),
    finished: ({ task }) => lines.push(`finished ${task.id}`),
    failed: ({ task, error, log }) => lines.push(`failed ${task.id}: ${error.message} [${log}]`),
    said: ({ message }) => lines.push(`said ${message}`),
  });
  const store = new Store(folder, events.tell);
  const plan = new Plan(tasks, store, root, new Set(forced), store.latest("p"), events.tell);
  plan.advance();
  const ended = runOnSlurm(
    plan,
    store,
    {
      root,
      profile: "p",
      keepGoing: false,
      detach: false,
      settings: { poll: 0.1, group: 0, ...settings },
      signal: cancelled.signal,
      ...more,
    },
    events,
  );
  const keys = () =>
    Object.fromEntries([...plan.states].flatMap(([id, state]) => ("key" in state ? [[id, state.key]] : [])));
  return { ended, lines, cancel: () => cancelled.abort(), store, plan, keys };
}
const well = (ran: number): Summary => ({
  ran,
  failed: 0,
  skipped: 0,
  cancelled: false,
  user: false,
  left: 0,
});
const dependencies = () =>
  cluster
    .callsOf("sbatch")
    .map((args) => args.find((arg) => arg.startsWith("--dependency="))?.slice("--dependency=".length));
const askedFor = (stage: string) =>
  cluster.callsOf("sbatch").find((args) => args.some((arg) => arg.startsWith(`--job-name=${stage}.`)))!;

describe("a run", () => {
  test("runs every stage once, after what it needs, and has nothing to do the second time", async () => {
    const { ended, lines } = start(STUDY);
    expect(await ended).toEqual(well(4));
    expect(ran[0]).toBe("data");
    expect(ran.at(-1)).toBe("report");
    expect([...ran].sort()).toEqual([...ALL].sort());
    expect(lines[0]).toBe("said Slurm: 4 jobs submitted.");
    for (const id of ALL) {
      expect(lines).toContain(`started ${id} (never ran)`);
      expect(lines).toContain(`finished ${id}`);
    }
    const calls = cluster.callsOf("sbatch").length;
    expect(await start(STUDY).ended).toEqual(well(0));
    expect(cluster.callsOf("sbatch")).toHaveLength(calls);
  });

  test("submits a matrix as one array, with its dependencies, and lets nodes fail", async () => {
    await start(STUDY).ended;
    const calls = cluster.callsOf("sbatch");
    expect(dependencies()).toEqual([undefined, "afterok:1", "afterok:2"]);
    expect(calls.map((args) => args.find((arg) => arg.startsWith("--array=")))).toEqual([
      "--array=0",
      "--array=0-1",
      "--array=0",
    ]);
    for (const args of calls)
      expect(args).toEqual(expect.arrayContaining(["--parsable", "--requeue", "--kill-on-invalid-dep=yes"]));
    expect(askedFor("train").find((arg) => arg.startsWith("--job-name="))).toMatch(/=train\.[0-9a-f]{16}$/);
  });

  test("lets each element of a matrix wait for its own", async () => {
    const tasks = [
      task("train[seed=1]"),
      task("train[seed=2]"),
      task("embed[seed=1]", ["train[seed=1]"]),
      task("embed[seed=2]", ["train[seed=2]"]),
    ];
    expect(await start(tasks).ended).toEqual(well(4));
    expect(dependencies()).toEqual([undefined, "aftercorr:1"]);
  });

  test("puts stages that were short into one job", async () => {
    const { ended, store, keys } = start(STUDY);
    await ended;
    store.keepLatest("p", keys());
    cluster.reset();
    ran = [];
    expect(await start(STUDY, { forced: ALL, settings: { group: 300 } }).ended).toEqual(well(4));
    expect(cluster.jobs).toHaveLength(1);
    expect([...ran].sort()).toEqual([...ALL].sort());
  });

  test("requests the settings of the stages", async () => {
    const tasks = [
      task("big", [], { cpus: "all", timeout: 90, retries: 1 }),
      task("some", [], { cpus: 3 }),
      task("small"),
    ];
    const settings = {
      account: "vision",
      partition: "long",
      time: "2:00:00",
      options: ["--mem=1G"],
      stages: { big: { partition: "gpu", options: ["--gres=gpu:1"] } },
    };
    await start(tasks, { settings }).ended;
    // Twice its timeout, and a minute for the overhead; the cores of the smallest node.
    expect(askedFor("big")).toEqual(
      expect.arrayContaining(["--account=vision", "--partition=gpu", "--time=4", "--cpus-per-task=2"]),
    );
    expect(askedFor("big").slice(-2)).toEqual(["--mem=1G", "--gres=gpu:1"]);
    expect(askedFor("small")).toEqual(
      expect.arrayContaining(["--account=vision", "--partition=long", "--time=2:00:00", "--cpus-per-task=1"]),
    );
    expect(askedFor("small")).not.toContain("--gres=gpu:1");
    expect(askedFor("some")).toContain("--cpus-per-task=3");
    expect(cluster.callsOf("sinfo")).toEqual([["--noheader", "--format=%c", "--partition=gpu"]]);
  });

  test("takes no more cores than it may", async () => {
    await start([task("big", [], { cpus: "all" }), task("some", [], { cpus: 3 })], { cores: 2 }).ended;
    for (const stage of ["big", "some"]) expect(askedFor(stage)).toContain("--cpus-per-task=2");
    expect(cluster.callsOf("sinfo")).toEqual([]);
  });

  test("stops the wave where a stage makes the same bytes again", async () => {
    await start(STUDY).ended;
    ran = [];
    const changed = [task("data", [], { codeHash: "d" }), ...STUDY.slice(1)];
    expect(await start(changed).ended).toEqual(well(1));
    expect(ran).toEqual(["data"]);
  });

  test("reruns forced tasks, and tasks whose results the store lost", async () => {
    const { ended, store, keys } = start(STUDY);
    await ended;
    ran = [];
    expect(await start(STUDY, { forced: ["train[seed=1]"] }).ended).toEqual(well(1));
    expect(ran).toEqual(["train[seed=1]"]);
    const { hash } = store.record(keys()["train[seed=2]"])!.outputs.o;
    rmSync(join(folder, "objects", hash.slice(0, 2), hash));
    ran = [];
    const { lines, ended: again } = start([...STUDY, task("other", ["train[seed=2]"])]);
    expect(await again).toEqual(well(2));
    expect(ran).toEqual(["train[seed=2]", "other"]);
    expect(lines).toContainEqual(expect.stringMatching(/^started train\[seed=2\] \(object \w+… is gone\)$/));
  });

  test("passes on progress and warnings", async () => {
    deeds.data = ({ onProgress, onWarn }) => {
      onProgress(3, 10, "steps");
      onWarn("two rows look odd.");
    };
    const { ended, lines } = start([task("data")]);
    await ended;
    expect(lines).toContain("progress data 3/10 steps");
    expect(lines).toContain("warned data: two rows look odd.");
  });
});

describe("submitting twice", () => {
  test("a second run follows the jobs of the first, and submits none", async () => {
    cluster.held = true;
    expect(await start(STUDY, { detach: true }).ended).toEqual({ ...well(0), skipped: 4, left: 4 });
    const [second, third] = [start(STUDY), start(STUDY, { settings: { group: 300 } })];
    for (const { lines } of [second, third])
      await until(
        () => lines.includes("said Slurm: 0 jobs submitted, 4 jobs of an earlier run found and followed."),
        "a run that follows",
      );
    cluster.held = false;
    expect(await second.ended).toEqual(well(4));
    expect(await third.ended).toEqual(well(4));
    expect(cluster.callsOf("sbatch")).toHaveLength(3);
    expect([...ran].sort()).toEqual([...ALL].sort());
  });

  test("two at the same time submit each job once", async () => {
    const [first, second] = [start(STUDY), start(STUDY)];
    expect(await first.ended).toMatchObject({ failed: 0 });
    await second.ended;
    expect(await second.ended).toMatchObject({ failed: 0 });
    expect(cluster.jobs).toHaveLength(4);
    expect([...ran].sort()).toEqual([...ALL].sort());
  });

  test("a run with another param submits what differs alone", async () => {
    cluster.held = true;
    await start(STUDY, { detach: true }).ended;
    const other = task("train[seed=2]", ["data"], { params: { steps: 7 } });
    const { ended, lines } = start([STUDY[0], STUDY[1], other, STUDY[3]], { detach: true });
    await ended;
    expect(lines).toContain("said Slurm: 2 jobs submitted, 2 jobs of an earlier run found and followed.");
    expect(dependencies().slice(3)).toEqual(["afterok:1_0", "afterok:2_0:4"]);
  });

  test("tasks that make the same are submitted once", async () => {
    const twin = task("data[twin]", [], { params: { id: "data" } });
    expect(await start([STUDY[0], twin, task("report", ["data", "data[twin]"])]).ended).toEqual(well(2));
    expect(cluster.jobs).toHaveLength(2);
  });

  test("a submission whose answer was lost is found, not repeated", async () => {
    let lost = false;
    cluster.failure = (command) => {
      if (lost || command !== "sbatch") return undefined;
      lost = true;
      cluster.jobs.push({
        ...{ id: "1_0", job: "1", index: 0, state: "PENDING", reason: "None", script: "" },
        name: cluster.calls
          .at(-1)!
          .find((arg) => arg.startsWith("--job-name="))!
          .slice("--job-name=".length),
        args: [],
        cancelled: new AbortController(),
      });
      return {
        code: 1,
        text: "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n",
      };
    };
    expect(await start([task("data")]).ended).toEqual(well(1));
    expect(cluster.callsOf("sbatch")).toHaveLength(1);
    expect(ran).toEqual(["data"]);
  });

  test("a submission that never arrived is repeated", async () => {
    let tries = 0;
    cluster.failure = (command) =>
      command === "sbatch" && tries++ === 0
        ? {
            code: 1,
            text: "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)\n",
          }
        : undefined;
    expect(await start([task("data")]).ended).toEqual(well(1));
    expect(cluster.callsOf("sbatch")).toHaveLength(2);
    expect(cluster.jobs).toHaveLength(1);
  });
});

describe("failures of Slurm", () => {
  test("a controller that is silent is waited for, with one line", async () => {
    cluster.held = true;
    const { ended, lines } = start(STUDY);
    await until(() => cluster.jobs.length === 4, "the jobs");
    cluster.failure = () => ({
      code: 1,
      text: "squeue: error: Unable to contact slurm controller (connect failure)\n",
    });
    const asked = cluster.callsOf("squeue").length;
    await until(() => cluster.callsOf("squeue").length > asked + 3, "some looks");
    cluster.failure = () => undefined;
    // The jobs wait for it: a run whose results are all there ends without another look.
    await until(() => lines.includes("warned Slurm's controller answers again."), "an answer");
    cluster.held = false;
    expect(await ended).toEqual(well(4));
    expect(lines.filter((line) => line.includes("does not answer"))).toEqual([
      "warned Slurm's controller does not answer (Unable to contact slurm controller (connect failure)). Waiting for it.",
    ]);
    expect(cluster.callsOf("sbatch")).toHaveLength(3);
  });

  test("a job that is refused is the user's fault, in sbatch's words", async () => {
    cluster.failure = (command) =>
      command === "sbatch"
        ? { code: 1, text: "sbatch: error: Batch job submission failed: Invalid partition name specified\n" }
        : undefined;
    await expect(start(STUDY).ended).rejects.toMatchObject({
      name: "UserError",
      message: expect.stringMatching(
        /^sbatch refused data\.\w+: Batch job submission failed: Invalid partition name specified\. Correct "slurm" in/,
      ),
    });
  });

  test("a full cluster takes the rest as others end", async () => {
    cluster.room = 1;
    cluster.held = true;
    const { ended, lines } = start([task("a"), task("b", ["a"]), task("c", ["b"])]);
    await until(() => lines.some((line) => line.includes("takes no more jobs now")), "the refusal");
    cluster.held = false;
    expect(await ended).toEqual(well(3));
    expect(ran).toEqual(["a", "b", "c"]);
    expect(lines.filter((line) => line.includes("takes no more jobs now"))).toHaveLength(1);
  });

  test.each([
    "NODE_FAIL",
    "gone",
  ])("a job that is lost (%s) comes again, with what waited for it", async (state) => {
    let losses = 0;
    cluster.work = async (job) => {
      if (losses++) return workHere(job);
      if (state === "gone") cluster.jobs = cluster.jobs.filter((one) => one !== job);
      return state;
    };
    const { ended, lines } = start(state === "gone" ? [task("data")] : STUDY);
    expect(await ended).toMatchObject({ failed: 0, skipped: 0 });
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^warned job 1_0 \(data\) was lost \(.*\)\. The missing stages are submitted again\.$/,
      ),
    );
    expect(ran.filter((id) => id === "data")).toHaveLength(1);
  });

  test("a job whose journal said all is not missed when Slurm forgets it at once", async () => {
    cluster.work = async (job) => {
      cluster.jobs = cluster.jobs.filter((one) => one !== job);
      return workHere(job);
    };
    expect(await start([task("data")]).ended).toEqual(well(1));
    expect(cluster.callsOf("sbatch")).toHaveLength(1);
  });

  test("a job that Slurm sent to another machine goes on, and is told", async () => {
    cluster.work = async (job) => {
      const killed = work(folder, job.name, {
        ...{ job: job.job, index: job.index, cores: 1, restarts: 0, absentSeconds: 0 },
        executor: () => new Promise<never>(() => {}), // until its machine dies
        signal: new AbortController().signal,
      });
      void killed;
      await sleep(150);
      rmSync(join(folder, "locks"), { recursive: true }); // as a dead owner leaves it
      return workHere(job);
    };
    const { ended, lines } = start([task("data")]);
    expect(await ended).toEqual(well(1));
    expect(lines).toContainEqual(
      expect.stringMatching(/^warned job 1_0 \(data\) begins again, on .*requeued it\.$/),
    );
    expect(lines.filter((line) => line.startsWith("started"))).toHaveLength(1);
  });

  test.each([
    ["CANCELLED", "was cancelled, by a person or by Slurm."],
    ["TIMEOUT", "ran into its time limit."],
    ["OUT_OF_MEMORY", "was killed because memory ran out."],
    ["FAILED", "ended (FAILED) before its stage was done. The last line of its log: exec: node: not found"],
  ])("a job that ends as %s has failed, and its log is named", async (state, words) => {
    cluster.work = async (job) => {
      const log = job.args.find((arg) => arg.startsWith("--output="))!.slice("--output=".length);
      writeFileSync(log.replace("%A", job.job).replace("%a", "0"), "exec: node: not found\n");
      return state;
    };
    const { ended, lines } = start(STUDY);
    expect(await ended).toEqual({ ...well(0), failed: 1, skipped: 3 });
    const [line] = lines.filter((one) => one.startsWith("failed"));
    expect(line).toContain(`failed data: its job 1_0 ${words}`);
    expect(line).toMatch(/\[.*slurm\/data\.\w+\/1_0\.log\]$/);
    expect(ran).toEqual([]);
  });

  test("after a failure nothing new begins", async () => {
    deeds.a = () => {
      throw new StageError("values.json: row 3 is no number.", "user");
    };
    cluster.work = async (job) => {
      const code = await workHere(job);
      cluster.held = true; // what follows would begin later
      return code;
    };
    const tasks = [task("a"), task("b", ["a"]), task("c", ["b"])];
    const { ended, lines } = start(tasks);
    expect(await ended).toEqual({ ...well(0), failed: 1, skipped: 2, user: true });
    expect(lines).toContainEqual(
      expect.stringMatching(/^failed a: values.json: row 3 is no number\. \[.*\.log\]$/),
    );
    expect(cluster.jobs[0].state).toBe("FAILED");
    expect(cluster.states().slice(1)).toEqual(["CANCELLED", "CANCELLED"]);
  });

  test("with keepGoing what does not depend on the failure is made", async () => {
    deeds["train[seed=1]"] = () => {
      throw new StageError("the sum is wrong");
    };
    const tasks = [
      ...STUDY,
      task("embed[seed=1]", ["train[seed=1]"]),
      task("embed[seed=2]", ["train[seed=2]"]),
    ];
    const { ended } = start(tasks, { keepGoing: true });
    expect(await ended).toEqual({ ...well(3), failed: 1, skipped: 2 });
    expect([...ran].sort()).toEqual(["data", "embed[seed=2]", "train[seed=1]", "train[seed=2]"]);
  });

  test("a task whose job is lost time and again fails at last", async () => {
    cluster.work = async () => "NODE_FAIL";
    const { ended, lines } = start([task("data")]);
    expect(await ended).toEqual({ ...well(0), failed: 1 });
    expect(cluster.jobs).toHaveLength(3);
    expect(lines).toContainEqual(
      expect.stringContaining("failed data: was submitted 3 times, and its job never came to an end."),
    );
  });

  test("a job that misses what it builds upon says so, and both are made again", async () => {
    let gone = false;
    cluster.work = async (job) => {
      if (!gone && job.name.startsWith("report")) {
        gone = true;
        for (const record of readdirSync(join(folder, "records")))
          if (readFileSync(join(folder, "records", record), "utf8").includes('"id": "data"'))
            rmSync(join(folder, "records", record));
      }
      return workHere(job);
    };
    const { ended, lines } = start([task("data"), task("report", ["data"])]);
    expect(await ended).toMatchObject({ failed: 0 });
    expect(lines).toContain(
      "warned job 2_0 (report): the result of data, which it depends on, is not in the store. The missing stages are submitted again.",
    );
    expect(ran.at(-1)).toBe("report");
  });
});

describe("Ctrl-C", () => {
  test("cancels the jobs that were submitted", async () => {
    deeds.data = ({ signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(new StageError("was cancelled.", "killed"))),
      );
    const { ended, cancel, lines } = start(STUDY);
    await until(() => lines.includes("started data (never ran)"), "the stage");
    cancel();
    expect(await ended).toEqual({ ...well(0), skipped: 4, cancelled: true });
    expect(cluster.states()).toEqual(["CANCELLED", "CANCELLED", "CANCELLED", "CANCELLED"]);
    expect(lines.filter((line) => line.startsWith("failed"))).toEqual([]);
  });

  test("leaves the jobs of another run, and says how to end them", async () => {
    cluster.held = true;
    await start(STUDY, { detach: true }).ended;
    const { ended, cancel, lines } = start(STUDY);
    await until(() => lines.length, "the run");
    cancel();
    expect(await ended).toEqual({ ...well(0), skipped: 4, cancelled: true, left: 4 });
    expect(lines.at(-1)).toBe("warned jobs that another run submitted go on. To end them: scancel 1 2 3");
    expect(cluster.states()).toEqual(["PENDING", "PENDING", "PENDING", "PENDING"]);
  });

  test("cancels a job of which sbatch could not say that it was taken", async () => {
    cluster.held = true;
    let silent = false;
    cluster.failure = (command) => {
      if (command === "sbatch") {
        silent = true;
        cluster.jobs.push({
          ...{ id: "7_0", job: "7", index: 0, state: "PENDING", reason: "None", script: "", args: [] },
          name: cluster.calls
            .at(-1)!
            .find((arg) => arg.startsWith("--job-name="))!
            .slice("--job-name=".length),
          cancelled: new AbortController(),
        });
      }
      return silent
        ? { code: 1, text: "error: Unable to contact slurm controller (connect failure)\n" }
        : undefined;
    };
    const { ended, cancel } = start([task("data")]);
    await until(() => silent, "the submission");
    cancel();
    await sleep(50);
    cluster.failure = () => undefined;
    expect(await ended).toMatchObject({ cancelled: true });
    expect(cluster.states()).toEqual(["CANCELLED"]);
  });
});

test("the environment that jobs inherit holds no secret but those that a stage passes on", async () => {
  vi.stubEnv("DEEPHASH_SIGNING_KEY", "sesame");
  vi.stubEnv("AWS_PROFILE", "sesame");
  vi.stubEnv("GITHUB_TOKEN", "sesame");
  vi.stubEnv("MY_TOKEN", "passed on");
  vi.stubEnv("SBATCH_ACCOUNT", "vision");
  try {
    const { ended } = start([{ ...task("data"), env: { TOKEN: { from: "MY_TOKEN" }, MODE: "fast" } }]);
    expect((await ended).failed).toBe(0);
    expect(cluster.environment).toContain("MY_TOKEN=passed on\n");
    expect(cluster.environment).toContain("SBATCH_ACCOUNT=vision\n");
    expect(cluster.environment).not.toContain("sesame");
  } finally {
    vi.unstubAllEnvs();
  }
});
