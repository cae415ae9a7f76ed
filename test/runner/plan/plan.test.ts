import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Code } from "../../../runner/code/bundle.ts";
import { sha256 } from "../../../runner/files/statcache.ts";
import { graph, status } from "../../../runner/inspect/graph.ts";
import { whatIf } from "../../../runner/inspect/what-if.ts";
import { why } from "../../../runner/inspect/why.ts";
import type { PlanEvent } from "../../../runner/plan/events.ts";
import { codesOf } from "../../../runner/plan/key.ts";
import { named } from "../../../runner/plan/named.ts";
import { Plan } from "../../../runner/plan/plan.ts";
import type { Task } from "../../../runner/plan/task.ts";
import { missingForPublish, publish } from "../../../runner/publish/publish.ts";
import type { Point } from "../../../runner/stage.ts";
import type { StageRecord } from "../../../runner/store/record.ts";
import { Store } from "../../../runner/store/store.ts";

let root: string;
let store: Store;
let told: PlanEvent[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "deephash-plan-"));
  told = [];
  store = new Store(join(root, "cache"), (event) => told.push(event));
});
afterEach(() => rmSync(root, { recursive: true }));

const code = (name: string): Code => ({
  hash: sha256(name),
  bundle: "",
  imports: [],
  packages: [],
  files: [],
  outline: {},
  definition: {},
});

