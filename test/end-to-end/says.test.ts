/** Commands on numbers: explain, diff, what-if; and resource claims and the leak guard, on a tiny project. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { Project } from "../runner/project.ts";

const READING = `
import type { Reading } from "../../runner/stage.ts";
const reading: Reading = {
  output: "metrics",
  makers: (path, makers) => (path[0] === "total" ? makers.filter(({ point }) => point.by === 3).map(({ id }) => id) : []),
  compare: (before, now) => {
    const [was, is] = [before, now].map(({ numbers }) => (numbers as { total: number }).total);
    const known = before.sources.values?.length === 2 && now.sources.values?.length === 2;
    return [{ path: ["total"], before: was, now: is, difference: is - was, p: known ? 0.01 : 0.5, how: known ? "both runs" : "a guess" }];
  },
  covers: ([top]) => top === "total",
};
export default reading;
`;
/** Milliseconds for a test that runs many commands. */
const MANY = 300_000;
const project = new Project({ "stages/total/reading.ts": READING });
afterAll(() => project.remove());
const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@example.org", ...args], {
    cwd: project.root,
    stdio: "pipe",
  });
const commit = (message: string) => {
  git("init", "--quiet");
  git("add", "pipeline.yaml", "reports");
  git("commit", "--quiet", "-m", message);
};

describe("explain and diff", () => {
  test(
    "go from a number back to what it rests on, and from one revision to the next",
    async () => {
      await project.run();
      commit("The report");
      await project.run("--set", "numbers.start=2");
      const explained = await project.run("explain", "reports/small#total");
      expect(explained.err).toBe("");
      const lines = explained.out.split("\n");
      expect(lines[0]).toBe("45  total of reports/small/metrics.json");
      expect(lines[1]).toMatch(
        /^written by total .* on .*, key [0-9a-f]{12}, git [0-9a-f]{12}.*, and is not up to date now$/,
      );
      expect(lines[2]).toBe("behind it: scale[by=3]");
      expect(explained.out).toContain("\nscale[by=3]\n  made ");
      expect(explained.out).toMatch(/\n {2}how times \{"by":3\}, code [0-9a-f]{12}\n/);
      expect(explained.out).toMatch(/\n {2}values: numbers\.values, sha256 [0-9a-f]{12}…\n\nnumbers\n/);
      expect(explained.out).toContain('\n  params {"start":2,"count":3}\n');
      expect(explained.out).not.toContain("scale[by=2]\n");
      expect(lines.at(-2)).toMatch(
        /^Again: git checkout [0-9a-f]{12} && npm ci && npm run pipeline -- --profile small --set 'numbers\.start=2' --only 'total'$/,
      );

      const same = await project.run("diff", "HEAD");
      expect(same.out).toMatch(
        /^reports\/small\/metrics\.json: HEAD \([0-9a-f]{8}\) against the run that is up to date\n0 of 1 measurement changed, 0 significantly \(0 up, 0 down\)\.\nNo number changed\.\n$/,
      );
      const now = await project.run("diff", "HEAD", "--set", "numbers.start=2");
      expect(now.out).toMatch(/^total {8}30\.0000 {2}45\.0000 {2}\+15\.0000 +– +0\.010 +both runs$/m);
      expect(now.out).toContain("1 of 1 measurement changed, 1 significantly (1 up, 0 down).");

      rmSync(project.path("cache/records"), { recursive: true });
      const lost = await project.run("diff", "HEAD");
      expect(lost.out).toContain("against the published file (the run is not up to date)");
      expect(lost.out).toContain("a guess");
      const elsewhere = await project.run("explain", "reports/small#total");
      expect(elsewhere.out).toContain("no record in this store made this very metrics.json");
      expect(elsewhere.out).toContain('  params {"start":1,"count":3}\n');
    },
    MANY,
  );

  test("tell what there is when there is no such thing", async () => {
    expect(await project.run("explain", "reports/small#totl")).toMatchObject({
      code: 2,
      err: expect.stringContaining('reports/small#totl: no such number. Did you mean "reports/small#total"?'),
    });
    expect((await project.run("explain", "report/small#total")).err).toContain(
      "publishes no JSON file there",
    );
    expect(await project.run("diff", "no-such")).toMatchObject({
      code: 2,
      err: "diff no-such: git knows no such revision here. Give a commit, a branch or a tag.\n",
    });
  });
});

