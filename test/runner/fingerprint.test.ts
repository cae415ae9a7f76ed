import { appendFileSync, existsSync, rmSync } from "node:fs";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CodeBook, canonical, keyOf } from "../../runner/fingerprint.ts";
import { lockedVersions } from "../../runner/packages.ts";
import { Project } from "./project.ts";

let project: Project;
beforeEach(() => {
  project = new Project();
});
afterEach(() => project.remove());

const NUMBERS = "stages/numbers/stage.ts";
const TIMES = "stages/scale/hows/times.ts";
async function code(entry: string) {
  return (await new CodeBook(project.root).read([entry])).get(entry)!;
}
/** Hashes before and after a change. */
async function change(entry: string, edit: () => void): Promise<"same" | "other"> {
  const before = (await code(entry)).hash;
  edit();
  return (await code(entry)).hash === before ? "same" : "other";
}

describe("code", () => {
  test("is read with its definition and the files it was made from", async () => {
    const { definition, files, packages, bundle } = await code(NUMBERS);
    expect(definition).toMatchObject({ params: "numbers", outputs: { values: "values.json" } });
    expect(files.sort()).toEqual(["runner/stage.ts", "stages/numbers/stage.ts", "stages/shared/sums.ts"]);
    expect(packages).toEqual([]);
    expect(existsSync(bundle)).toBe(true);
  });

  test("comments, layout and types do not change it", async () => {
    expect(
      await change(NUMBERS, () => {
        project.edit(NUMBERS, "export default", "/** Says\n * something. */\n\nexport   default");
        project.edit("stages/shared/sums.ts", "(a: number, b: number): number", "(\n  a: 3,\n  b: 4,\n): 12");
        project.edit(
          "runner/stage.ts",
          "export function defineStage",
          "// aside\nexport function defineStage",
        );
      }),
    ).toBe("same");
  });

  test("functions of a shared file that it does not reach do not change it, those it reaches do", async () => {
    expect(await change(NUMBERS, () => project.edit("stages/shared/sums.ts", "a - 1", "a - 2"))).toBe("same");
    expect(await change(NUMBERS, () => project.edit("stages/shared/sums.ts", "a * b", "b * a"))).toBe("same");
    expect(await change(NUMBERS, () => project.edit("stages/shared/sums.ts", "start + i", "i + start"))).toBe(
      "other",
    );
    expect(await change(TIMES, () => project.edit("stages/shared/sums.ts", "b * a", "a * b"))).toBe("other");
  });

  test("its own edits change it, a neighbour's do not", async () => {
    expect(await change(TIMES, () => project.edit(TIMES, "default: 2", "default: 3"))).toBe("other");
    expect(
      await change(TIMES, () =>
        appendFileSync(project.path("stages/scale/hows/plus.ts"), "export const x = 1;"),
      ),
    ).toBe("same");
    expect(
      await change("stages/scale/stage.ts", () =>
        project.edit(TIMES, "times(value, by)", "times(by, value)"),
      ),
    ).toBe("same");
  });

  test("the locked versions of packages it reaches change it, others do not", async () => {
    const lock = (zx: string, other: string) =>
      project.write(
        "package-lock.json",
        JSON.stringify({
          packages: {
            "": {},
            "node_modules/aa": { version: "1.0.0", dependencies: { bb: "*" } },
            "node_modules/bb": { version: zx },
            "node_modules/cc": { version: other },
          },
        }),
      );
    project.write("node_modules/aa/index.js", "module.exports = { a: 1 };");
    project.edit(
      NUMBERS,
      "export default",
      'import aa from "aa";\nif (!aa.a) throw new Error();\nexport default',
    );
    lock("1.0.0", "1.0.0");
    expect((await code(NUMBERS)).packages).toEqual(["aa@1.0.0", "bb@1.0.0"]);
    expect(await change(NUMBERS, () => lock("1.0.0", "2.0.0"))).toBe("same");
    expect(await change(NUMBERS, () => lock("2.0.0", "2.0.0"))).toBe("other");
  });

  test("a script for a browser is in it, with what it imports: its edits change it, its comments do not", async () => {
    project.write("stages/numbers/page.ts", 'import { sum } from "./sum.ts";\nconsole.log(sum(2, 3));');
    project.write("stages/numbers/sum.ts", "export const sum = (a: number, b: number) => a + b;");
    project.edit(
      NUMBERS,
      "export default",
      'import script from "./page.ts?browser";\nconsole.log(script);\nexport default',
    );
    const { files, definition } = await code(NUMBERS);
    expect(files).toContain("stages/numbers/page.ts");
    expect(files).toContain("stages/numbers/sum.ts");
    expect(definition).toMatchObject({ params: "numbers" });
    expect(
      await change(NUMBERS, () => appendFileSync(project.path("stages/numbers/sum.ts"), "// aside")),
    ).toBe("same");
    expect(await change(NUMBERS, () => project.edit("stages/numbers/sum.ts", "a + b", "a - b"))).toBe(
      "other",
    );
    project.edit("stages/numbers/sum.ts", "a - b", "a -");
    await expect(code(NUMBERS)).rejects.toThrow(/^stages\/numbers\/sum\.ts:1:\d+ Unexpected ";"/);
  });

  test("is remembered while nothing of it changes, and made again when its bundle is gone", async () => {
    const { bundle } = await code(NUMBERS);
    const memo = JSON.parse(project.read("node_modules/.cache/deephash/code.json"));
    memo[NUMBERS].definition.params = "from the memo";
    project.write("node_modules/.cache/deephash/code.json", JSON.stringify(memo));
    expect((await code(NUMBERS)).definition.params).toBe("from the memo");
    rmSync(bundle);
    expect((await code(NUMBERS)).definition.params).toBe("numbers");
    expect(existsSync(bundle)).toBe(true);
  });

  test("a lock file that comes or goes makes what is remembered stale", async () => {
    await code(NUMBERS);
    const stamps = () => JSON.parse(project.read("node_modules/.cache/deephash/code.json"))[NUMBERS].stamps;
    expect(stamps()["package-lock.json"]).toBe("");
    project.write("package-lock.json", '{"packages":{}}');
    await code(NUMBERS);
    expect(stamps()["package-lock.json"]).not.toBe("");
  });

  test("what does not compile is told with its place", async () => {
    project.edit(NUMBERS, 'params: "numbers",', "params: ,");
    await expect(code(NUMBERS)).rejects.toThrow(/^stages\/numbers\/stage\.ts:6:11 Unexpected ","/);
  });
  test("an import that is not there is told with its place", async () => {
    project.edit(NUMBERS, "../shared/sums.ts", "../shared/sum.ts");
    await expect(code(NUMBERS)).rejects.toThrow(
      /^stages\/numbers\/stage\.ts:4:23 Could not resolve "\.\.\/shared\/sum\.ts"/,
    );
  });
  test("what throws on loading, or exports nothing, is told", async () => {
    project.write(NUMBERS, 'throw new Error("no\\nway");');
    await expect(code(NUMBERS)).rejects.toThrow(`${NUMBERS}: cannot be loaded: no`);
    project.write(NUMBERS, "export const x = 1;");
    await expect(code(NUMBERS)).rejects.toThrow(`${NUMBERS}: its default export must be an object`);
  });
  test("an import that leaves a timer behind does not hold it up", async () => {
    project.edit(NUMBERS, "export default", "setInterval(() => {}, 1000);\nexport default");
    expect((await code(NUMBERS)).definition.params).toBe("numbers");
  });
});

