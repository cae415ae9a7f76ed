/** A stage that allows it runs several instances in one process, and nothing of one is seen in another. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { StageRecord } from "../../../runner/store/record.ts";
import { ECHO } from "../echo.ts";
import { Project } from "../project.ts";

const project = new Project(ECHO);
afterAll(() => project.remove());

/** A pipeline of a chain of instances: each begins when the one before has ended. */
function chain(steps: Record<string, unknown>[], more: object = {}): void {
  const stages = Object.fromEntries(
    steps.map((given, index) => [
      `s${index}`,
      {
        uses: "echo",
        with: { word: `w${index}`, ...given },
        ...(index ? { inputs: { values: `s${index - 1}.text` } } : {}),
        ...more,
      },
    ]),
  );
  project.reset({ ...ECHO, "pipeline.yaml": JSON.stringify({ profiles: { a: {} }, stages }) });
}

const records = () =>
  readdirSync(project.path("cache/records"))
    .map((file) => JSON.parse(project.read(`cache/records/${file}`)) as StageRecord)
    .sort((a, b) => a.id.localeCompare(b.id));
const pids = () => records().map(({ notes }) => notes.pid);
const log = (id: string) =>
  readFileSync(project.path("cache/logs", `${records().find((one) => one.id === id)!.key}.log`), "utf8");
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

beforeEach(() => chain([{}, {}, {}]));

describe("one process for instances of a stage", () => {
  it("takes the process of the one before, and ends it with the run", async () => {
    const { code, err } = await project.run();
    expect(code, err).toBe(0);
    expect(new Set(pids()).size).toBe(1);
    expect(records().map(({ notes }) => notes.runs)).toEqual([1, 2, 3]);
    expect(isAlive(Number(pids()[0]))).toBe(false);
  });

  it("ends it in order: it can write a file at its exit", async () => {
    const hook =
      "process.on('exit', (code) => require('node:fs').appendFileSync('node_modules/exits', process.pid + ' ' + code + '\\n'));";
    project.write("node_modules/hook.cjs", hook);
    project.env = { NODE_OPTIONS: `--require ${project.path("node_modules/hook.cjs")}` };
    await project.run();
    project.env = {};
    expect(project.read("node_modules/exits").split("\n")).toContain(`${pids()[0]} 0`);
  });

  it("keeps the logs apart, what a library prints as well", async () => {
    await project.run();
    for (const [index, id] of ["s0", "s1", "s2"].entries()) {
      expect(
        log(id)
          .match(/(logged|printed|native) w\d/g)!
          .sort(),
      ).toEqual(["logged", "native", "printed"].map((how) => `${how} w${index}`));
    }
  });

  it.each([
    "read",
    "thread",
  ])("notices what a later instance reads without declaring it: %s", async (mode) => {
    chain([{}, { mode }, {}]);
    project.write("extra.txt", "more");
    const { out, err } = await project.run();
    expect(new Set(pids()).size).toBe(1);
    expect(records().map(({ notes }) => notes.undeclared ?? "")).toEqual([
      "",
      expect.stringMatching(/^reads extra\.txt, which its key does not cover/),
      "",
    ]);
    expect(out + err).toMatch(/s1.*reads extra\.txt/);
  });

  it.runIf(process.platform === "linux")("measures the memory of each", async () => {
    chain([{ mode: "memory" }, { mode: "free" }, {}]);
    await project.run();
    expect(new Set(pids()).size).toBe(1);
    const [first, , last] = records().map(({ peakMegabytes }) => peakMegabytes);
    expect(first).toBeGreaterThan(190);
    expect(last).toBeLessThan(first - 100);
  });

  it("one that leaves something running has no successor in its process", async () => {
    chain([{}, { mode: "timer" }, {}]);
    const began = performance.now();
    expect((await project.run()).code).toBe(0);
    expect(performance.now() - began).toBeLessThan(30_000);
    const [first, second, third] = pids();
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it("one that asks for it ends its process", async () => {
    chain([{}, { mode: "ends" }, {}]);
    expect((await project.run()).code).toBe(0);
    const [first, second, third] = pids();
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it("says nothing in the name of the next one", async () => {
    chain([{ mode: "late" }, { mode: "pause" }]);
    const { code, out, err } = await project.run();
    expect(code).toBe(0);
    expect(new Set(pids()).size).toBe(1);
    expect(out + err).not.toMatch(/late of/);
    expect(records()[1].notes.undeclared).toBeUndefined();
  });

  it("takes a new process where the one that waited is gone", async () => {
    const slow = {
      run: "sleep 0.4; cp ${in.text} ${out.text}",
      inputs: { text: "s0.text" },
      outputs: { text: "text.txt" },
    };
    project.reset({
      ...ECHO,
      "pipeline.yaml": JSON.stringify({
        profiles: { a: {} },
        stages: {
          s0: { uses: "echo", with: { word: "a", mode: "dies" } },
          slow,
          s1: { uses: "echo", with: { word: "b" }, inputs: { values: "slow.text" } },
        },
      }),
    });
    const { code, out, err } = await project.run();
    expect(code, out + err).toBe(0);
    const own = records().filter(({ stage }) => stage !== "slow");
    expect(own[0].notes.pid).not.toBe(own[1].notes.pid);
  });

  it("one that fails ends its process, and the next has another", async () => {
    project.reset({
      ...ECHO,
      "pipeline.yaml": JSON.stringify({
        profiles: { a: {} },
        stages: {
          s: { uses: "echo", matrix: { mode: ["a", "throw", "c"] }, with: { mode: "${mode}", word: "w" } },
        },
      }),
    });
    const { code, out, err } = await project.run("--jobs", "1", "--keep-going");
    expect(code).toBe(1);
    expect(out + err).toMatch(/s\[mode=throw\].*no w/);
    expect(new Set(pids()).size).toBe(2);
  });

  it("its timeout ends one that waits, in a process that ran another", async () => {
    chain([{}, { mode: "wait" }, {}], { timeout: 1 });
    const { code, out, err } = await project.run();
    expect(code).toBe(1);
    expect(out + err).toMatch(/s1.*took longer than its timeout of 1 s/);
  });

  it("gives one that claims all cores a process of its own", async () => {
    chain([{}, {}, {}], { cpus: "all" });
    await project.run();
    expect(new Set(pids()).size).toBe(3);
  });

  it("makes a result again in a new process, to compare it", async () => {
    await project.run();
    const { code, out } = await project.run("verify", "--rerun", "s1");
    expect(code, out).toBe(0);
    expect(out).toMatch(/s1: the same bytes/);
  });
});
