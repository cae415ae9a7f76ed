import { rmSync } from "node:fs";
import { resolve as absolute } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CodeBook } from "../../../runner/code/bundle.ts";
import { resolve } from "../../../runner/plan/tasks.ts";
import { expand } from "../../../runner/study/expand.ts";
import { load } from "../../../runner/study/load.ts";
import { Project } from "../project.ts";

let project: Project;
beforeAll(() => {
  project = new Project();
});
afterAll(() => project.remove());

const tasks = async (stages: string, profile = "{}") => {
  project.write(
    "pipeline.yaml",
    `profiles: { p: ${profile} }\nstages:\n  numbers: { uses: numbers }\n${stages}`,
  );
  return resolve(
    expand(load(project.path("pipeline.yaml"), absolute(".")), "p"),
    project.root,
    new CodeBook(project.root),
  );
};
const task = async (stages: string) => (await tasks(stages)).at(-1)!;
const SCALE = "uses: scale, inputs: { values: numbers.values }";

describe("a task has everything that is known before it runs", () => {
  test("params with their defaults, outputs, cores", async () => {
    const [numbers] = await tasks("");
    expect(numbers.params).toEqual({ count: 3, start: 1 });
    expect(numbers.outputs).toEqual({ values: { path: "values.json", measured: false } });
    expect(numbers.cpus).toBe(1);
    expect((await task("  s: { uses: numbers, cpus: all }\n")).cpus).toBe("all");
  });
  test("`auto` becomes the stage's value for the profile's check, and other values stay", async () => {
    const schema = "schemas/timed.params.schema.json";
    project.write(
      schema,
      '{ "type": "object", "properties": { "engine": { "enum": ["a", "b", "auto"], "default": "auto" } } }',
    );
    project.write(
      "stages/timed/stage.ts",
      `import { defineStage } from "../../runner/stage.ts";
export default defineStage({
  params: "timed", inputs: {}, outputs: { values: "v" }, auto: { engine: { exact: "a", tolerance: "b" } },
  async run() {},
});`,
    );
    const engine = async (stage: string, profile?: string) =>
      (await tasks(stage, profile)).at(-1)!.params.engine;
    const [free, named] = ["  t: { uses: timed }\n", "  t: { uses: timed, with: { engine: a } }\n"];
    expect(await engine(free)).toBe("a");
    expect(await engine(free, "{ check: exact }")).toBe("a");
    expect(await engine(free, "{ check: { tolerance: 0.1 } }")).toBe("b");
    expect(await engine(named, "{ check: { tolerance: 0.1 } }")).toBe("a");
  });
  test("parts with their own params, in the short form and the long", async () => {
    const short = await task(`  s: { ${SCALE}, with: { how: times } }\n`);
    expect(short.parts.how).toMatchObject({ name: "times", params: { by: 2 } });
    expect(short.params).toEqual({});
    const long = await task(`  s: { ${SCALE}, with: { how: { use: plus, by: 5 }, unit: km } }\n`);
    expect(long.parts.how).toMatchObject({ name: "plus", params: { by: 5 } });
    expect(long.params).toEqual({ unit: "km" });
    expect(long.parts.how.code.hash).not.toBe(short.parts.how.code.hash);
    expect(long.codeHash).toBe(short.codeHash);
  });
  test("a list of parts, in the order of their names", async () => {
    const schema = "schemas/scale.params.schema.json";
    const before = project.read(schema);
    project.write(
      schema,
      JSON.stringify({ type: "object", properties: { how: { type: "array", items: { type: "string" } } } }),
    );
    const { parts, params } = await task(`  s: { ${SCALE}, with: { how: [times, { use: plus, by: 5 }] } }\n`);
    expect(Object.keys(parts)).toEqual(["how.plus", "how.times"]);
    expect(parts["how.plus"]).toMatchObject({ name: "plus", params: { by: 5 } });
    expect(params).toEqual({});
    const fault = (how: string) => task(`  s: { ${SCALE}, with: { how: ${how} } }\n`);
    await expect(fault("[times, tims]")).rejects.toThrow(
      's.with.how.1: no how "tims" in stages/scale/hows/.',
    );
    await expect(fault("[times, times]")).rejects.toThrow('s.with.how.1: "times" is listed twice.');
    await expect(fault("[{ use: plus, by: no }]")).rejects.toThrow(
      's.with.how.0.by: must be of type number, not "no".',
    );
    await expect(fault("times")).rejects.toThrow('s.with.how: must be of type array, not "times".');
    project.write(schema, before);
  });
  test("inputs that take many, and files of the project", async () => {
    project.write("data/x.json", "[]");
    const total = await task("  t: { uses: total, inputs: { values: [numbers.values, ./data/x.json] } }\n");
    expect(total.many).toEqual(["values"]);
    expect(total.named).toEqual(["values"]);
    expect(total.inputs.values).toEqual([{ id: "numbers", output: "values" }, { file: "data/x.json" }]);
  });
  test("a shell command's hash covers the command and its outputs", async () => {
    const hash = async (run: string, outputs: string) =>
      (await task(`  s: { run: "${run}", outputs: ${outputs} }\n`)).codeHash;
    const plain = await hash("touch ${out.a}", "{ a: a.txt }");
    expect(await hash("touch ${out.a}", "{ a: a.txt }")).toBe(plain);
    expect(await hash("touch  ${out.a}", "{ a: a.txt }")).not.toBe(plain);
    expect(await hash("touch ${out.a}", "{ a: { path: a.txt, measured: true } }")).not.toBe(plain);
  });
});