describe("keys", () => {
  test("are the same for maps in any order, and differ for lists in another", () => {
    expect(canonical({ b: 1, a: [{ d: 1, c: 2 }] })).toBe('{"a":[{"c":2,"d":1}],"b":1}');
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (map) => {
        fc.pre(!Object.hasOwn(map, "__proto__"));
        expect(canonical(Object.fromEntries(Object.entries(map).reverse()))).toBe(canonical(map));
        expect(JSON.parse(canonical(map))).toEqual(JSON.parse(JSON.stringify(map)));
      }),
    );
    const key = (inputs: { hash: string }[]) =>
      keyOf({ code: "", parts: {}, params: {}, inputs: { i: inputs } });
    expect(key([{ hash: "a" }, { hash: "b" }])).not.toBe(key([{ hash: "b" }, { hash: "a" }]));
  });
});

describe("locked versions", () => {
  const lock = (packages: object) => project.write("package-lock.json", JSON.stringify({ packages }));
  test("follow nested, optional and scoped packages as Node finds them", () => {
    lock({
      "node_modules/a": { version: "1.0.0", dependencies: { b: "*" }, optionalDependencies: { "@s/c": "*" } },
      "node_modules/a/node_modules/b": { version: "2.0.0", dependencies: { d: "*" } },
      "node_modules/b": { version: "9.0.0" },
      "node_modules/@s/c": { version: "3.0.0" },
      "node_modules/d": { version: "4.0.0", dependencies: { a: "*" } },
    });
    expect(lockedVersions(project.root, ["a/deep/file.js", "node:fs", "fs", "./x", "@s/c/y"])).toEqual([
      "@s/c@3.0.0",
      "a@1.0.0",
      "b@2.0.0",
      "d@4.0.0",
    ]);
    expect(lockedVersions(project.root, ["b"])).toEqual(["b@9.0.0"]);
  });
  test("without a lock file are the installed ones", () => {
    project.write("node_modules/a/package.json", '{"version":"1.2.3"}');
    expect(lockedVersions(project.root, ["a", "b"])).toEqual(["a@1.2.3", "b@missing"]);
  });
});