describe("what-if", () => {
  test("prints the stages that would run and for how long, and runs nothing", async () => {
    project.reset();
    await project.run();
    project.ran();
    expect((await project.run("what-if")).out).toBe(
      "Profile small\nNothing would run: all 4 stages are up to date.\n",
    );
    const { out } = await project.run("what-if", "--set", "scale.how.by=9", "--jobs", "2");
    expect(out).toMatch(/^scale {2}2 runs {2}\S.* s +how\.by: 2 → 9; how\.by: 3 → 9$/m);
    expect(out).toMatch(/^total {2}1 run {3}\S.* s +if other bytes come from scale$/m);
    expect(out).toMatch(/^At most 3 stages of 4 would run: \S.* s of work, about \S.* s on 2 cores\.$/m);
    expect(out).toContain(
      "Of these times, 1 on runs with the same params, 2 on the nearest run of their stage.",
    );
    expect(project.ran()).toEqual([]);
  });
});

describe("claims", () => {
  const stages = (more: object) => ({
    "pipeline.yaml": JSON.stringify({
      profiles: { small: {} },
      stages: Object.fromEntries(
        ["a", "b"].map((name) => [name, { uses: "trouble", with: { mode: "pause", word: name }, ...more }]),
      ),
    }),
  });
  test(
    "of memory and GPUs hold for stages that run together, and are in no key",
    async () => {
      project.reset(stages({ memory: "6GB", gpu: 1 }));
      const order = async (...args: string[]) =>
        (await project.run("--force", "--jobs", "2", ...args)).out.match(/^[▸✓]/gm)!.join("");
      expect(await order("--memory", "12GB", "--gpus", "2")).toBe("▸▸✓✓");
      expect(await order("--memory", "10GB", "--gpus", "2")).toBe("▸✓▸✓");
      expect(await order("--memory", "12GB", "--gpus", "1")).toBe("▸✓▸✓");
      project.write("pipeline.yaml", stages({ memory: "1GB", retries: 3, timeout: "10m" })["pipeline.yaml"]);
      expect((await project.run()).out).toContain("Nothing to do: all 2 stages");
    },
    MANY,
  );
  test("that cannot be met are refused with their place", async () => {
    project.reset(stages({ memory: "6GB" }));
    const { code, err } = await project.run("--memory", "4GB");
    expect(code).toBe(2);
    expect(err).toMatch(/^pipeline\.yaml:1:\d+ a claims 6\.0 GB of memory, but the run has 4\.0 GB\./);
    project.reset(stages({ timeout: "10 parsecs" }));
    expect((await project.run()).err).toMatch(
      /^pipeline\.yaml:1:\d+ a\.timeout: must be written as 90 \(seconds\), 90s, 10m or 2h, not "10 parsecs"\.\n$/,
    );
  });
  test("of a shell command are known afterwards by its peak memory", async () => {
    project.reset({
      "pipeline.yaml": JSON.stringify({
        profiles: { small: {} },
        stages: {
          eats: {
            run: `node -e "const b = Buffer.alloc(2e8, 1); setTimeout(() => require('fs').writeFileSync(process.argv[1], String(b.length)), 900)" \${out.text}`,
            outputs: { text: "t" },
          },
        },
      }),
    });
    await project.run();
    const { out } = await project.run("why", "eats");
    const [, peak] = / \((\d+) MB\) on /.exec(out)!;
    expect(Number(peak)).toBeGreaterThan(190);
  });
});

test("the leak guard refuses a pipeline that chooses by what queries taught", async () => {
  project.reset({
    "stages/total/guard.json": '{ "chooses": "the best of them" }',
    "stages/scale/guard.json": '{ "reveals": ["values"] }',
  });
  const { code, err } = await project.run();
  rmSync(project.path("stages/total/guard.json"));
  rmSync(project.path("stages/scale/guard.json"));
  expect(code).toBe(2);
  expect(err).toBe(
    "pipeline.yaml:23:15 total.inputs.values: query data would reach a choice: scale[by=2].values → total, which chooses the best of them. Choose on validation images instead.\n",
  );
  expect(project.ran()).toEqual([]);
});
