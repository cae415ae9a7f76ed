/** The commands, on a tiny project: which stages run, which do not, and the messages. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { UpstreamRun } from "../../runner/stage.ts";
import { Project } from "../runner/project.ts";

const project = new Project();
const make = (files: Record<string, string> = {}) => project.reset(files);
afterAll(() => {
  project.remove();
  rmSync(WARM, { recursive: true, force: true });
});

const EVERYTHING = ["numbers", "scale[by=2]", "scale[by=3]", "total"];

/** The store and the reports of the first run that was asked for. */
const WARM = `${project.root}-warm`;

/** Everything is up to date before the test begins. */
async function warm(): Promise<void> {
  make();
  if (existsSync(WARM)) {
    for (const name of ["cache", "reports"])
      cpSync(join(WARM, name), project.path(name), { recursive: true, preserveTimestamps: true });
    return;
  }
  const { code, err } = await project.run();
  expect(err).toBe("");
  expect(code).toBe(0);
  expect(project.ran().sort()).toEqual(EVERYTHING);
  for (const name of ["cache", "reports"])
    cpSync(project.path(name), join(WARM, name), { recursive: true, preserveTimestamps: true });
}

describe("run", () => {
  test("runs everything, publishes, and the second time does nothing and says so", async () => {
    make();
    const first = await project.run();
    expect(first.err).toBe("");
    expect(first.out.split("\n")[0]).toBe("Profile small: 0 of 4 stages are up to date.");
    expect(first.out).toMatch(/^▸ numbers {2}\(never ran\)$/m);
    expect(first.out).toMatch(/^✓ \[4\/4\] total {2}\d/m);
    expect(first.out).toMatch(/^Ran 4 stages in \S+ s; all 4 are up to date\.$/m);
    expect(first.out).toContain("Published to reports/small/.");
    expect(JSON.parse(project.read("reports/small/metrics.json"))).toEqual({ total: 30 });
    expect(project.read("reports/small/tables/1.csv")).toBe("3\n6\n9");
    expect(project.ran().sort()).toEqual(EVERYTHING);

    const second = await project.run();
    expect(second).toMatchObject({ code: 0, err: "", out: "Nothing to do: all 4 stages are up to date.\n" });
    expect(project.ran()).toEqual([]);
  });

  test("runs another profile, and only what it does not share", async () => {
    await warm();
    const { code, out } = await project.run("--profile", "large");
    expect(code).toBe(0);
    expect(project.ran().sort()).toEqual(["scale[by=4]", "scale[by=5]", "total"]);
    expect(out).toContain("Published to reports/large/.");
    // The stage is told how all came to be that it rests on.
    const { upstream } = JSON.parse(project.read("reports/large/timings.json")) as {
      upstream: UpstreamRun[];
    };
    expect(upstream.map(({ id, stage, from, hit }) => [id, stage, from, hit])).toEqual([
      ["numbers", "numbers", [], true],
      ["scale[by=2]", "scale", ["numbers"], true],
      ["scale[by=3]", "scale", ["numbers"], true],
      ["scale[by=4]", "scale", ["numbers"], false],
      ["scale[by=5]", "scale", ["numbers"], false],
    ]);
    for (const { seconds, peakMegabytes } of upstream) {
      expect(seconds).toBeGreaterThan(0);
      expect(peakMegabytes).toBeGreaterThan(1);
    }
  });

  test("--only runs a stage and what it needs", async () => {
    make();
    await project.run("--only", "scale[by=3]");
    expect(project.ran()).toEqual(["numbers", "scale[by=3]"]);
    await project.run("--only", "scale");
    expect(project.ran()).toEqual(["scale[by=2]"]);
    expect(existsSync(project.path("reports"))).toBe(false);
  });

  test("--from runs a stage and all that follows again", async () => {
    await warm();
    const { out } = await project.run("--from", "scale[by=2]");
    // The same bytes come out of it, and yet what follows was asked for.
    expect(project.ran()).toEqual(["scale[by=2]", "total"]);
    expect(out).toContain("(forced)");
  });

  test("--force runs everything again, with --only that stage alone", async () => {
    await warm();
    await project.run("--force", "--only", "scale");
    expect(project.ran().sort()).toEqual(["scale[by=2]", "scale[by=3]"]);
    await project.run("--force");
    expect(project.ran().sort()).toEqual(EVERYTHING);
    expect((await project.run()).out).toContain("Nothing to do");
  });

  test("--set changes a param, a part's param, a part, and a var", async () => {
    await warm();
    await project.run("--set", "numbers.count=4", "--only", "numbers");
    expect(project.ran()).toEqual(["numbers"]);
    await project.run("--set", "scale.how.by=10", "--only", "scale");
    expect(project.ran()).toHaveLength(1); // both points have the same key now
    await project.run("--set", "scale.how={use: plus, by: 1}", "--only", "scale");
    expect(project.ran()).toHaveLength(1);
    await project.run("--set", "vars.start=5", "--set", "vars.factors=[7]");
    expect(project.ran()).toEqual(["numbers", "scale[by=7]", "total"]);
    expect(JSON.parse(project.read("reports/small/metrics.json"))).toEqual({ total: 126 });
  });

  test("stops the wave where a stage makes the same bytes again", async () => {
    await warm();
    project.edit("stages/numbers/stage.ts", "appendFileSync(", "void count;\n    appendFileSync(");
    const { out } = await project.run();
    expect(project.ran()).toEqual(["numbers"]);
    expect(out).toContain("(its code changed: default export in stages/numbers/stage.ts)");
    expect(out).toContain("Ran 1 stage in");
  });

  test("needs no inputs of cached stages", async () => {
    await warm();
    rmSync(project.path("cache/objects"), { recursive: true });
    expect((await project.run()).out).toContain("Nothing to do");
    expect(project.ran()).toEqual([]);
  });

  test("makes needed and lost results again, and reports it", async () => {
    await warm();
    rmSync(project.path("cache/objects"), { recursive: true });
    project.edit(
      "stages/total/stage.ts",
      "JSON.stringify({ total:",
      "JSON.stringify({ lists: lists.length, total:",
    );
    const { code, out, err } = await project.run();
    expect(code).toBe(0);
    expect(project.ran().sort()).toEqual(EVERYTHING);
    expect(err).toMatch(/^! cache: object [0-9a-f]{8}… is gone; scale\[by=2\] runs again\.$/m);
    expect(out).toMatch(/^▸ scale\[by=2\] {2}\(object [0-9a-f]{8}… is gone\)$/m);
  });

  test("publishes deleted and edited files again, but no measured ones", async () => {
    await warm();
    const timings = project.read("reports/small/timings.json");
    rmSync(project.path("reports/small/metrics.json"));
    project.write("reports/small/tables/0.csv", "edited");
    project.write("reports/small/tables/mine.csv", "a person's");
    project.write("reports/small/timings.json", `${timings} `);
    const { out } = await project.run();
    expect(out).toBe("Published to reports/small/.\n");
    expect(project.ran()).toEqual([]);
    expect(project.read("reports/small/tables/0.csv")).toBe("2\n4\n6");
    expect(existsSync(project.path("reports/small/metrics.json"))).toBe(true);
    expect(project.read("reports/small/tables/mine.csv")).toBe("a person's");
    expect(project.read("reports/small/timings.json")).toBe(`${timings} `);
  });

  test("runs within --jobs cores", async () => {
    const stages = Object.fromEntries(
      ["a", "b"].map((name) => [name, { uses: "trouble", with: { mode: "pause", word: name } }]),
    );
    make({ "pipeline.yaml": JSON.stringify({ profiles: { small: {} }, stages }) });
    const order = async (...args: string[]) =>
      (await project.run("--force", ...args)).out.match(/^[▸✓]/gm)!.join("");
    expect(await order("--jobs", "2")).toBe("▸▸✓✓");
    expect(await order("--jobs", "1")).toBe("▸✓▸✓");
  });

  test("shows a stage's warnings and keeps its log", async () => {
    make({
      "pipeline.yaml": "profiles: { small: {} }\nstages: { odd: { uses: trouble, with: { mode: warn } } }\n",
    });
    const { out } = await project.run();
    expect(out).toMatch(/^! odd: two rows look odd\.$/m);
    const { out: why } = await project.run("why", "odd");
    const [, log] = /log (.*)/.exec(why)!;
    expect(project.read(log.replace(project.root, ""))).toContain("warning: two rows look odd.");
  });
});

