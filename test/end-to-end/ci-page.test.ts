/** docs/ci.md: the workflows on the page are YAML, and their commands work in a small project as described. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { Project } from "../runner/project.ts";

interface Step {
  uses?: string;
  run?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
}

const blocks = [...readFileSync("docs/ci.md", "utf8").matchAll(/^```yaml\n(.*?)^```/gms)].map(
  ([, text]) => text,
);
const workflow = parse(blocks[0]) as { on: unknown; jobs: { check: { steps: Step[] } } };
const [shared] = parse(blocks[1]) as Step[];

const project = new Project();
afterAll(() => project.remove());

/** Runs a step's command as the service does: in the project, with a file for the summary. `npm ci` needs a network. */
function runStep({ run }: Step, env: Record<string, string> = {}): number {
  const script = `npm() { if [ "$1" = ci ]; then return; fi; shift 3; "$NODE" "$MAIN" "$@"; }\n${run}`;
  const { status } = spawnSync("bash", ["-e", "-c", script], {
    cwd: project.root,
    encoding: "utf8",
    env: {
      ...process.env,
      VITEST: undefined,
      NODE: process.execPath,
      MAIN: resolve("runner/main.mjs"),
      GITHUB_STEP_SUMMARY: project.path("summary.md"),
      ...env,
    },
  });
  return status!;
}

test("the workflow restores the store, checks the numbers, and shows what differs", async () => {
  const { steps } = workflow.jobs.check;
  const commands = steps.filter(({ run }) => run);
  expect(commands.map(({ run }) => run!.split(" ").slice(0, 5).join(" "))).toEqual([
    "npm ci",
    "npm run pipeline -- check",
    "npm run pipeline -- gc",
  ]);
  const store = steps.find(({ uses }) => uses?.startsWith("actions/cache@"))!;
  expect(store.with).toMatchObject({ path: "cache", "restore-keys": "store-" });

  expect((await project.run()).code).toBe(0);
  const git = (...args: string[]) => execFileSync("git", args, { cwd: project.root, stdio: "pipe" });
  git("init", "--quiet");
  git("add", "reports");
  git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "--message", "report");
  expect(commands.map((step) => runStep(step))).toEqual([0, 0, 0]);
  expect(project.read("summary.md")).toMatch(/^Check passed: /m);

  project.edit("stages/total/stage.ts", "(sum, one) => sum + one", "(sum, one) => sum + one + 1");
  // The step of the shared cache is the same command; nothing listens at its place, so it pushes nothing.
  expect(Object.keys(shared.env!)).toContain("DEEPHASH_SIGNING_KEY");
  expect(runStep(shared)).toBe(1);
  expect(project.read("summary.md")).toMatch(
    /^\| number \| committed \| now \| difference \|\n\| --- .*\n\| small\/metrics\.json total \|/m,
  );
});