/** A task that takes the output `o` of others. */
function task(id: string, from: string[] = [], more: Partial<Task> = {}): Task {
  return {
    id,
    stage: id.replace(/\[.*/, ""),
    point: {} as Point,
    inputs: from.length ? { i: from.map((one) => ({ id: one, output: "o" })) } : {},
    with: {},
    retries: 0,
    at: () => "",
    code: code("c"),
    params: { id },
    parts: {},
    many: [],
    named: [],
    tolerant: [],
    outputs: { o: { path: "o.json", measured: false } },
    cpus: 1,
    ...more,
    codeHash: sha256(more.codeHash ?? "c"),
  };
}
const makePlan = (tasks: Task[], forced: string[] = [], latest: Record<string, string> = {}) =>
  new Plan(tasks, store, root, new Set(forced), latest, (event) => told.push(event));

/** Plays the executor: runs one task to this content. */
function run(plan: Plan, one: Task, content = `made by ${one.id}`): StageRecord {
  const { key } = plan.start(one);
  const scratch = store.scratch(key);
  const outputs = Object.fromEntries(
    Object.entries(one.outputs).map(([name, { measured }]) => {
      writeFileSync(join(scratch, name), content);
      return [name, store.keepOutput(join(scratch, name), measured)];
    }),
  );
  const record: StageRecord = {
    key,
    id: one.id,
    stage: one.stage,
    ...plan.ingredients(one)!,
    packages: one.code?.packages ?? [],
    from: plan.origins(one),
    outputs,
    notes: {},
    machine: { host: "h", node: "v", cpu: "", cores: 1 },
    ended: "then",
    seconds: 1,
    peakMegabytes: 1,
  };
  for (const [hash, facts] of codesOf(one)) store.keepCode(hash, facts);
  store.keepRecord(record);
  plan.finish(one, record);
  return record;
}
/** Runs all tasks of the plan, in turn. @returns the ids that ran, and the latest keys */
function runAll(plan: Plan, content?: (id: string) => string) {
  const ran: string[] = [];
  for (let ready = plan.advance(); ready.length; ready = plan.advance()) {
    run(plan, ready[0], content?.(ready[0].id));
    ran.push(ready[0].id);
  }
  const latest = Object.fromEntries(
    [...plan.states].flatMap(([id, state]) => ("key" in state ? [[id, state.key]] : [])),
  );
  return { ran, latest };
}
const kinds = (plan: Plan) => [...plan.states.values()].map(({ kind }) => kind);
const objectOf = (record: StageRecord) => store.filesOf(record.outputs.o)[0][1];

describe("the state of tasks", () => {
  const chain = () => [task("a"), task("b", ["a"]), task("c", ["b"])];

  test("keys become known as the results upstream do", () => {
    const plan = makePlan(chain());
    expect(plan.advance().map(({ id }) => id)).toEqual(["a"]);
    expect(plan.states.get("c")).toEqual({ kind: "waits", for: ["b"] });
    expect(runAll(plan).ran).toEqual(["a", "b", "c"]);
    expect(kinds(plan)).toEqual(["done", "done", "done"]);
  });

  test("in a second plan all are hits, with no object on disk", () => {
    runAll(makePlan(chain()));
    rmSync(join(root, "cache/objects"), { recursive: true });
    const plan = makePlan(chain());
    expect(plan.advance()).toEqual([]);
    expect(kinds(plan)).toEqual(["hit", "hit", "hit"]);
  });

  test("a stage that comes to the same bytes stops the wave, other bytes go on", () => {
    runAll(makePlan(chain()));
    const changed = (hash: string) => [task("a", [], { codeHash: hash }), ...chain().slice(1)];
    expect(runAll(makePlan(changed("d"))).ran).toEqual(["a"]);
    expect(runAll(makePlan(changed("e")), (id) => `other of ${id}`).ran).toEqual(["a", "b", "c"]);
  });

  test("a result that came from a shared cache counts as long as its signer is trusted", () => {
    const by = `ed25519:${"A".repeat(43)}`;
    const plan = makePlan([task("a")]);
    const { latest } = runAll(plan);
    const record = store.record(latest.a)!;
    store.keepRecord({ ...record, by });
    writeFileSync(join(root, "trusted-keys"), `${by} ann\n`);
    const trusting = makePlan([task("a")]);
    trusting.advance();
    expect(trusting.states.get("a")).toMatchObject({ kind: "hit", record: { by } });
    rmSync(join(root, "trusted-keys"));
    const revoked = makePlan([task("a")]);
    revoked.advance();
    expect(revoked.states.get("a")).toMatchObject({
      kind: "miss",
      reason: "trusted-keys no longer lists the signer of its result",
    });
    revoked.lookAgain();
    revoked.advance();
    expect(revoked.states.get("a")).toMatchObject({ kind: "miss" });
    run(revoked, revoked.tasks[0]);
    expect(store.record(latest.a)!.by).toBeUndefined();
  });

  test("a file of the project is an input like any other", () => {
    const tasks = () => [task("a", [], { inputs: { i: [{ file: "x.txt" }] } })];
    writeFileSync(join(root, "x.txt"), "1");
    runAll(makePlan(tasks()));
    expect(makePlan(tasks()).advance()).toEqual([]);
    writeFileSync(join(root, "x.txt"), "2");
    expect(makePlan(tasks()).advance()).toHaveLength(1);
  });

  test("the maker of a file is part of the key where the stage sees it, and nowhere else", () => {
    const tasks = (name: string, named: boolean) => [
      task(name, [], { params: {} }),
      task("b", [name], { named: named ? ["i"] : [] }),
    ];
    const same = () => "same";
    runAll(makePlan(tasks("a", false)), same);
    expect(runAll(makePlan(tasks("other", false)), same).ran).toEqual([]);
    runAll(makePlan(tasks("a", true)), same);
    expect(runAll(makePlan(tasks("other", true)), same).ran).toEqual(["b"]);
  });

  test("of two with one key, the second takes what the first made", () => {
    const plan = makePlan([task("a[x=1]", [], { params: {} }), task("a[x=2]", [], { params: {} })]);
    const ready = plan.advance();
    expect(ready.map(({ id }) => id)).toEqual(["a[x=1]"]);
    run(plan, ready[0]);
    expect(plan.advance()).toEqual([]);
    expect(kinds(plan)).toEqual(["done", "hit"]);
  });

  test("what follows from a failure is skipped, and says because of whom", () => {
    const plan = makePlan([...chain(), task("d")]);
    const [a] = plan.advance();
    plan.start(a);
    plan.fail(a, "it broke");
    expect(plan.advance().map(({ id }) => id)).toEqual(["d"]);
    expect(plan.states.get("b")).toEqual({ kind: "skipped", because: "a" });
    expect(plan.states.get("c")).toEqual({ kind: "skipped", because: "a" });
  });

  test("forced tasks run, those downstream only on other bytes", () => {
    runAll(makePlan(chain()));
    const plan = makePlan(chain(), ["a"]);
    expect(plan.isForced(plan.tasks[0])).toBe(true);
    expect(runAll(plan).ran).toEqual(["a"]);
    expect(plan.isForced(plan.tasks[0])).toBe(false);
  });
});

describe("what the store lost", () => {
  test("is made again when it is needed, from as far up as need be", () => {
    const tasks = (hash: string) => [
      task("a"),
      task("b", ["a"]),
      task("c", ["b"], { codeHash: hash }),
      task("d", ["a"]),
    ];
    const first = makePlan(tasks("c"));
    runAll(first);
    for (const id of ["a", "b", "d"])
      rmSync(objectOf(store.record((first.states.get(id) as { key: string }).key)!));
    const plan = makePlan(tasks("other"));
    expect(runAll(plan).ran).toEqual(["a", "b", "c"]); // nobody needs what d made
    expect(told).toEqual([
      { kind: "lost", id: "b", reason: expect.stringMatching(/^object [0-9a-f]{8}… is gone$/) },
      { kind: "lost", id: "a", reason: expect.stringMatching(/^object [0-9a-f]{8}… is gone$/) },
    ]);
  });

  test("is the reason that is told", () => {
    const first = makePlan([task("a"), task("b", ["a"])]);
    const [a] = first.advance();
    rmSync(objectOf(run(first, a)));
    const plan = makePlan([task("a"), task("b", ["a"])]);
    plan.advance();
    expect(plan.states.get("a")).toMatchObject({
      kind: "miss",
      reason: expect.stringMatching(/^object .* is gone$/),
    });
  });

  test("and is published is made again, unless the published file is whole", () => {
    const tasks = () => [
      task("a", [], {
        publish: "reports",
        outputs: { o: { path: "o.json", measured: false }, m: { path: "m.json", measured: true } },
      }),
    ];
    const first = makePlan(tasks());
    runAll(first);
    expect(publish(first, store, root)).toEqual(["reports"]);
    rmSync(join(root, "cache/objects"), { recursive: true });
    const plan = makePlan(tasks());
    plan.advance();
    expect(missingForPublish(plan, store, root)).toEqual([]);
    writeFileSync(join(root, "reports/m.json"), "another machine's clock");
    expect(missingForPublish(plan, store, root)).toEqual([]);
    writeFileSync(join(root, "reports/o.json"), "edited");
    const { record } = plan.states.get("a") as { record: StageRecord };
    expect(missingForPublish(plan, store, root)).toEqual([
      { id: "a", record, outputs: [record.outputs.o], fault: expect.stringContaining("is gone") },
    ]);
  });
});

describe("reasons", () => {
  const reasons = (before: Partial<Task>, after: Partial<Task>) => {
    const { latest } = runAll(makePlan([task("a", [], before)]));
    const plan = makePlan([task("a", [], after)], [], latest);
    plan.advance();
    return (plan.states.get("a") as { reason?: string }).reason;
  };
  const how = (name: string, hash: string, params = {}) => ({
    parts: { how: { name, code: code(hash), params } },
  });

  test.each<[string, Partial<Task>, Partial<Task>, string]>([
    ["a param", { params: { n: 1, m: { k: 1 } } }, { params: { n: 2, m: { k: 3 } } }, "n: 1 → 2; m.k: 1 → 3"],
    ["a param more", { params: {} }, { params: { n: [1] } }, "n: none → [1]"],
    ["its code", {}, { codeHash: "d" }, "its code changed"],
    ["another part", how("x", "1"), how("y", "1"), "how: x → y"],
    ["a part more", {}, how("y", "1"), "how: none → y"],
    ["a part's code", how("x", "1"), how("x", "2"), "the code of how x changed"],
    [
      "more than two",
      { params: { a: 1, b: 1, c: 1, d: 1 } },
      { params: { a: 2, b: 2, c: 2, d: 2 } },
      "a: 1 → 2; b: 1 → 2; and 2 other changes",
    ],
    ["a part's param", how("x", "1", { by: 1 }), how("x", "1", { by: 2 }), "how.by: 1 → 2"],
  ])("%s", (_, before, after, reason) => {
    expect(reasons(before, after)).toBe(reason);
  });

  test("never ran, forced, and a result that was removed", () => {
    const plan = makePlan([task("a")]);
    plan.advance();
    expect(plan.states.get("a")).toMatchObject({ kind: "miss", reason: "never ran" });
    const { latest } = runAll(plan);
    const forced = makePlan([task("a")], ["a"], latest);
    forced.advance();
    expect(forced.states.get("a")).toMatchObject({ kind: "miss", reason: "forced" });
  });
});

describe("views", () => {
  const tasks = () => [
    task("a"),
    task("b-x[n=1]", ["a"]),
    task("b-x[n=2]", ["a"]),
    task("end", ["b-x[n=1]"]),
  ];

  test("status is one line a stage", () => {
    const plan = makePlan(tasks());
    plan.advance();
    expect(status(plan)).toBe("a    to run (never ran)\nb-x  2 waiting for a\nend  waiting for b-x");
    run(plan, plan.tasks[0]);
    plan.advance();
    run(plan, plan.tasks[1]);
    plan.advance();
    const again = makePlan(tasks());
    again.advance();
    expect(status(again)).toBe(
      "a    up to date\nb-x  up to date, 1 to run (never ran)\nend  to run (never ran)",
    );
  });

  test("a name means a stage, one instance, or those of a stage that agree with the axes written", () => {
    const all = [task("t[a=x,n=1]"), task("t[a=x,n=2]"), task("t[a=y,n=1]"), task("end")];
    const ids = (name: string) => named(name, all, `why ${name}: no such stage.`).map(({ id }) => id);
    expect(ids("t")).toHaveLength(3);
    expect(ids("t[a=x,n=2]")).toEqual(["t[a=x,n=2]"]);
    expect(ids("t[n=1]")).toEqual(["t[a=x,n=1]", "t[a=y,n=1]"]);
    expect(ids("end")).toEqual(["end"]);
    expect(() => ids("t[n=3]")).toThrow("why t[n=3]: no such stage. Its instances are t[a=x|y,n=1|2].");
    expect(() => ids("t[m=1]")).toThrow("Its instances are");
    expect(() => ids("end[n=1]")).toThrow("why end[n=1]: no such stage. end has one instance.");
    expect(() => ids("en")).toThrow('Did you mean "end"?');
  });

  test("status counts the reasons of a stage that fill more than a line", () => {
    const all = Array.from({ length: 9 }, (_, at) => task(`t[n=${at}]`));
    const states = new Map(all.map(({ id }) => [id, { kind: "miss", reason: `${"long ".repeat(12)}${id}` }]));
    const said = status({ tasks: all, states } as never);
    expect(said.split("\n")).toEqual([
      `t  9 to run (${"long ".repeat(12)}t[n=0]; and 8 other reasons)`,
      "The command why STAGE names what changed.",
    ]);
  });

  test("status wraps what a stage waits for at the words of a narrow terminal", () => {
    const makers = ["first-long-name", "second-long-name", "third-long-name", "fourth-long-name"];
    const plan = makePlan([...makers.map((id) => task(id)), task("end", makers)]);
    plan.advance();
    const lines = status(plan, 50).split("\n").slice(4);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(50);
    expect(lines).toEqual([
      "end               waiting for first-long-name,",
      "                  second-long-name,",
      "                  third-long-name and 1 more",
    ]);
    expect(status(plan).split("\n")).toHaveLength(5);
  });

  test("what-if of stages that never ran claims no time", () => {
    const plan = makePlan(tasks());
    plan.advance();
    expect(whatIf(plan, store, 2).split("\n").at(-1)).toBe(
      "At most 4 stages of 4 would run. None of them has run before: their time is unknown.",
    );
  });

  test("why tells of own changes also while it waits", () => {
    const { latest } = runAll(makePlan(tasks()));
    const plan = makePlan(
      [task("a", [], { codeHash: "d" }), task("b-x[n=1]", ["a"], { params: { k: 1 } })],
      [],
      latest,
    );
    plan.advance();
    expect(why(plan, store, latest, [plan.task("b-x[n=1]")])).toBe(
      'b-x[n=1]: runs: id: "b-x[n=1]" → none; k: none → 1; waits for a\n  a runs: its code changed',
    );
    expect(why(plan, store, latest, [plan.task("a")])).toBe("a: runs: its code changed");
  });

  test("why follows a changed input to what changed in its maker, and in that one's", () => {
    const chain = (n: number) => [task("a", [], { params: { n } }), task("b", ["a"]), task("c", ["b"])];
    const { latest } = runAll(makePlan(chain(1)));
    const plan = makePlan(chain(2), [], latest);
    for (const id of ["a", "b"]) {
      plan.advance();
      run(plan, plan.task(id), `other of ${id}`);
    }
    plan.advance();
    const [head, input, ...rest] = why(plan, store, latest, [plan.task("c")]).split("\n");
    expect(head).toBe("c: runs:");
    expect(input).toMatch(/^ {2}the input "i" changed: b\.o [0-9a-f]{12} → [0-9a-f]{12}$/);
    expect(rest).toEqual([
      expect.stringMatching(/^ {2}because of b: the input "i" changed: a\.o /),
      "  because of a: n: 1 → 2",
    ]);
  });

  test("the graph has a node a stage and an edge a kind of file", () => {
    const all = [
      ...tasks(),
      task("f", [], { inputs: { i: [{ file: "data/x.csv" }, { id: "a", output: "o" }] } }),
    ];
    expect(graph(all, "mermaid").split("\n")).toEqual([
      "flowchart TD",
      '  file_data_x_csv[/"data/x.csv"/]',
      '  stage_a["a"]',
      '  stage_b_x["b-x × 2"]',
      '  stage_end["end"]',
      '  stage_f["f"]',
      "  stage_a -->|o| stage_b_x",
      "  stage_b_x -->|o| stage_end",
      "  file_data_x_csv --> stage_f",
      "  stage_a -->|o| stage_f",
    ]);
    expect(graph(all, "dot").split("\n")).toContain('  "b-x" -> "end" [label="o"];');
    expect(graph(all, "dot").split("\n")).toContain('  "data/x.csv" [shape=note];');
  });
});