describe("status, why, graph", () => {
  test("status lists stages that are up to date and that would run, with reasons, and runs nothing", async () => {
    make();
    expect((await project.run("status")).out).toBe(
      "Profile small\nnumbers  to run (never ran)\nscale    2 waiting for numbers\ntotal    waiting for scale\n",
    );
    await project.run();
    project.ran();
    const { out } = await project.run("status", "--set", "scale.how.by=9");
    expect(out).toContain("numbers  up to date\n");
    expect(out).toContain("scale    2 to run (how.by: 2 → 9; how.by: 3 → 9)\n");
    expect(out).toContain("total    waiting for scale\n");
    expect((await project.run("status")).out).toContain("scale    all 2 up to date\n");
    expect(project.ran()).toEqual([]);
  });

  test("why prints the change, or the origin of a result", async () => {
    await warm();
    const known = await project.run("why", "scale[by=2]");
    expect(known.out).toMatch(/^scale\[by=2\]: up to date\n {2}key [0-9a-f]{16}, made .* on .*, Node v/);
    expect(known.out).toContain("  how times\n");
    expect(known.out).toMatch(/seconds: .*, measured/);
    project.edit("stages/shared/sums.ts", "a * b", "b * a");
    expect((await project.run("why", "scale[by=2]")).out).toBe(
      "scale[by=2]: runs: the code of how times changed: times in stages/shared/sums.ts\n",
    );
    project.edit("pipeline.yaml", "start: 1", "start: 2");
    expect((await project.run("why", "numbers")).out).toBe("numbers: runs: start: 1 → 2\n");
    expect((await project.run("why", "total")).out).toBe(
      "total: runs only if what comes from upstream changes; waits for scale[by=2], scale[by=3]\n  numbers runs: start: 1 → 2\n",
    );
    expect((await project.run("why", "totl")).err).toBe('why totl: no such stage. Did you mean "total"?\n');
  });

  test("graph draws Mermaid and DOT", async () => {
    make();
    expect((await project.run("graph")).out).toBe(`flowchart TD
  stage_numbers["numbers"]
  stage_scale["scale × 2"]
  stage_total["total"]
  stage_numbers -->|values| stage_scale
  stage_scale -->|values| stage_total
`);
    expect((await project.run("graph", "dot")).out).toContain('"numbers" -> "scale" [label="values"];');
    expect(await project.run("graph", "dto")).toMatchObject({
      code: 2,
      err: 'graph dto: no such format. Did you mean "dot"?\n',
    });
  });

  test("--help explains the commands and options", async () => {
    make();
    const { code, out } = await project.run("--help");
    expect(code).toBe(0);
    for (const word of ["run", "status", "why", "graph", "check", "help run", "Exit codes"])
      expect(out).toContain(word);
    const { out: page } = await project.run("help", "run");
    for (const word of ["--profile", "--set", "--only", "--from", "--force", "--jobs", "--mirror", "--debug"])
      expect(page).toContain(word);
  });
});