describe("a shell command's key covers", () => {
  const inputsOf = async (stage: string) => (await task(`  s: ${stage}\n`)).inputs;
  test("the project's files that it names, but for those that are declared or written", async () => {
    for (const file of ["tools/a.py", "tools/b.py", "data/x.csv"]) project.write(file, "1");
    const inputs = await inputsOf(
      "{ run: 'python3 tools/a.py ${with.tool} data/x.csv > tools/b.py', with: { tool: tools/b.py }, inputs: { x: ./data/ }, outputs: { o: o } }",
    );
    expect(inputs["its command"]).toEqual([{ file: "tools/a.py" }, { file: "tools/b.py" }]);
    await inputsOf(`{ run: '${"x".repeat(5000)}', outputs: { o: o } }`); // a word that no file can be called
    expect(Object.keys(await inputsOf("{ run: 'touch ${out.o} > tools/b.py', outputs: { o: o } }"))).toEqual(
      [],
    );
  });
  test("the names of its inputs as it sees them", async () => {
    const inputs = await inputsOf(
      `{ run: 'cat \${in.n} \${in.f} \${in.a}', inputs: { n: numbers.values, f: ./data/../data/x.csv, a: ${project.path("tools/a.py")} }, outputs: { o: o } }`,
    );
    expect(inputs.n).toEqual([{ id: "numbers", output: "values", as: "values.json" }]);
    expect(inputs.f).toEqual([{ file: "data/../data/x.csv", as: "data/x.csv" }]);
    expect(inputs.a).toEqual([{ file: project.path("tools/a.py"), as: "a.py" }]);
  });
});

describe("a schema that is broken is told with its file and line", () => {
  const schema = "schemas/numbers.params.schema.json";
  test.each([
    ['{\n  "type": "object",\n}', `${schema}:2:19 JSON does not support trailing commas.`],
    ['{ "type": "object"', `${schema}:1:19 Expected "," in JSON but found end of file.`],
    ["", `${schema}:1:1 Unexpected end of file in JSON.`],
    ["[]", `${schema}: must be a map, as every JSON Schema here.`],
    [
      '{ "type": "objekt" }',
      `${schema}: schema is invalid: data/type must be equal to one of the allowed values`,
    ],
    [
      '{ "properties": { "count": 3 } }',
      `${schema}: schema is invalid: data/properties/count must be object,boolean.`,
    ],
    [undefined, `${schema}: no such schema.`],
  ])("%s", async (text, message) => {
    const before = project.read(schema);
    if (text === undefined) rmSync(project.path(schema));
    else project.write(schema, text);
    try {
      await expect(tasks("")).rejects.toThrow(message);
      await expect(tasks("")).rejects.toMatchObject({ name: "UserError" });
    } finally {
      project.write(schema, before);
    }
  });
  test("also that of a part", async () => {
    project.write("stages/scale/hows/broken.ts", "export default { params: { by: { type: 3 } } };");
    await expect(tasks(`  s: { ${SCALE}, with: { how: broken } }\n`)).rejects.toThrow(
      "stages/scale/hows/broken.ts: schema is invalid: data/properties/by/type must be",
    );
    rmSync(project.path("stages/scale/hows/broken.ts"));
  });
});

test("an optional param of a part is absent unless given, and checked where given", async () => {
  project.write(
    "stages/scale/hows/rooted.ts",
    'export default { params: { by: { type: "object", optional: true, required: ["root"] } } };',
  );
  const found = await tasks(`  s: { ${SCALE}, with: { how: rooted } }\n`);
  expect(found.flatMap(({ parts }) => Object.values(parts).map(({ params }) => params))).toEqual([{}]);
  await expect(tasks(`  s: { ${SCALE}, with: { how: { use: rooted, by: {} } } }\n`)).rejects.toThrow(
    's.with.how.by: "root" is missing.',
  );
  rmSync(project.path("stages/scale/hows/rooted.ts"));
});

