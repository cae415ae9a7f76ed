/** The tasks that share a job, and the jobs that share an array. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Task } from "../../../../runner/plan/task.ts";
import {
  arrays,
  dependency,
  group,
  type JobArray,
  type Piece,
  ranges,
  type Submitted,
} from "../../../../runner/run/slurm/group.ts";
import { task } from "./tasks.ts";

/** Groups tasks whose seconds are given by id; the recipe is the id. */
const pieces = (
  tasks: Task[],
  seconds: Record<string, number> = {},
  running: Map<string, Submitted> = new Map(),
) =>
  group(tasks, running, {
    group: 100,
    shapeOf: ({ cpus }) => String(cpus),
    secondsOf: ({ id }) => seconds[id],
    recipeOf: (id) => id,
  });
const ids = (found: Piece[]) => found.map(({ tasks }) => tasks.map(({ id }) => id));

describe("group", () => {
  test("gives long and unknown tasks a job of their own", () => {
    expect(ids(pieces([task("a"), task("b"), task("c", ["a", "b"])], { b: 101 }))).toEqual([
      ["a"],
      ["b"],
      ["c"],
    ]);
  });

  test("puts short stages together as long as there is room", () => {
    const tasks = [1, 2, 3, 4].map((at) => task(`a[at=${at}]`));
    const seconds = Object.fromEntries(tasks.map(({ id }) => [id, 40]));
    expect(ids(pieces(tasks, seconds))).toEqual([
      ["a[at=1]", "a[at=2]"],
      ["a[at=3]", "a[at=4]"],
    ]);
  });

  test("puts a short stage to the one whose result it takes, however long that is", () => {
    const tasks = [task("train"), task("embed", ["train"]), task("evaluate", ["embed", "train"])];
    expect(ids(pieces(tasks, { train: 9000, embed: 3, evaluate: 5 }))).toEqual([
      ["train", "embed", "evaluate"],
    ]);
  });

  test("keeps apart what asks for something else", () => {
    expect(ids(pieces([task("a"), task("b", ["a"], { cpus: 4 })], { a: 1, b: 1 }))).toEqual([["a"], ["b"]]);
  });

  test("waits for jobs that are on their way, and makes nothing they make", () => {
    const job = { job: "7", index: 3 };
    const [piece, ...more] = pieces([task("a"), task("b", ["a"])], {}, new Map([["a", job]]));
    expect(more).toEqual([]);
    expect(ids([piece])).toEqual([["b"]]);
    expect([...piece.after]).toEqual([job]);
  });

  test("does not name what another one waits for already", () => {
    const [a, b, c] = pieces([task("a"), task("b", ["a"]), task("c", ["a", "b"])]);
    expect([...b.after]).toEqual([a]);
    expect([...c.after]).toEqual([b]);
  });
});

describe("arrays", () => {
  const matrix = (stage: string, count: number, from?: (at: number) => string[]) =>
    Array.from({ length: count }, (_, at) => task(`${stage}[at=${at}]`, from?.(at)));
  const shown = (found: JobArray[]) =>
    found.map(({ stage, elements, after, corresponding }) => ({
      stage,
      indices: [...elements.keys()],
      after: after.length,
      corresponding: corresponding && found.indexOf(corresponding as JobArray),
    }));

  test("one for a matrix that waits for the same", () => {
    const tasks = [task("data"), ...matrix("train", 3, () => ["data"])];
    expect(shown(arrays(pieces(tasks), 1000).found)).toEqual([
      { stage: "data", indices: [0], after: 0 },
      { stage: "train", indices: [0, 1, 2], after: 1 },
    ]);
  });

  test("element by element where each waits for its own", () => {
    const tasks = [
      task("data"),
      ...matrix("train", 3, () => ["data"]),
      ...matrix("embed", 3, (at) => [`train[at=${2 - at}]`]),
    ];
    const { found } = arrays(pieces(tasks), 1000);
    expect(shown(found)[2]).toEqual({ stage: "embed", indices: [2, 1, 0], after: 0, corresponding: 1 });
    for (const [
      index,
      {
        tasks: [embed],
      },
    ] of found[2].elements)
      expect(embed.inputs.i).toEqual([{ id: `train[at=${index}]`, output: "o" }]);
  });

  test("of no more elements than may be", () => {
    const tasks = [...matrix("train", 5), ...matrix("embed", 5, (at) => [`train[at=${at}]`])];
    expect(shown(arrays(pieces(tasks), 3).found)).toEqual([
      { stage: "train", indices: [0, 1, 2], after: 0 },
      { stage: "train", indices: [0, 1], after: 0 },
      { stage: "embed", indices: [0, 1, 2], after: 0, corresponding: 0 },
      { stage: "embed", indices: [0, 1], after: 0, corresponding: 1 },
    ]);
  });

  test("element by element of an array that is on its way", () => {
    const running = new Map([4, 7].map((index) => [`train[at=${index}]`, { job: "9", index }]));
    const tasks = [
      task("train[at=4]"),
      task("train[at=7]"),
      task("embed[at=7]", ["train[at=7]"]),
      task("embed[at=4]", ["train[at=4]"]),
    ];
    const { found, placeOf } = arrays(pieces(tasks, {}, running), 1000);
    expect(found).toHaveLength(1);
    expect([...found[0].elements.keys()]).toEqual([7, 4]);
    expect(dependency(found[0], placeOf, new Map())).toBe("aftercorr:9");
  });

  test("one for each that waits for something else, as several", () => {
    const tasks = [
      ...matrix("tune", 4),
      task("select[at=0]", ["tune[at=0]", "tune[at=1]"]),
      task("select[at=1]", ["tune[at=2]", "tune[at=3]"]),
    ];
    const { found, placeOf } = arrays(pieces(tasks), 1000);
    const jobs = new Map(found.map((array, at) => [array, String(at + 1)]));
    expect(found.map((array) => dependency(array, placeOf, jobs))).toEqual([
      "",
      "afterok:1_0:1_1",
      "afterok:1_2:1_3",
    ]);
  });

  test("wait for whole arrays, elements, their own elements and jobs on their way", () => {
    const running = new Map([["old", { job: "7", index: 3 }]]);
    const tasks = [
      task("old"),
      task("data"),
      ...matrix("train", 2, () => ["data", "old"]),
      ...matrix("embed", 2, (at) => [`train[at=${at}]`]),
      task("report", ["embed[at=0]", "embed[at=1]"]),
    ];
    const { found, placeOf } = arrays(pieces(tasks, {}, running), 1000);
    const jobs = new Map(found.map((array, at) => [array, String(at + 11)]));
    expect(found.map((array) => dependency(array, placeOf, jobs))).toEqual([
      "",
      "afterok:7_3:11",
      "aftercorr:12",
      "afterok:13",
    ]);
  });
});

