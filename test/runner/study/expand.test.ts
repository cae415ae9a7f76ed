import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expand } from "../../../runner/study/expand.ts";
import { load } from "../../../runner/study/load.ts";
import type { Setting } from "../../../runner/study/settings.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "deephash-expand-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function study(text: string, profile?: string, settings: Setting[] = []) {
  const path = join(folder, "pipeline.yaml");
  writeFileSync(path, text);
  return expand(load(path, process.cwd()), profile, settings);
}
const stages = (text: string, profile = "profiles: { p: {} }") => study(`${profile}\nstages:\n${text}`);
const ids = (found: ReturnType<typeof study>) => found.instances.map(({ id }) => id);

describe("profiles", () => {
  const TEXT = `
profiles:
  small: { vars: { n: 1 } }
  large:
    vars: { n: 2 }
    check: { tolerance: 0.1 }
    stages:
      last: null
      first: { with: { part: { margin: 3 } } }
      extra: { uses: extra }
stages:
  first: { uses: first, with: { n: "\${n}", part: { use: hinge, margin: 1 } } }
  last: { uses: last }
vars: { n: 0 }
`;
  test("the first one is the default, and brings its vars", () => {
    const found = study(TEXT);
    expect(found.profile).toBe("small");
    expect(found.check).toBe("exact");
    expect(ids(found)).toEqual(["first", "last"]);
    expect(found.instances[0].with).toEqual({ n: 1, part: { use: "hinge", margin: 1 } });
  });
  test("another one merges into stages, adds some and takes some away", () => {
    const found = study(TEXT, "large");
    expect(found.check).toEqual({ tolerance: 0.1 });
    expect(ids(found).sort()).toEqual(["extra", "first"]);
    const first = found.instances.find(({ id }) => id === "first")!;
    expect(first.with).toEqual({ n: 2, part: { use: "hinge", margin: 3 } });
  });
  test("an unknown one is told with the known", () => {
    expect(() => study(TEXT, "larg")).toThrow(
      'no profile "larg". Known are small, large. Did you mean "large"?',
    );
  });
});

describe("vars", () => {
  const TEXT = `
profiles: { p: { vars: { a: { b: [1, 2] } } } }
vars: { whole: "\${a}", inner: "\${a.b}", text: "\${profile}-\${n}", n: 7 }
stages:
  s: { uses: s, with: { x: "\${whole}", y: "\${inner}", z: "\${text}" } }
`;
  test("name one another, and the fields of one another", () => {
    expect(study(TEXT).instances[0].with).toEqual({ x: { b: [1, 2] }, y: [1, 2], z: "p-7" });
  });
  test("--set puts another value in their place", () => {
    const found = study(TEXT, undefined, [{ path: ["vars", "n"], value: 8 }]);
    expect(found.instances[0].with.z).toBe("p-8");
    expect(() => study(TEXT, undefined, [{ path: ["vars", "m"], value: 8 }])).toThrow(
      '--set vars.m: no such var. Did you mean "n"?',
    );
  });
  test("form no circle", () => {
    expect(() =>
      study("profiles: { p: {} }\nvars: { a: $b, b: $a }\nstages: { s: { uses: s, with: { x: $a } } }\n"),
    ).toThrow("pipeline.yaml:2:9 vars.a: names form a circle: a → b → a.");
  });
  test.each([
    ["${nn}", 'nothing is called "nn". Did you mean "n"?'],
    ["$nn", 'nothing is called "nn". Did you mean "n"?'],
    ["${a.c}", 'nothing is called "a.c".'],
    ["${constructor}", 'nothing is called "constructor".'],
    ["$toString", 'nothing is called "toString".'],
    ["${}", 'nothing is called "".'],
    ["$nn?", 'nothing is called "nn?". Did you mean "n"?'],
    ["${vars.n}", 'nothing is called "vars.n". Write $n for a whole value, ${n} within a text.'],
    ["${matrix.n?}", "Write $n? for a whole value, ${n?} within a text."],
    [
      "${matrix.n.size}",
      "Write $size, and what each word of the axis sets in axes: { n: { WORD: { size: VALUE } } }.",
    ],
  ])("%s is unknown, and told with its place", (hole, message) => {
    const text = TEXT.replace('x: "${whole}"', `x: "\${whole}", w: "${hole}"`);
    expect(() => study(text)).toThrow(message);
    expect(() => study(text)).toThrow(/^pipeline\.yaml:5:\d+ s\.with\.w: /);
  });
});

