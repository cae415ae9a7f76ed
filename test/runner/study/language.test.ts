/** The words of the language: one scope, axes, set, defaults, chains, globs, points, extends and include. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { settleGlobs } from "../../../runner/plan/globs.ts";
import { expand } from "../../../runner/study/expand.ts";
import { load } from "../../../runner/study/load.ts";
import type { Setting } from "../../../runner/study/settings.ts";

const folder = mkdtempSync(join(tmpdir(), "deephash-language-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A project of these files; the first study of its pipeline.yaml. */
function studyOf(files: Record<string, string>, settings: Setting[] = []) {
  const root = mkdtempSync(join(folder, "project-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return expand(load(join(root, "pipeline.yaml"), process.cwd()), undefined, settings);
}
const study = (text: string, settings?: Setting[]) =>
  studyOf({ "pipeline.yaml": `profiles: { p: {} }\n${text}` }, settings);
const byId = (found: ReturnType<typeof study>) =>
  Object.fromEntries(found.instances.map((instance) => [instance.id, instance]));
const params = (text: string) => study(text).instances.map((one) => one.with);

describe("one scope", () => {
  test("an error about a value is at the place that gives the name its value", () => {
    const text = [
      "vars: { n: 1, long: $n }",
      "axes: { word: { a: { m: 2 } } }",
      "stages:",
      "  s: { uses: s, vars: { k: 3 }, matrix: { word: [a] }, with: { l: $long, m: $m, k: $k, w: $word, t: '${n}x' } }",
    ].join("\n");
    const [one] = study(text).instances;
    const placed = Object.keys(one.with).map((name) => one.at("with", name));
    expect(placed.slice(0, 4)).toEqual(
      ["2:9", "3:22", "5:25", "5:50"].map((place) => `pipeline.yaml:${place}`),
    );
    expect(placed[4]).toBe("pipeline.yaml:5:98"); // a text, at its use
    const [set] = study(text, [{ path: ["vars", "n"], value: 7 }]).instances;
    expect(set.at("with", "l")).toBe("--set vars.n:");
  });

  test("an error about an axis's value is at the place where the matrix, or its var, has the value", () => {
    const text = [
      "vars: { words: [x, $y], y: z }",
      "stages:",
      "  a: { uses: s, matrix: { w: [all, hrad], v: $words, include: [{ w: own }] }, with: { w: $w, v: $v? } }",
      "  b: { uses: s, matrix: { points: a, without: [v], set: { k: 1 } }, with: { w: $w, k: $k } }",
    ].join("\n");
    const all = byId(study(text));
    const columns = (id: string, param: string) => {
      const place = all[id].at("with", param);
      const [line, column] = place.split(":").slice(1).map(Number);
      return text
        .split("\n")
        [line - 2].slice(column - 1)
        .match(/^\$?\w+/)?.[0];
    };
    expect(columns("a[w=hrad,v=x]", "w")).toBe("hrad");
    expect(columns("a[w=hrad,v=x]", "v")).toBe("x");
    expect(columns("a[w=hrad,v=z]", "v")).toBe("y"); // the var that has it
    expect(columns("a[w=own]", "w")).toBe("w"); // of "w: own"
    expect(columns("b[w=hrad]", "w")).toBe("hrad");
  });

  const TEXT = `
vars: { n: study, text: "n is \${n}" }
axes: { word: { a: { n: word }, b: {} } }
stages:
  plain: { uses: s, with: { n: $n, text: $text } }
  vars: { uses: s, vars: { n: stage }, with: { n: $n, text: $text } }
  word: { uses: s, vars: { n: stage }, matrix: { word: [a, b] }, with: { n: $n, text: $text } }
  set: { uses: s, vars: { n: stage }, matrix: { word: [a], set: { n: set } }, with: { n: $n, text: $text } }
  axis: { uses: s, vars: { n: stage }, matrix: { word: [a], n: [axis] }, with: { n: $n, text: $text } }
`;
  test("axis over set over the word of an axis over the stage's vars over the study's", () => {
    const found = byId(study(TEXT));
    expect(Object.entries(found).map(([id, one]) => [id, one.with.n])).toEqual([
      ["plain", "study"],
      ["vars", "stage"],
      ["word[word=a]", "word"],
      ["word[word=b]", "stage"],
      ["set[word=a]", "set"],
      ["axis[word=a,n=axis]", "axis"],
    ]);
    for (const one of Object.values(found)) expect(one.with.text).toBe(`n is ${one.with.n}`);
  });
  test("a var may name an axis, and what another binding sets", () => {
    expect(
      params(
        "vars: { d: $bits }\nstages: { s: { uses: s, matrix: { bits: [4, 8] }, with: { dim: $d, c: { x: $bits } } } }",
      ),
    ).toEqual([
      { dim: 4, c: { x: 4 } },
      { dim: 8, c: { x: 8 } },
    ]);
  });
  test("$name? may be absent, if it has a value somewhere", () => {
    const text = (name: string) =>
      `stages:\n  s: { uses: s, with: { loss: { use: hinge, margin: ${name} }, list: [1, "${name}"] } }\n  t: { uses: t, matrix: { margin: [1] }, with: { m: $margin } }\n`;
    expect(params(text("$margin?"))[0]).toEqual({ loss: { use: "hinge" }, list: [1] });
    expect(() => params(text("$margn?"))).toThrow(
      'pipeline.yaml:3:45 s.with.loss.margin: nothing is called "margn?". Did you mean "margin"?',
    );
  });
  test("--set vars.NAME puts a value over the study's var, and is named as its place", () => {
    const set = (value: unknown) => [{ path: ["vars", "n"], value }];
    expect(byId(study(TEXT, set(7))).plain.with).toEqual({ n: 7, text: "n is 7" });
    expect(() => study(TEXT, set("$nope"))).toThrow('--set vars.n: nothing is called "nope".');
  });
  test.each([
    [
      "vars: { profile: x }\nstages: { s: { uses: s, with: { p: $profile } } }",
      '2:9 vars.profile: "profile" is bound already, to the name of the profile. Take another name.',
    ],
    [
      "stages: { s: { uses: s, matrix: { with: [1] } } }",
      '2:35 s.matrix.with: "with" is bound already, to a command\'s params.',
    ],
    ["stages: { s: { uses: s, vars: { typo: 1 } } }", "2:33 s.vars.typo: nothing takes $typo."],
    [
      "stages: { s: { uses: s, matrix: { a: [1], set: { typo: 1 } } } }",
      "2:50 s.matrix.set.typo: nothing takes $typo.",
    ],
    [
      "axes: { a: { x: { typo: 1 } } }\nstages: { s: { uses: s, matrix: { a: [x] } } }",
      "2:19 axes.a.x.typo: nothing takes $typo.",
    ],
    [
      "axes: { as: { x: { n: 1 } } }\nstages: { s: { uses: s, matrix: { a: [x] }, with: { n: $n } } }",
      '2:9 axes.as: no matrix has the axis "as". Did you mean "a"?',
    ],
    [
      "axes: { a: { xx: { n: 1 } } }\nstages: { s: { uses: s, matrix: { a: [x] }, with: { n: $n? } } }",
      '2:14 axes.a.xx: no matrix has a=xx. Did you mean "x"?',
    ],
    [
      "axes: { a: { x: { n: 1 } }, b: { y: { n: 2 } } }\nstages: { s: { uses: s, matrix: { a: [x], b: [y] }, with: { n: $n } } }",
      '2:39 axes.b.y.n: "n" is bound twice in s: a=x and b=y both set it. Set it in the matrix (set: { n: … }), or remove one.',
    ],
    [
      "stages: { s: { uses: s, matrix: { a: [1], set: { a: 2 } }, with: { n: $a } } }",
      '2:50 s.matrix.set.a: "a" is bound twice: it is an axis here, too. Remove one.',
    ],
    [
      "stages: { s: { uses: s, matrix: { a: [1], set: 3 } } }",
      "2:43 s.matrix.set: must be of type object, not 3.",
    ],
    ["stages: { s: { uses: s, matrix: { a: [$b] } } }", '2:39 s.matrix.a.0: nothing is called "b".'],
  ])("%j is refused", (text, message) => {
    expect(() => study(text)).toThrow(`pipeline.yaml:${message}`);
  });
});

describe("defaults", () => {
  const TEXT = `
defaults: { train: { inputs: { data: ./a.csv }, with: { loss: { use: $loss, margin: 1 }, steps: 5 }, cpus: 2 } }
stages:
  one: { uses: train, matrix: { loss: [hinge] }, with: { loss: { margin: 2 } } }
  two: { uses: train, vars: { loss: x }, inputs: { split: ./b.csv }, cpus: 1, with: { loss: soft } }
  other: { uses: other }
`;
  test("are below the stages that use the kind", () => {
    const found = byId(study(TEXT));
    expect(found["one[loss=hinge]"]).toMatchObject({
      with: { loss: { use: "hinge", margin: 2 }, steps: 5 },
      inputs: { data: [{ file: "a.csv" }] },
      cpus: 2,
    });
    expect(found.two).toMatchObject({ with: { loss: "soft", steps: 5 }, cpus: 1 });
    expect(Object.keys(found.two.inputs)).toEqual(["data", "split"]);
    expect(found.other.with).toEqual({});
  });
  test("an error in them has their place", () => {
    expect(() => study(TEXT.replace("steps: 5", "steps: $stps"))).toThrow(
      'pipeline.yaml:3:90 one.with.steps: nothing is called "stps".',
    );
    expect(() => study(TEXT.replace("{ train:", "{ trian:"))).toThrow(
      'pipeline.yaml:3:13 defaults.trian: no stage uses "trian". Did you mean "train"?',
    );
  });
});

describe("chains", () => {
  const TEXT = `
chains:
  c:
    train: { uses: train, inputs: { data: ./a.csv }, with: { n: $n } }
    embed: { uses: embed, inputs: { model: train.model, models: ["train[x=1].model", raw.model] } }
stages:
  raw: { uses: train }
  race: { chain: c, matrix: { x: [1, 2] }, vars: { n: 7 }, inputs: { choice: ./c.json } }
`;
  test("a use makes a stage of each step, with one matrix, its vars, and its inputs for the first", () => {
    const found = byId(study(TEXT));
    expect(Object.keys(found)).toEqual([
      "raw",
      "train-race[x=1]",
      "train-race[x=2]",
      "embed-race[x=1]",
      "embed-race[x=2]",
    ]);
    expect(found["train-race[x=2]"]).toMatchObject({ with: { n: 7 }, uses: "train" });
    expect(Object.keys(found["train-race[x=1]"].inputs)).toEqual(["data", "choice"]);
    expect(found["embed-race[x=2]"].inputs).toEqual({
      model: [{ id: "train-race[x=2]", output: "model" }],
      models: [
        { id: "train-race[x=1]", output: "model" },
        { id: "raw", output: "model" },
      ],
    });
  });
  test("--set names the stage of a step", () => {
    expect(byId(study(TEXT, [{ path: ["train-race", "n"], value: 3 }]))["train-race[x=1]"].with.n).toBe(3);
    expect(() => study(TEXT, [{ path: ["race", "n"], value: 3 }])).toThrow(
      '--set race.n: "race" is a use of the chain "c". Its stages are train-race, embed-race.',
    );
  });
  test.each([
    ["chain: c,", "chain: d,", '9:11 race.chain: no chain "d". Did you mean "c"?'],
    [
      "chain: c,",
      "chain: c, cpus: 2,",
      '9:21 race.cpus: a use of a chain takes vars, inputs, matrix. Write "cpus" at a step: chains.c.STEP.',
    ],
    [
      "embed: { uses: embed,",
      "embed: { uses: embed, matrix: race,",
      "6:27 chains.c.embed.matrix: belongs to the use of the chain, which all its steps share: NAME: { chain: c, matrix: … }.",
    ],
    [
      "raw: {",
      "train-race: { uses: x }\n  raw: {",
      "10:3 race: the stage train-race is there twice: as a stage, and as a step of a chain. Rename one.",
    ],
    [
      "raw: {",
      "two: { uses: t, inputs: { i: race.model } }\n  raw: {",
      '8:29 two.inputs.i: "race" is a use of the chain "c". Its stages are train-race, embed-race.',
    ],
    ["n: $n", "n: $m", '5:62 train-race.with.n: nothing is called "m".'],
    ["data: ./a.csv", "data: nope.x", '5:37 train-race.inputs.data: no stage "nope".'],
    ["raw.model]", "nope.model]", '6:57 embed-race.inputs.models: no stage "nope".'],
  ])("%j → %j", (before, after, message) => {
    expect(TEXT).toContain(before);
    const used = before === "n: $n" ? TEXT.replace("with: { n:", "with: { k: $n, n:") : TEXT;
    const moved = before === "n: $n" ? message.replace("5:62", "5:69") : message;
    expect(() => study(used.replace(before, after))).toThrow(`pipeline.yaml:${moved}`);
  });
});

describe("globs in references", () => {
  const TEXT = (reference: string, more = "") => `
stages:
  evaluate-a: { uses: evaluate, matrix: { seed: [1, 2] } }
  evaluate-b: { uses: codes }
  evaluate-none: { uses: codes, matrix: { x: $empty } }
  train: { uses: train }${more}
  report: { uses: report, inputs: { i: "${reference}" } }
vars: { empty: [] }
`;
  const OUTPUTS: Record<string, string[]> = {
    evaluate: ["metrics"],
    codes: ["metrics", "curve"],
    train: ["model"],
    report: ["metrics"],
  };
  const found = (reference: string, more?: string) =>
    settleGlobs(study(TEXT(reference, more)).instances, ({ uses }) => OUTPUTS[uses!])
      .find(({ id }) => id.startsWith("report"))!
      .inputs.i.map((one) => ("id" in one ? one.id : one.file));

  test("take the stages of such a name that have the output", () => {
    expect(found("evaluate-*.metrics")).toEqual(["evaluate-a[seed=1]", "evaluate-a[seed=2]", "evaluate-b"]);
    expect(found("evaluate-*.curve")).toEqual(["evaluate-b"]);
    expect(found("{train,evaluate-b}.model")).toEqual(["train"]);
    expect(found("evaluate-*[seed=2].metrics")).toEqual(["evaluate-a[seed=2]"]);
    expect(found("*.metrics")).not.toContain("report"); // never the stage itself
  });
  test("order the stages they mean, and no other", () => {
    const more = '\n  evaluate-c: { uses: evaluate, inputs: { i: "*-b.curve" } }';
    expect(found("evaluate-*.metrics", more)).toContain("evaluate-c");
  });
  test.each([
    ["evalute-*.metrics", 'no stage matches "evalute-*". Did you mean "evaluate-a"?'],
    [
      "*xyz*.metrics",
      'no stage matches "*xyz*". There are evaluate-a, evaluate-b, evaluate-none, train, report.',
    ],
    ["evaluate*b*b.metrics", 'no stage matches "evaluate*b*b". Did you mean "evaluate-b"?'],
    ["train*.modl", 'no stage that matches "train*" has the output "modl". Did you mean "model"?'],
    ["train*.x-y", 'no stage that matches "train*" has the output "x-y". They have model.'],
    [
      "evaluate-*[sed=1].metrics",
      'no stage that matches "evaluate-*" has the axis "sed". Did you mean "seed"?',
    ],
    ["evaluate-*[seed=7].metrics", "no instance of evaluate-* is at [seed=7]."],
    ["evaluate-{a,b.metrics", '"evaluate-{a,b" holds a brace without its other. Write {a,b}.'],
  ])("%s is refused", (reference, message) => {
    expect(() => found(reference)).toThrow(`pipeline.yaml:8:37 report.inputs.i: ${message}`);
  });
});

describe("points of another stage", () => {
  const TEXT = (matrix: string) => `
stages:
  tune: { uses: t, matrix: [{ loss: [a, b], margin: [1, 2], set: { n: 5 } }, { loss: [c], margin: [1] }] }
  pick: { uses: p, matrix: ${matrix}, inputs: { runs: tune.history }, with: { n: $n? } }
`;
  const picked = (matrix: string) => study(TEXT(matrix)).instances.filter(({ stage }) => stage === "pick");
  test("less some axes, each once, with what the matrix set there", () => {
    const found = picked("{ points: tune, without: margin }");
    expect(found.map(({ id, with: own }) => [id, own.n])).toEqual([
      ["pick[loss=a]", 5],
      ["pick[loss=b]", 5],
      ["pick[loss=c]", undefined],
    ]);
    expect(found[0].inputs.runs).toHaveLength(2);
    expect(picked("{ points: tune, without: [margin, loss] }").map(({ id }) => id)).toEqual(["pick"]);
    expect(picked("[{ points: tune }, { loss: [d], margin: [1] }]")).toHaveLength(6);
  });
  test.each([
    ["{ points: tun, without: margin }", 'pick.matrix.points: no stage "tun". Did you mean "tune"?'],
    [
      "{ points: tune, without: margn }",
      'pick.matrix.without: tune has no axis "margn". Did you mean "margin"?',
    ],
    ["{ without: margin }", "pick.matrix.without: needs points: STAGE beside it"],
    ["{ points: [1, 2] }", "pick.matrix.points: must be of type string, not [1,2]."],
    [
      "{ points: tune, seed: [1] }",
      "pick.matrix.seed: cannot be beside points, which takes without and set alone.",
    ],
    ["{ points: pick }", "pick.matrix: matrices form a circle: pick → pick."],
  ])("%s is refused", (matrix, message) => {
    expect(() => picked(matrix)).toThrow(message);
    expect(() => picked(matrix)).toThrow(/^pipeline\.yaml:5:\d+ /);
  });
});

test("a claim may be a var, and must be one when it is filled", () => {
  const text = (value: string) =>
    `vars: { cores: ${value}, room: 2GB }\nstages: { s: { uses: s, cpus: $cores, memory: $room } }`;
  expect(byId(study(text("3"))).s).toMatchObject({ cpus: 3, memory: 2e9 });
  expect(byId(study(text("all"))).s.cpus).toBe("all");
  for (const wrong of ["0", "many"])
    expect(() => study(text(wrong))).toThrow(
      /s\.cpus: must be written as a whole number from 1, or all, not/,
    );
});

describe("extends and include", () => {
  const FILES: Record<string, string> = {
    "pipeline.yaml":
      "profile: big\nprofiles: { big: studies/big.yaml, small: {} }\nvars: { n: 1, title: small }\nstages:\n  a: { uses: a, with: { n: $n, title: $title }, cpus: 2 }\n  b: { uses: b, matrix: { x: [1] } }\n",
    "studies/big.yaml":
      "extends: ../pipeline.yaml\ninclude: [shared/data.yaml]\ncheck: { tolerance: 0.1 }\nvars: { title: big }\nstages:\n  a: { with: { more: true } }\n  b: { matrix: { y: [2, 3] } }\n  c: { inputs: { i: data.out } }\n",
    "studies/shared/data.yaml":
      "vars: { where: there }\nstages:\n  data: { uses: data, with: { at: $where } }\n  c: { uses: c }\n",
  };
  const changed = (path: string, before: string, after: string) => {
    expect(FILES[path]).toContain(before);
    return { ...FILES, [path]: FILES[path].replace(before, after) };
  };

  test("a study goes over what it includes, and that over what it extends", () => {
    const found = studyOf(FILES);
    expect(found).toMatchObject({ profile: "big", check: { tolerance: 0.1 } });
    const all = byId(found);
    expect(Object.keys(all).sort()).toEqual(["a", "b[y=2]", "b[y=3]", "c", "data"]);
    expect(all.a).toMatchObject({ with: { n: 1, title: "big", more: true }, cpus: 2 });
    expect(all.data.with).toEqual({ at: "there" });
  });
  test("a stage of null is left out", () => {
    const found = studyOf(changed("studies/big.yaml", "  b: { matrix: { y: [2, 3] } }", "  b: null"));
    expect(found.instances.map(({ id }) => id)).not.toContain("b[y=2]");
  });
  test("two includes of one file are one", () => {
    const files = changed("studies/big.yaml", "[shared/data.yaml]", "[shared/data.yaml, other.yaml]");
    expect(studyOf({ ...files, "studies/other.yaml": "include: shared/data.yaml\n" }).instances).toHaveLength(
      5,
    );
  });

  test.each([
    // [file, its text, the wrong text in it, the line]
    [
      "studies/big.yaml",
      "shared/data",
      "shared/dat",
      '2:11 include.0: no file studies/shared/dat.yaml. Did you mean "studies/shared/data.yaml"?',
    ],
    [
      "studies/big.yaml",
      "[shared/data.yaml]",
      "nowhere/x.yaml",
      "2:1 include: no file studies/nowhere/x.yaml. There is no folder studies/nowhere.",
    ],
    [
      "studies/big.yaml",
      "../pipeline.yaml",
      "../pipelin.yaml",
      '1:1 extends: no file pipelin.yaml. Did you mean "pipeline.yaml"?',
    ],
    [
      "studies/big.yaml",
      "../pipeline.yaml",
      "/x/pipeline.yaml",
      "1:1 extends: /x/pipeline.yaml must be a path from the folder of studies/big.yaml.",
    ],
    ["studies/big.yaml", "vars:", "vras:", '4:1 vras: unknown key. Did you mean "vars"?'],
    [
      "studies/big.yaml",
      "title: big",
      "titel: big",
      '4:9 vars.titel: nothing takes $titel. Did you mean "title"?',
    ],
    ["studies/big.yaml", "more: true", "more: $nope", '6:16 a.with.more: nothing is called "nope".'],
    ["studies/big.yaml", "data.out", "dta.out", '8:18 c.inputs.i: no stage "dta". Did you mean "data"?'],
    [
      "studies/big.yaml",
      "check:",
      "profile: x\ncheck:",
      "3:1 profile: only the pipeline file has this. Move it there, or remove it.",
    ],
    [
      "studies/big.yaml",
      "  a: { with",
      "  aa: null\n  a: { with",
      '6:3 aa: holds nothing, and there is no stage "aa" to leave out. Did you mean "a"?',
    ],
    [
      "studies/shared/data.yaml",
      "at: $where",
      "at: $where, more: $were",
      '3:43 data.with.more: nothing is called "were". Did you mean "where"?',
    ],
    ["studies/shared/data.yaml", "uses: c }", "uses: c", "5:1 Flow map"],
    ["studies/shared/data.yaml", "vars:", "slurm: {}\nvars:", "1:1 slurm: only the pipeline file has this."],
    [
      "studies/shared/data.yaml",
      "vars:",
      "include: ../big.yaml\nvars:",
      "1:1 include: files form a circle: studies/big.yaml → studies/shared/data.yaml → studies/big.yaml. Remove one of these.",
    ],
    ["pipeline.yaml", "n: $n,", "n: $m,", '5:25 a.with.n: nothing is called "m". Did you mean "n"?'],
    [
      "pipeline.yaml",
      "studies/big.yaml",
      "studies/bag.yaml",
      '2:13 profiles.big: no file studies/bag.yaml. Did you mean "studies/big.yaml"?',
    ],
    [
      "pipeline.yaml",
      "small: {}",
      "small: { common: false }",
      '2:45 profiles.small.common: there is no "common" any more. A profile that shares no stage with the others is a file of its own: write NAME: studies/NAME.yaml.',
    ],
  ])("%s: %j → %j", (path, before, after, line) => {
    const files = changed(path, before, after);
    if (after === "n: $m,") files[path] = files[path].replace("title: $title", "title: $title, k: $n");
    let found = "";
    try {
      studyOf(files);
    } catch (error) {
      found = (error as Error).message;
    }
    expect(found.slice(0, path.length + line.length + 1)).toBe(`${path}:${line}`);
  });
  test("a name that two included files bind is refused, with both places", () => {
    const files = changed("studies/big.yaml", "[shared/data.yaml]", "[shared/data.yaml, other.yaml]");
    expect(() => studyOf({ ...files, "studies/other.yaml": "stages: { data: { uses: x } }\n" })).toThrow(
      "studies/big.yaml:2:29 include.1: stages.data is bound twice, at studies/shared/data.yaml:3:3 and studies/other.yaml:1:11. Remove one, or rename it.",
    );
    const vars: Record<string, string> = { ...files, "studies/other.yaml": "vars: { where: here }\n" };
    expect(() => studyOf(vars)).toThrow(
      "vars.where is bound twice, at studies/shared/data.yaml:1:9 and studies/other.yaml:1:9. Give it a value in this file, or remove one.",
    );
    vars["studies/big.yaml"] = vars["studies/big.yaml"].replace("title: big", "title: big, where: mine");
    expect(byId(studyOf(vars)).data.with).toEqual({ at: "mine" });
  });
  test("a study of another profile is read when it is asked for", () => {
    const files = changed("pipeline.yaml", "profile: big", "profile: small");
    expect(studyOf({ ...files, "studies/big.yaml": "stages: [" }).profile).toBe("small");
  });
  test("slurm.stages names the stages of all profiles, those of chains by their own names", () => {
    const slurm = (name: string) => ({
      ...FILES,
      "pipeline.yaml": `${FILES["pipeline.yaml"]}  r: { chain: c }\nchains: { c: { train: { uses: t } } }\nslurm: { stages: { ${name}: { partition: gpu } } }\n`,
    });
    for (const name of ["data", "train-r"]) expect(studyOf(slurm(name)).profile).toBe("big");
    expect(() => studyOf(slurm("trian-r"))).toThrow(
      'slurm.stages.trian-r: no stage "trian-r". Did you mean "train-r"?',
    );
  });
});
