import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Task } from "../../../runner/plan/task.ts";
import { checkClaims, gpusOf, Pool } from "../../../runner/run/resources.ts";

const task = (more: Partial<Task>) =>
  ({ id: "t", cpus: 1, at: (key: string) => `pipeline.yaml:9:5 (${key})`, ...more }) as unknown as Task;

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
  const capacity = { cpus: 4, bytes: 8e9, gpus: ["0"] };
  test("of more than the run has is refused with its place", () => {
    expect(() => checkClaims([task({ memory: 9e9 })], capacity)).toThrow(
      "pipeline.yaml:9:5 (memory) t claims 9.0 GB of memory, but the run has 8.0 GB. Claim less, or give the run more with --memory.",
    );
    expect(() => checkClaims([task({ gpu: 2 })], capacity)).toThrow(
      "pipeline.yaml:9:5 (gpu) t claims 2 GPUs, but the run has 1.",
    );
    expect(() => checkClaims([task({ gpu: 1 })], { ...capacity, gpus: [] })).toThrow(
      "t claims 1 GPU, but the run has none.",
    );
    expect(() => checkClaims([task({ memory: 8e9, gpu: 1, cpus: 99 })], capacity)).not.toThrow();
  });
  test("of memory or a GPU keeps others waiting, and gives back what it took", () => {
    const pool = new Pool(capacity);
    const [a, b] = [task({ gpu: 1, memory: 5e9 }), task({ gpu: 1 })];
    pool.take(a);
    expect(pool.shareOf(a)).toEqual({ cores: 1, gpus: ["0"] });
    expect(pool.fits(b)).toBe(false);
    expect(pool.fits(task({ memory: 4e9 }))).toBe(false);
    expect(pool.fits(task({ memory: 3e9, cpus: 3 }))).toBe(true);
    expect(pool.fits(task({ cpus: "all" }))).toBe(false);
    pool.give(a);
    pool.take(b);
    expect(pool.shareOf(b).gpus).toEqual(["0"]);
  });
  test.each([
    [1, 0, [4]],
    [2, 0, [2, 2]],
    [3, 0, [2, 1, 1]],
    [4, 0, [1, 1, 1, 1]],
    [1, 3, [1]],
    [2, 1, [2, 1]],
  ])("of the free cores: %i stages, beside %i others", (count, others, expected) => {
    const pool = new Pool(capacity);
    const starting = [
      ...Array.from({ length: others }, () => task({})),
      ...Array.from({ length: count }, () => task({ cpus: "free" })),
    ];
    for (const one of starting) {
      expect(pool.fits(one)).toBe(true);
      pool.take(one);
    }
    pool.shareOut(starting);
    expect(starting.slice(others).map((one) => pool.shareOf(one).cores)).toEqual(expected);
    expect(pool.fits(task({ cpus: "free" }))).toBe(false);
    for (const one of starting) pool.give(one);
    expect(pool.fits(task({ cpus: "all" }))).toBe(true);
  });
  test("running stages never take more than there is, nor one GPU twice", () => {
    const claims = fc.record({
      cpus: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom("all" as const, "free" as const)),
      memory: fc.option(fc.integer({ min: 1, max: 8e9 }), { nil: undefined }),
      gpu: fc.option(fc.nat(2), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(claims, fc.boolean())), (list) => {
        const two = { cpus: 4, bytes: 8e9, gpus: ["a", "b"] };
        const pool = new Pool(two);
        const running: Task[] = [];
        for (const [claim, ends] of list) {
          const next = task(claim);
          if (pool.fits(next)) {
            pool.take(next);
            pool.shareOut([next]);
            running.push(next);
          }
          const gpus = running.flatMap((one) => pool.shareOf(one).gpus);
          expect(new Set(gpus).size).toBe(gpus.length);
          expect(running.reduce((sum, one) => sum + (one.memory ?? 0), 0)).toBeLessThanOrEqual(8e9);
          const cores = running.map((one) => pool.shareOf(one).cores);
          expect(cores.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(4);
          for (const [index, { cpus }] of running.entries())
            if (cpus === "free") expect(cores[index]).toBeGreaterThan(0);
            else expect(cores[index]).toBe(cpus === "all" ? 4 : Math.min(4, cpus));
          if (ends && running.length) pool.give(running.shift()!);
        }
        for (const one of running) pool.give(one);
        expect(pool.fits(task({ cpus: "all", memory: 8e9, gpu: 2 }))).toBe(true);
      }),
    );
  });
});