describe("faults are told with their place and the nearest right word", () => {
  test.each([
    ["s: { uses: scal }", '4:8 s.uses: no stage "scal" in stages/. Did you mean "scale"?'],
    [
      `s: { ${SCALE}, with: { how: tims } }`,
      '4:65 s.with.how: no how "tims" in stages/scale/hows/. Did you mean "times"?',
    ],
    [
      `s: { ${SCALE}, with: { how: power } }`,
      '4:65 s.with.how: no how "power" in stages/scale/hows/. There are plus, times.',
    ],
    [
      `s: { ${SCALE}, with: { how: { by: 3 } } }`,
      "4:65 s.with.how: write the part's name, as how: NAME or { use: NAME, … }.",
    ],
    [
      `s: { ${SCALE}, with: { how: { use: times, bye: 3 } } }`,
      '4:84 s.with.how.bye: unknown key. Did you mean "by"?',
    ],
    [
      `s: { ${SCALE}, with: { how: { use: times, by: x } } }`,
      '4:84 s.with.how.by: must be of type number, not "x".',
    ],
    [`s: { ${SCALE}, with: { how: plus } }`, '4:65 s.with.how: "by" is missing.'],
    [`s: { ${SCALE}, with: { hwo: times } }`, '4:65 s.with.hwo: unknown key. Did you mean "how"?'],
    [
      `s: { ${SCALE}, with: { unit: mm } }`,
      '4:65 s.with.unit: must be "m" or "km", not "mm". Did you mean "m"?',
    ],
    ["s: { uses: numbers, with: { count: 0 } }", "4:31 s.with.count: must be >= 1, not 0."],
    [
      "s: { uses: scale, inputs: { value: numbers.values } }",
      '4:21 s.inputs: the input "values" of s has no file.',
    ],
    [
      "s: { uses: scale, inputs: { values: numbers.value } }",
      '4:31 s.inputs.values: numbers makes no "value". Did you mean "values"?',
    ],
    [
      `s: { uses: total, inputs: { values: numbers.values, extr: numbers.values } }`,
      '4:55 s.inputs.extr: unknown input of the stage "total". Did you mean "extra"?',
    ],
    [
      "s: { uses: scale, inputs: { values: ./none.json } }",
      "4:31 s.inputs.values: no file none.json in the project.",
    ],
    [
      "s: { uses: scale, inputs: { values: [numbers.values, numbers.values] } }",
      "4:31 s.inputs.values: takes one file, but 2 match for s (numbers, numbers). Narrow it down: stage[axis=value].output.",
    ],
    [
      "s: { uses: numbers, outputs: { x: x } }",
      '4:23 s.outputs: the stage "numbers" says itself what it makes; only a "run" stage has outputs here.',
    ],
    [
      "s: { run: 'cat ${in.value}', inputs: { values: numbers.values } }",
      '4:8 s.run: nothing is called "in.value". Did you mean "in.values"?',
    ],
    [
      "s: { run: 'echo ${HOME}', outputs: { x: x } }",
      `4:8 s.run: nothing is called "HOME". Known are \${in.NAME}, \${out.NAME}, \${with.NAME}, \${profile}, and \${NAME} of a var or an axis; the shell's own is $NAME, or $\${NAME}.`,
    ],
    [
      "s: { run: 'touch x', outputs: { x: ../x } }",
      '4:35 s.outputs.x: must be a path below the stage\'s own folder, as figure.svg, not "../x".',
    ],
    [
      "s: { run: 'touch x', outputs: { x: /etc/x } }",
      '4:35 s.outputs.x: must be a path below the stage\'s own folder, as figure.svg, not "/etc/x".',
    ],
    [
      "s: { uses: scale, inputs: { values: numbers.values, valueOf: numbers.values } }",
      '4:55 s.inputs.valueOf: "valueOf" cannot be a name here: JavaScript reserves it.',
    ],
    [
      "s: { uses: scale, inputs: { values: numbers.toString } }",
      '4:31 s.inputs.values: numbers makes no "toString". It makes values.',
    ],
    [
      "s: { run: 'touch x', outputs: { ../x: x } }",
      '4:35 s.outputs.../x: must be made of letters, digits, - and _, not "../x".',
    ],
    [
      "s: { run: 'cat', inputs: { ../../x: numbers.values } }",
      '4:30 s.inputs.../../x: must be made of letters, digits, - and _, not "../../x".',
    ],
    [
      "s: { run: 'echo \"a\" $((${with.n}))', with: { n: 1 }, outputs: { x: x } }",
      "4:8 s.run: ${with.n} is in arithmetic, which would run what it holds.",
    ],
    [
      's: { run: touch x, outputs: { x: "a\\nb" } }',
      '4:33 s.outputs.x: must hold no control character: "a\\nb".',
    ],
  ])("%s", async (stage, line) => {
    await expect(tasks(`  ${stage}\n`)).rejects.toThrow(`pipeline.yaml:${line}`);
  });
});