describe("check", () => {
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@example.org", ...args], {
      cwd: project.root,
      stdio: "pipe",
    });
  const commit = () => {
    git("init", "--quiet");
    git("add", "reports");
    git("commit", "--quiet", "-m", "The report");
  };

  test("passes when the numbers are those that were committed", async () => {
    await warm();
    commit();
    const { code, out } = await project.run("check");
    expect(code).toBe(0);
    expect(out).toContain(
      "Check passed: 1 number in 1 file compared exactly with the report as committed; 0 differences.",
    );
  });

  test("fails with exit code 1 and a table when they differ", async () => {
    await warm();
    commit();
    // The committed numbers count, not those on disk.
    project.write("reports/small/metrics.json", '{"total":36}');
    const { code, err } = await project.run("check", "--set", "vars.factors=[2, 4]");
    expect(code).toBe(1);
    expect(err).toMatch(/^number +committed +now +difference$/m);
    expect(err).toMatch(/^small\/metrics\.json total +30 +36 +6\.00e\+0$/m);
    expect(err).toContain("Check FAILED: 1 number in 1 file compared exactly");
  });

  test("takes a profile's tolerance", async () => {
    make();
    await project.run("--profile", "large");
    commit();
    const near = await project.run("check", "--profile", "large", "--set", "numbers.start=1.01");
    expect(near.code).toBe(0); // 84 → 84.42
    expect(near.out).toContain("compared within 0.5");
    expect((await project.run("check", "--profile", "large", "--set", "numbers.start=1.1")).code).toBe(1);
  });

  test("fails when nothing is committed", async () => {
    make();
    git("init", "--quiet");
    git("commit", "--quiet", "--allow-empty", "-m", "Nothing");
    const { code, err } = await project.run("check");
    expect(code).toBe(1);
    expect(err).toContain(
      "reports/small/metrics.json: is not committed, so there is nothing to compare it with. Commit it first.",
    );
  });
});