describe("--set of a param", () => {
  const TEXT =
    "profiles: { p: {} }\nstages:\n  s: { uses: s, with: { loss: hinge, n: 1 } }\n  t: { uses: t }\n";
  const set = (path: string, value: unknown) =>
    study(TEXT, undefined, [{ path: path.split("."), value }]).instances;
  test("replaces a value, adds one, opens a part's short form", () => {
    expect(set("s.n", 2)[0].with).toEqual({ loss: "hinge", n: 2 });
    expect(set("t.m", [3])[1].with).toEqual({ m: [3] });
    expect(set("s.loss.margin", 0.3)[0].with.loss).toEqual({ use: "hinge", margin: 0.3 });
  });
  test("is named as the place of a fault in it, and of no other", () => {
    const [s] = set("s.n", 2);
    expect(s.at("with", "n")).toBe("--set s.n:");
    expect(s.at("with", "loss")).toBe("pipeline.yaml:3:25");
    expect(s.at("uses")).toBe("pipeline.yaml:3:8");
  });
  test("needs a stage that is there", () => {
    expect(() => set("ss.n", 1)).toThrow('--set ss.n: no stage "ss". Did you mean "s"?');
    expect(() => set("constructor.n", 1)).toThrow('no stage "constructor"');
  });
});

describe("matrix", () => {
  const points = (matrix: string) =>
    stages(`  s: { uses: s, matrix: ${matrix} }\n`).instances.map(({ point }) => point);
  test("multiplies its axes, the last one fastest", () => {
    expect(points("{ a: [1, 2], b: [x, true] }")).toEqual([
      { a: 1, b: "x" },
      { a: 1, b: true },
      { a: 2, b: "x" },
      { a: 2, b: true },
    ]);
  });
  test("leaves out what exclude names, adds what include holds", () => {
    expect(
      points("{ a: [1, 2], b: [3, 4], exclude: [{ a: 1, b: 3 }, { b: 4 }], include: [{ a: 9, b: 9 }] }"),
    ).toEqual([
      { a: 2, b: 3 },
      { a: 9, b: 9 },
    ]);
    expect(points("{ include: [{ a: 1 }] }")).toEqual([{ a: 1 }]);
  });
  test("may be a list of matrices, whose points come one after the other", () => {
    expect(points("[{ a: [1, 2], b: [3] }, { a: [4] }]")).toEqual([{ a: 1, b: 3 }, { a: 2, b: 3 }, { a: 4 }]);
    expect(() => points("[{ a: [1] }, { a: [1] }]")).toThrow("the point s[a=1] is there twice.");
  });
  test("a param that asks for an axis with ? is left out where the point has none", () => {
    const text = (hole: string) =>
      `  s: { uses: s, matrix: [{ a: [1], b: [2] }, { a: [3] }], with: { own: "${hole}", a: "\${a}" } }\n`;
    expect(stages(text("${b?}")).instances.map((one) => one.with)).toEqual([{ own: 2, a: 1 }, { a: 3 }]);
    expect(() => stages(text("${c?}"))).toThrow('nothing is called "c?".');
    expect(() => stages(text("${b}"))).toThrow('nothing is called "b".');
  });
  test("a reference that names an axis means the instances that have it", () => {
    const text =
      "  s: { uses: s, matrix: [{ a: [1], b: [2] }, { a: [1] }] }\n  t: { uses: t, inputs: { i: 's[b=2].out' } }\n";
    const { instances } = stages(text);
    expect(instances.at(-1)!.inputs.i).toEqual([{ id: "s[a=1,b=2]", output: "out" }]);
  });
  test("may be that of another stage, but not of itself", () => {
    const text = "  s: { uses: s, matrix: { a: [1, 2] } }\n  t: { uses: t, matrix: s }\n";
    expect(ids(stages(text))).toEqual(["s[a=1]", "s[a=2]", "t[a=1]", "t[a=2]"]);
    expect(() => stages("  s: { uses: s, matrix: t }\n  t: { uses: t, matrix: s }\n")).toThrow(
      "matrices form a circle: s → t → s.",
    );
    expect(() => stages(text.replace("matrix: s", "matrix: ss"))).toThrow(
      'pipeline.yaml:4:17 t.matrix: no stage "ss". Did you mean "s"?',
    );
  });
  test.each([
    ["{ a: b }", 'a: must be a list of values, not "b".'],
    [
      "{ a: { big: 1, small: 2 } }",
      "a: must be a list of values. Write a: [big, small], and what each of them sets in axes: { a: { WORD: { NAME: VALUE } } }.",
    ],
    ["{ a: [[1]] }", "a: every value must be a word, a number, true or false, not [1]."],
    ["{ a: [1], includ: [{ a: 2 }] }", 'not {"a":2}. Did you mean "include"?'],
    ["{ a: [1], include: [{ a: null }] }", "include.0.a: every value must be a word"],
    ["{ axis: [1], exclude: [{ axes: 1 }] }", 'exclude.0.axes: unknown axis. Did you mean "axis"?'],
    ["{ a: [1, 1] }", "the point s[a=1] is there twice."],
    ["{ a: [1], include: [{ a: 1 }] }", "the point s[a=1] is there twice."],
  ])("%s is refused", (matrix, message) => {
    expect(() => points(matrix)).toThrow(message);
    expect(() => points(matrix)).toThrow(/^pipeline\.yaml:3:\d+ s\.matrix/);
  });

  test("has the product of its axes, less what exclude names", () => {
    const axis = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }),
        axis,
        axis,
        axis,
        fc.nat(9),
        (names, ...rest) => {
          const at = rest.pop() as number;
          const axes = Object.fromEntries(names.map((name, index) => [name, rest[index] as number[]]));
          const excluded = axes[names[0]][at % axes[names[0]].length];
          const found = points(JSON.stringify({ ...axes, exclude: [{ [names[0]]: excluded }] }));
          const all = Object.values(axes).reduce((size, values) => size * values.length, 1);
          const out = all / axes[names[0]].length;
          expect(found).toHaveLength(all - out);
          expect(new Set(found.map((point) => JSON.stringify(point))).size).toBe(found.length);
          for (const point of found) {
            expect(Object.keys(point)).toEqual(names);
            for (const name of names) expect(axes[name]).toContain(point[name]);
            expect(point[names[0]]).not.toBe(excluded);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("inputs", () => {
  const inputs = (reference: string, matrix = "") =>
    stages(
      "  up: { uses: up, matrix: { a: [1, 2], b: [x, y] } }\n  flat: { uses: flat }\n" +
        `  s: { uses: s, ${matrix} inputs: { i: ${reference} } }\n`,
    ).instances.filter(({ stage }) => stage === "s");
  const found = (reference: string, matrix?: string) =>
    inputs(reference, matrix).map(({ inputs: { i } }) => i.map((one) => ("id" in one ? one.id : one.file)));

  test("join on the axes both have", () => {
    expect(found("up.out")).toEqual([["up[a=1,b=x]", "up[a=1,b=y]", "up[a=2,b=x]", "up[a=2,b=y]"]]);
    expect(found("up.out", "matrix: { a: [2], c: [0, 1] },")).toEqual([
      ["up[a=2,b=x]", "up[a=2,b=y]"],
      ["up[a=2,b=x]", "up[a=2,b=y]"],
    ]);
    expect(found("up.out", "matrix: up,")).toEqual([
      ["up[a=1,b=x]"],
      ["up[a=1,b=y]"],
      ["up[a=2,b=x]"],
      ["up[a=2,b=y]"],
    ]);
    expect(found("up.out", "matrix: { a: [7] },")).toEqual([[]]); // the stage says whether it can do without
  });
  test("are narrowed down by [axis=value], which also goes beyond the own point", () => {
    expect(found('"up[b=y].out"')).toEqual([["up[a=1,b=y]", "up[a=2,b=y]"]]);
    expect(found('"up[a=1, b=y].out"', "matrix: { a: [2] },")).toEqual([["up[a=1,b=y]"]]);
  });
  test("may be lists, and files of the project", () => {
    expect(found('[flat.out, "up[a=1].out", ./data/x.csv, /data/y.csv]')).toEqual([
      ["flat", "up[a=1,b=x]", "up[a=1,b=y]", "data/x.csv", "/data/y.csv"],
    ]);
  });
  test.each([
    [
      "flat",
      '"flat" is no reference. Write stage.output, stage[axis=value].output, ./a/file of the project, or /a/file elsewhere.',
    ],
    ["flt.out", 'no stage "flt". Did you mean "flat"?'],
    ['"up[A=1].out"', 'up has no axis "A". Did you mean "a"?'],
    ['"up[a=3].out"', "no instance of up is at [a=3]."],
    ["constructor.out", 'no stage "constructor".'],
  ])("%s is refused", (reference, message) => {
    expect(() => inputs(reference)).toThrow(`pipeline.yaml:5:28 s.inputs.i: ${message}`);
  });
});

describe("order", () => {
  test("upstream comes first, at any place of the file", () => {
    expect(
      ids(
        stages(
          "  c: { uses: x, inputs: { i: b.o } }\n  b: { uses: x, inputs: { i: a.o } }\n  a: { uses: x }\n",
        ),
      ),
    ).toEqual(["a", "b", "c"]);
  });
  test("a circle is told, with its place and its way", () => {
    expect(() =>
      stages(
        "  extract: { uses: x, inputs: { i: split.o } }\n  split: { uses: x, inputs: { i: extract.o } }\n",
      ),
    ).toThrow(
      /^pipeline\.yaml:3:23 stages form a circle: extract → split → extract\. Remove one of these inputs\.$/,
    );
    expect(() => stages("  a: { uses: x, inputs: { i: a.o } }\n")).toThrow("stages form a circle: a → a.");
  });
  test("any DAG comes out in an order that no input contradicts", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat(20), { maxLength: 3 }), { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        (wanted, random) => {
          // Stage i takes from stages below i; the file lists them in any order.
          const lines = wanted.map((below, i) => {
            const from = i ? [...new Set(below.map((j) => `s${j % i}.o`))] : [];
            return `  s${i}: { uses: x, inputs: { i: [${from.join(", ")}] } }\n`;
          });
          const shuffled = lines
            .map((line) => ({ line, at: random.next().value }))
            .sort((a, b) => a.at - b.at)
            .map(({ line }) => line);
          const { instances } = stages(shuffled.join(""));
          expect(instances).toHaveLength(lines.length);
          const place = new Map(instances.map(({ id }, index) => [id, index]));
          for (const { id, inputs } of instances)
            for (const reference of inputs.i)
              expect(place.get((reference as { id: string }).id)).toBeLessThan(place.get(id)!);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test.each([
  ["  s: { with: {} }\n", "s: needs either"],
  ["  s: { uses: a, run: b }\n", "s: needs either"],
])("a stage of nothing or of two things is refused: %j", (text, message) => {
  expect(() => stages(text)).toThrow(
    `pipeline.yaml:3:3 ${message} "uses" (a stage), "run" (a shell command) or "chain".`,
  );
});

test("a profile's stage that mistypes another is told which", () => {
  expect(() =>
    stages("  train: { uses: x }\n", "profiles: { p: { stages: { trian: { with: { n: 1 } } } } }"),
  ).toThrow(
    'trian: needs either "uses" (a stage), "run" (a shell command) or "chain". Did you mean "train"?',
  );
});

describe("a shell command", () => {
  const command = (text: string) =>
    stages(`  s: { run: ${JSON.stringify(text)}, outputs: { b: b } }\n`).instances[0].run;
  test("keeps names that are known later; a name that is known now stays a hole, with its value", () => {
    expect(command("echo ${profile} ${in.a} ${out.b} ${with.c}")).toBe(
      'echo ${profile="p"} ${in.a} ${out.b} ${with.c}',
    );
    expect(command("echo $${HOME} ${ profile }")).toBe('echo $${HOME} ${profile="p"}');
  });
  const withVars = (vars: string, run: string) =>
    study(`profiles: { p: {} }\nvars: { v: ${vars} }\nstages:\n  s: { run: ${JSON.stringify(run)} }\n`)
      .instances[0].run;
  test("takes texts, numbers and lists of them", () => {
    expect(withVars("[a, '}', 3]", "x ${v}")).toBe('x ${v=["a","\\u007d",3]}'.replace("3]", '"3"]'));
    expect(withVars("{ a: true }", "x ${v.a}")).toBe('x ${v.a="true"}');
    expect(withVars("echo hello", "${v}")).toBe("echo hello"); // one hole is the command itself
  });
  test.each([
    ["{ a: 1 }", '${v} holds {"a":1}, which is no word. Name a text or a number in it.'],
    ["[{ a: 1 }]", '${v} holds {"a":1}, which is no word.'],
    ["null", "${v} holds null, which is no word. Name a text or a number in it."],
    ['"a\\0b"', "${v} holds a NUL, which no word can."],
  ])("refuses %s", (vars, message) => {
    expect(() => withVars(vars, "x ${v}")).not.toThrow("Did you mean");
    expect(() => withVars(vars, "x ${v}")).toThrow(`pipeline.yaml:4:8 s.run: ${message}`);
  });
});

describe("what nobody means is told", () => {
  const matrix = (text: string) =>
    stages(`  s: { uses: s, matrix: ${text} }\n`).instances.map(({ point }) => point);
  test.each([
    ["{ a: [1], exclude: [{}] }", "s.matrix.exclude.0: names no axis, and would exclude every point."],
    [
      "{ a: [1, 2], exclude: [{ a: 3 }] }",
      's.matrix.exclude.0.a: the axis has no value 3, so that nothing is excluded. Did you mean "1"?',
    ],
    [
      "{ a: [big], exclude: [{ a: bigg }] }",
      'the axis has no value "bigg", so that nothing is excluded. Did you mean "big"?',
    ],
    ["{ a: [1], exclude: [{ a: [1] }] }", "s.matrix.exclude.0.a: every value must be a word"],
    ["{ a: [1], exclude: [{ toString: 1 }] }", '"toString" cannot be a name here: JavaScript reserves it.'],
    ["{ a: [] }", "s.matrix.a: has no value, so that the stage would have no instance."],
    ["[]", "s.matrix: is an empty list"],
    ["[{}]", "s.matrix.0: names no axis"],
    ["{ include: [] }", "s.matrix: names no axis"],
    ["{ 'a b': [1] }", 's.matrix.a b: an axis must be made of letters, digits, - and _, not "a b".'],
    ["{ include: [{ 'a=b': 1 }] }", "s.matrix.include.0.a=b: an axis must be made of"],
    ["{ a: [.inf] }", "s.matrix.a.0: Infinity is no number that JSON can hold."],
  ])("matrix: %s", (text, message) => {
    expect(() => matrix(text)).toThrow(message);
    expect(() => matrix(text)).toThrow(/^pipeline\.yaml:3:\d+ s\.matrix/);
  });
  test("an axis or an exclude that a var leaves empty is meant: it may differ from profile to profile", () => {
    const text = (list: string) =>
      `profiles: { p: { vars: { l: ${list} } } }\nstages:\n  s: { uses: s, matrix: { a: "\${l}", b: [1, 2], exclude: [{ a: 7, b: 1 }] } }\n`;
    expect(ids(study(text("[]")))).toEqual([]);
    expect(ids(study(text("[8]")))).toHaveLength(2);
    expect(ids(study(text("[7]")))).toEqual(["s[a=7,b=2]"]);
    expect(ids(study(text("['7']")))).toEqual(["s[a=7,b=2]"]); // as references do: by its text
  });
  test.each([
    ["up[a=1,a=2].out", '"up[a=1,a=2].out" names the axis "a" twice. Write one reference for each value.'],
    ["up[a].out", '"up[a].out" names no value. Write stage[axis=value].output.'],
    ["up[].out", '"up[].out" names no value.'],
    ["up[a=1,].out", '"up[a=1,].out" names no value.'],
    ["up[a=1=2].out", "no instance of up is at [a=1=2]."],
  ])("the reference %s", (reference, message) => {
    const text = `  up: { uses: up, matrix: { a: [1, 2] } }\n  s: { uses: s, inputs: { i: "${reference}" } }\n`;
    expect(() => stages(text)).toThrow(`pipeline.yaml:4:27 s.inputs.i: ${message}`);
  });
  test("a profile that leaves out a stage that is not there", () => {
    expect(() => stages("  train: { uses: x }\n", "profiles: { p: { stages: { trian: null } } }")).toThrow(
      'pipeline.yaml:1:28 trian: holds nothing, and there is no stage "trian" to leave out. Did you mean "train"?',
    );
  });
});

describe("--set that nobody means is told", () => {
  const TEXT = `profiles: { p: {} }
vars: { list: [1, 2] }
stages:
  s: { run: 'x \${with.steps} \${list}', with: { widths: [1, 2] }, outputs: { o: o } }
  t: { uses: t, with: { sizes: [1, 2] } }
`;
  const set = (path: string) => () => study(TEXT, undefined, [{ path: path.split("."), value: 7 }]).instances;
  test.each([
    ["s.stpes", '--set s.stpes: the command of s takes no "stpes". Did you mean "steps"?'],
    ["s.with.steps", '--set s.with.steps: the command of s takes no "with". Did you mean "widths"?'],
    ["t.sizes.0", "--set t.sizes.0: t.sizes is a list. Set all of it, as --set t.sizes=[1,2]."],
    ["s.widths.0", "--set s.widths.0: s.widths is a list."],
    ["vars.list.0", "--set vars.list.0: vars.list is a list. Set all of it, as --set vars.list=[1,2]."],
    ["t.__proto__.x", '--set t.__proto__.x: "__proto__" cannot be a name here: JavaScript reserves it.'],
    ["t.constructor.prototype.x", '"constructor" cannot be a name here'],
    ["vars.__proto__.x", "--set vars.__proto__: no such var."],
    ["vars.list.__proto__", '"__proto__" cannot be a name here'],
    ["__proto__.x", 'no stage "__proto__"'],
  ])("%s", (path, message) => {
    expect(set(path)).toThrow(message);
    expect(({} as { x?: number }).x).toBeUndefined();
  });
  test("a param that only the command names may be set", () => {
    expect(set("s.steps")()[0].with).toEqual({ widths: [1, 2], steps: 7 });
  });
});

test("a chain of stages may be longer than the stack", () => {
  const lines = Array.from(
    { length: 15_000 },
    (_, i) => `  s${i}: { uses: x, inputs: { i: [${i ? `s${i - 1}.o` : ""}] } }\n`,
  );
  expect(ids(stages(lines.reverse().join("")))).toEqual(Array.from({ length: 15_000 }, (_, i) => `s${i}`));
}, 60_000);
