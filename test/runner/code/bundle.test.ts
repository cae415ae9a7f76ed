import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CodeBook, canonical, keyOf } from "../../../runner/code/bundle.ts";
import { lockedVersions } from "../../../runner/code/packages.ts";
import { Project } from "../project.ts";

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

  describe("a package that is a link", () => {
    const link = (target: string) => {
      project.write("linked/package.json", '{"name":"linked","version":"1.0.0","exports":"./index.js"}');
      project.write("linked/index.js", 'import { two } from "nested";\nexport const one = () => two() - 1;');
      project.write(
        "linked/node_modules/nested/package.json",
        '{"name":"nested","version":"1.0.0","main":"i.cjs"}',
      );
      project.write("linked/node_modules/nested/i.cjs", "exports.two = () => 2;");
      mkdirSync(project.path("node_modules"), { recursive: true });
      symlinkSync(target, project.path("node_modules/linked"));
      project.write(
        "package-lock.json",
        '{"packages":{"node_modules/linked":{"resolved":"linked","link":true},"linked":{"version":"1.0.0"}}}',
      );
      project.edit(
        NUMBERS,
        "export default",
        'import { one } from "linked";\nif (one() !== 1) console.log("other");\nexport default',
      );
    };
    test("is in the code with its files, and with what it alone finds", async () => {
      link("../linked");
      const { packages, files } = await code(NUMBERS);
      expect(packages).toEqual([]);
      expect(files).toContain("linked/index.js");
      expect(await change(NUMBERS, () => project.edit("linked/index.js", "- 1", "- 2"))).toBe("other");
      expect(
        await change(NUMBERS, () => project.edit("linked/node_modules/nested/i.cjs", "=> 2", "=> 3")),
      ).toBe("other");
      expect(await change(NUMBERS, () => project.write("linked/README.md", "x"))).toBe("same");
      project.edit("linked/package.json", "./index.js", "./none.js");
      await expect(code(NUMBERS)).rejects.toThrow(`${NUMBERS}: cannot be loaded: `);
    });
    test("may be elsewhere", async () => {
      const elsewhere = mkdtempSync(join(tmpdir(), "deephash-linked-"));
      link("../linked");
      renameSync(project.path("linked"), join(elsewhere, "linked"));
      rmSync(project.path("node_modules/linked"));
      symlinkSync(join(elsewhere, "linked"), project.path("node_modules/linked"));
      const file = join(elsewhere, "linked/index.js");
      expect(
        await change(NUMBERS, () => writeFileSync(file, readFileSync(file, "utf8").replace("- 1", "- 2"))),
      ).toBe("other");
      rmSync(elsewhere, { recursive: true });
    });
  });

  test("a package that is not there is left to Node", async () => {
    project.edit(NUMBERS, "export default", 'await import("not-installed").catch(() => {});\nexport default');
    expect((await code(NUMBERS)).packages).toEqual(["not-installed@missing"]);
  });

  test("follows the paths of tsconfig.json, also of one that comes to be, or that it extends", async () => {
    project.write("stages/a/sums.ts", "export const word = 1;");
    project.write("stages/b/sums.ts", "export const word = 2;");
    project.edit(
      NUMBERS,
      "export default",
      'import { word } from "#sums";\nconsole.error(word);\nexport default',
    );
    project.write("package.json", '{"imports":{"#sums":"./stages/a/sums.ts"}}');
    const paths = (name: string) =>
      JSON.stringify({ compilerOptions: { paths: { "#sums": [`./stages/${name}/sums.ts`] } } });
    expect(await change(NUMBERS, () => project.write("tsconfig.json", paths("b")))).toBe("other");
    expect(await change(NUMBERS, () => project.write("tsconfig.json", paths("a")))).toBe("other");
    project.write("base.json", paths("a"));
    project.write("tsconfig.json", '{ "extends": "./base" }');
    await code(NUMBERS);
    expect(await change(NUMBERS, () => project.write("base.json", paths("b")))).toBe("other");
    rmSync(project.path("tsconfig.json"));
    await code(NUMBERS);
    expect(
      await change(NUMBERS, () =>
        project.write("package.json", '{"imports":{"#sums":"./stages/b/sums.ts"}}'),
      ),
    ).toBe("other");
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

  test("a lock file that comes or goes makes the memo stale", async () => {
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
    for (const odd of [Number.POSITIVE_INFINITY, Number.NaN])
      expect(() => canonical({ a: odd })).toThrow(`${odd} cannot be in a key`);
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
  test("of what comes from git or a tarball hold the commit or the hash, too; of an alias the real name", () => {
    const git = (commit: string) => ({
      version: "1.0.0",
      resolved: `git+ssh://git@github.com/a/b.git#${commit}`,
      peerDependencies: { peer: "*" },
    });
    lock({
      "node_modules/git": git("c0ffee"),
      "node_modules/file": { version: "1.0.0", resolved: "file:b-1.0.0.tgz", integrity: "sha512-x" },
      "node_modules/web": { version: "1.0.0", resolved: "https://host/b.tgz" },
      "node_modules/alias": { name: "real", version: "1.0.0" },
      "node_modules/plain": {
        version: "1.0.0",
        resolved: "https://a.mirror/npm/plain/-/plain-1.0.0.tgz",
        integrity: "y",
      },
      "node_modules/peer": { version: "3.0.0" },
    });
    expect(lockedVersions(project.root, ["git", "file", "web", "alias", "plain"])).toEqual([
      "file@1.0.0#sha512-x",
      "git@1.0.0#c0ffee",
      "peer@3.0.0",
      "plain@1.0.0",
      "real@1.0.0",
      "web@1.0.0#https://host/b.tgz",
    ]);
  });
  test("are refused where another version is installed: its code would run under a wrong key", () => {
    project.write("node_modules/a/package.json", '{"version":"1.2.3"}');
    lock({ "node_modules/a": { version: "1.2.4" } });
    expect(() => lockedVersions(project.root, ["a"])).toThrow(
      "node_modules holds a 1.2.3, but package-lock.json says 1.2.4. Run npm ci.",
    );
  });
  test("a lock file that is cut off is told, one of npm 6 is none", () => {
    project.write("package-lock.json", '{"packages":');
    expect(() => lockedVersions(project.root, ["a"])).toThrow(/^package-lock\.json: .* Run npm install\.$/);
    project.write("package-lock.json", '{"dependencies":{}}');
    expect(lockedVersions(project.root, ["a"])).toEqual(["a@missing"]);
  });
  test("without a lock file are the installed ones", () => {
    project.write("node_modules/a/package.json", '{"version":"1.2.3"}');
    expect(lockedVersions(project.root, ["a", "b"])).toEqual(["a@1.2.3", "b@missing"]);
  });
});