describe("shell stages", () => {
  const shell = (run: string, more: object = {}) => ({
    "pipeline.yaml": JSON.stringify({
      profiles: { small: {} },
      stages: {
        numbers: { uses: "numbers" },
        shell: { run, inputs: { values: "numbers.values" }, outputs: { text: "it's here.txt" }, ...more },
      },
    }),
  });

  test("quote the values put in, and see their inputs and params", async () => {
    make(
      shell("cat ${in.values} > ${out.text} && printf '%s|' ${with.words} >> ${out.text}", {
        publish: "reports",
        with: { words: ["a b", "it's", "$$HOME", "; rm -rf ."] },
      }),
    );
    const { code, err } = await project.run();
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(project.read("reports/it's here.txt")).toBe("[1,2,3]a b|it's|$HOME|; rm -rf .|");
    expect((await project.run()).out).toContain("Nothing to do: all 2 stages");
    await project.run("--set", "shell.words=[other]");
    expect(project.ran()).toEqual(["numbers"]); // it ran once, at first
    expect(project.read("reports/it's here.txt")).toBe("[1,2,3]other|");
  });

  test("run again when a script that they name changed, and when an input has another name", async () => {
    make({
      "tools/say.sh": "cat $1 > $2; basename $1 >> $2",
      ...shell("sh tools/say.sh ${in.values} ${out.text}", { publish: "reports" }),
    });
    expect((await project.run()).code).toBe(0);
    expect(project.read("reports/it's here.txt")).toBe("[1,2,3]values.json\n");
    project.write("tools/say.sh", "echo new > $2");
    expect((await project.run("why", "shell")).out).toMatch(
      /the input "its command" changed: tools\/say\.sh [0-9a-f]{12} → [0-9a-f]{12}/,
    );
    expect((await project.run()).code).toBe(0);
    expect(project.read("reports/it's here.txt")).toBe("new\n");
    project.edit("stages/numbers/stage.ts", '"values.json" }', '"numbers.json" }');
    expect((await project.run("--only", "numbers")).code).toBe(0);
    expect((await project.run("status")).out).toContain(
      'to run (the input "values" changed: values.json → numbers.json, the same bytes)',
    );
    project.edit("stages/numbers/stage.ts", '"numbers.json" }', '"values.json" }');
  });

  test("that write into a file of the project that they name are told where to write", async () => {
    make({ "log.txt": "", ...shell("cp log.txt ${out.text}; date +%N | tee log.txt") });
    const { code, out } = await project.run();
    expect(code).toBe(2);
    expect(out).toContain(
      "✗ shell: its input changed while it ran (log.txt), so its result was not kept. Its command names that file; let it write to ${out.NAME}.",
    );
  });

  test("take vars and points of the matrix as they are: nothing in them is run", async () => {
    make({
      "pipeline.yaml": JSON.stringify({
        profiles: { small: {} },
        vars: { v: "$$(touch pwned)" },
        stages: {
          shell: {
            run: "printf '<%s>' ${v} \"${m}\" $${HOME:+set} > ${out.text}",
            matrix: { m: ["`touch pwned`; touch pwned"] },
            outputs: { text: "t.txt" },
            publish: "reports",
          },
        },
      }),
    });
    expect((await project.run()).code).toBe(0);
    expect(project.read("reports/t.txt")).toBe("<$(touch pwned)><`touch pwned`; touch pwned><set>");
    expect(existsSync(project.path("pwned"))).toBe(false);
  });

  test("fail with the last line of what they said, also within a pipe", async () => {
    make(shell("echo first >&2; echo the last word >&2; (exit 3) | cat > ${out.text}"));
    const { code, out } = await project.run();
    expect(code).toBe(1);
    expect(out).toContain("✗ shell: its command ended with exit code 3: the last word");
  });

  test("are ended with all they started when their time is over", async () => {
    make(shell("(sleep 61 & sleep 62; echo) & echo $$ > pid; wait; touch ${out.text}", { timeout: 0.5 }));
    const began = performance.now();
    const { code, out } = await project.run();
    expect(code).toBe(1);
    expect(out).toContain("✗ shell: took longer than its timeout of 0.5 s and was ended.");
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(processes(/sleep 6[12]/)).toEqual([]);
  });

  test("that write no output fail, and leave no record", async () => {
    make(shell("true"));
    const { code, out } = await project.run();
    expect(code).toBe(1);
    expect(out).toContain('✗ shell: ended well but did not write its output "text" (it\'s here.txt).');
    expect((await project.run("status")).out).toContain("shell    to run");
  });
});

/** The command lines of this machine's processes that match. */
function processes(pattern: RegExp): string[] {
  return execFileSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => pattern.test(line) && !line.startsWith("Z"));
}

test("the store holds nothing that can be written to by mistake", async () => {
  await warm();
  const { out } = await project.run("why", "numbers");
  const [, start] = /values: ([0-9a-f]+)/.exec(out)!;
  const object = execFileSync("find", [project.path("cache/objects"), "-name", `${start}*`], {
    encoding: "utf8",
  });
  expect(statSync(object.trim()).mode & 0o222).toBe(0);
});
