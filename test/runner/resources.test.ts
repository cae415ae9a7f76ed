import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Task } from "../../runner/resolve.ts";
import { checkClaims, gpusOf, Pool } from "../../runner/resources.ts";
import { megabytesOf, memoryText, secondsOf } from "../../runner/units.ts";

const task = (more: Partial<Task>) =>
  ({ id: "t", cpus: 1, at: (key: string) => `pipeline.yaml:9:5 (${key})`, ...more }) as unknown as Task;

describe("units", () => {
  test.each([
    ["90s", 90],
    ["10m", 600],
    ["1.5 h", 5400],
    ["2d", 172_800],
    ["5 min", 300],
  ])("%s", (text, seconds) => expect(secondsOf(text)).toBe(seconds));
  test("a number is seconds", () => expect(secondsOf(0.5)).toBe(0.5));
  test.each(["", "10", "m", "-1m", "0m", "10 parsecs", "1m30s", "toString"])("%s is no time", (text) =>
    expect(secondsOf(text)).toBeUndefined());
  test("memory", () => {
    expect(megabytesOf("500MB")).toBe(500);
    expect(megabytesOf("4 gb")).toBe(4000);
    expect(megabytesOf("1GiB")).toBeCloseTo(1073.74, 2);
    for (const text of ["4", "4G B", "4 constructor", ""]) expect(megabytesOf(text)).toBeUndefined();
    expect([memoryText(500), memoryText(4000), memoryText(16_384.4)]).toEqual(["500 MB", "4 GB", "16.4 GB"]);
  });
});

describe("GPUs", () => {
  test("are those CUDA is shown, as many as are asked for", () => {
    expect(gpusOf(undefined, "2,3")).toEqual(["2", "3"]);
    expect(gpusOf(1, "2,3")).toEqual(["2"]);
    expect(gpusOf(0, "2,3")).toEqual([]);
    expect(gpusOf(undefined, "")).toEqual([]);
    expect(gpusOf(undefined, "-1")).toEqual([]);
    expect(gpusOf(2, "")).toEqual(["0", "1"]);
  });
});

describe("a claim", () => {
  const capacity = { cpus: 4, megabytes: 8000, gpus: ["0"] };
  test("of more than the run has is refused with its place", () => {
    expect(() => checkClaims([task({ memory: 9000 })], capacity)).toThrow(
      "pipeline.yaml:9:5 (memory) t claims 9 GB of memory, but the run has 8 GB. Claim less, or give the run more with --memory.",
    );
    expect(() => checkClaims([task({ gpu: 2 })], capacity)).toThrow(
      "pipeline.yaml:9:5 (gpu) t claims 2 GPUs, but the run has 1.",
    );
    expect(() => checkClaims([task({ gpu: 1 })], { ...capacity, gpus: [] })).toThrow(
      "t claims 1 GPU, but the run has none.",
    );
    expect(() => checkClaims([task({ memory: 8000, gpu: 1, cpus: 99 })], capacity)).not.toThrow();
  });
  test("of memory or a GPU keeps others waiting, and gives back what it took", () => {
    const pool = new Pool(capacity);
    const [a, b] = [task({ gpu: 1, memory: 5000 }), task({ gpu: 1 })];
    expect(pool.take(a)).toEqual(["0"]);
    expect(pool.fits(b)).toBe(false);
    expect(pool.fits(task({ memory: 4000 }))).toBe(false);
    expect(pool.fits(task({ memory: 3000, cpus: 3 }))).toBe(true);
    expect(pool.fits(task({ cpus: "all" }))).toBe(false);
    pool.give(a);
    expect(pool.take(b)).toEqual(["0"]);
  });
  test("whatever fits never takes more than there is, nor one GPU twice", () => {
    const claims = fc.record({
      cpus: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant("all" as const)),
      memory: fc.option(fc.integer({ min: 1, max: 8000 }), { nil: undefined }),
      gpu: fc.option(fc.nat(2), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(claims, fc.boolean())), (list) => {
        const two = { cpus: 4, megabytes: 8000, gpus: ["a", "b"] };
        const pool = new Pool(two);
        const running: { task: Task; gpus: string[] }[] = [];
        for (const [claim, ends] of list) {
          const next = task(claim);
          if (pool.fits(next)) running.push({ task: next, gpus: pool.take(next) });
          const gpus = running.flatMap((one) => one.gpus);
          expect(new Set(gpus).size).toBe(gpus.length);
          expect(running.reduce((sum, one) => sum + (one.task.memory ?? 0), 0)).toBeLessThanOrEqual(8000);
          const cores = running.map((one) => (one.task.cpus === "all" ? 4 : Math.min(4, one.task.cpus)));
          expect(cores.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(4);
          if (ends && running.length) pool.give(running.shift()!.task);
        }
        for (const { task } of running) pool.give(task);
        expect(pool.fits(task({ cpus: "all", memory: 8000, gpu: 2 }))).toBe(true);
      }),
    );
  });
});