test("ranges are as sbatch writes them", () => {
  expect(ranges([0])).toBe("0");
  expect(ranges([3, 0, 1, 2, 9, 7])).toBe("0-3,7,9");
});

test("for any graph: every task once, in jobs without a circle, that wait for all they need", () => {
  const graph = fc
    .array(
      fc.record({
        stage: fc.constantFrom("a", "b", "c"),
        from: fc.array(fc.nat(), { maxLength: 3 }),
        seconds: fc.option(fc.integer({ min: 1, max: 150 })),
        cpus: fc.constantFrom(1, 2),
      }),
      { minLength: 1, maxLength: 25 },
    )
    .map((nodes) =>
      nodes.map(({ stage, from, seconds, cpus }, at) => ({
        seconds,
        task: task(
          `${stage}[at=${at}]`,
          at ? [...new Set(from.map((one) => one % at))].map((one) => `${nodes[one].stage}[at=${one}]`) : [],
          { cpus },
        ),
      })),
    );
  fc.assert(
    fc.property(graph, fc.integer({ min: 1, max: 4 }), (nodes, size) => {
      const tasks = nodes.map(({ task }) => task);
      const seconds = Object.fromEntries(
        nodes.flatMap(({ task: { id }, seconds }) => (seconds ? [[id, seconds]] : [])),
      );
      const found = pieces(tasks, seconds);
      expect(ids(found).flat().sort()).toEqual(tasks.map(({ id }) => id).sort());
      for (const { tasks: own, room } of found) {
        expect(room).toBeGreaterThanOrEqual(0);
        expect(new Set(own.map(({ cpus }) => cpus)).size).toBe(1);
      }
      // The dependencies of arrays were submitted before, and cover each task's inputs, perhaps by way of others.
      const { found: all, placeOf } = arrays(found, size);
      expect(all.flatMap(({ elements }) => [...elements.values()]).length).toBe(found.length);
      const before = new Map<Piece, Set<Piece>>();
      for (const [at, { elements, after, corresponding }] of all.entries()) {
        expect(elements.size).toBeLessThanOrEqual(size);
        for (const [index, piece] of elements) {
          const waits = [
            ...(after as Piece[]),
            ...(corresponding ? [(corresponding as JobArray).elements.get(index)!] : []),
          ];
          for (const one of waits) expect(all.indexOf(placeOf.get(one)!.array)).toBeLessThan(at);
          before.set(piece, new Set(waits.flatMap((one) => [one, ...before.get(one)!])));
          const made = new Set(
            [piece, ...before.get(piece)!].flatMap(({ tasks }) => tasks.map(({ id }) => id)),
          );
          for (const { inputs } of piece.tasks)
            for (const one of Object.values(inputs).flat())
              expect(made.has((one as { id: string }).id)).toBe(true);
        }
      }
    }),
  );
});
