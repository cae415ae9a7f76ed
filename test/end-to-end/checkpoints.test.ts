/** A stage that is killed goes on from its checkpoint: in the next try, in the next run, and nowhere else. */
import { existsSync, readdirSync } from "node:fs";
import { afterAll, beforeEach, expect, test } from "vitest";
import { Project } from "../runner/project.ts";

/** Counts to ten, kills itself at the step that it is told, and keeps how far it came. */
const STAGE = `
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineStage } from "../../runner/stage.ts";
export default defineStage<{ failing: number }>({
  params: "counting",
  inputs: {},
  outputs: { text: "text.txt" },
  async run({ params, outputs, checkpoint }) {
    appendFileSync("node_modules/seconds.log", (checkpoint?.seconds ?? "none") + " ");
    const path = checkpoint && join(checkpoint.folder, "count");
    let count = path && existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
    while (count < 10) {
      appendFileSync("node_modules/counted.log", count + " ");
      count++;
      if (checkpoint) mkdirSync(checkpoint.folder, { recursive: true });
      if (path) writeFileSync(path, String(count));
      if (count === params.failing) process.kill(process.pid, "SIGKILL");
    }
    writeFileSync(outputs.text, String(count));
  },
});
`;
const pipeline = (more = "") => `
profile: one
profiles: { one: {} }
stages:
  count: { uses: counting, publish: out, with: { failing: 4 }${more} }
`;
const project = new Project({
  "stages/counting/stage.ts": STAGE,
  "schemas/counting.params.schema.json": JSON.stringify({
    type: "object",
    properties: { failing: { type: "integer" } },
  }),
});
afterAll(() => project.remove());
beforeEach(() => {
  project.reset({ "pipeline.yaml": pipeline() });
  for (const name of ["counted.log", "seconds.log"]) project.write(`node_modules/${name}`, "");
});
const counted = () => project.read("node_modules/counted.log").trim();
const folders = () =>
  existsSync(project.path("cache/checkpoints")) ? readdirSync(project.path("cache/checkpoints")) : [];

test("a killed stage goes on in the next run, which removes the checkpoint when it has ended well", async () => {
  const killed = await project.run();
  expect(killed.code).toBe(1);
  expect(folders()).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  const again = await project.run();
  expect(again.err).not.toContain("declare"); // what it keeps is no undeclared file
  expect([again.code, counted()]).toEqual([0, "0 1 2 3 4 5 6 7 8 9"]);
  expect(project.read("out/text.txt")).toBe("10");
  expect(folders()).toEqual([]);
  expect(project.read("node_modules/seconds.log")).toBe("60 60 ");
});

test("and in the next try of the same run; the time between two checkpoints is in no key", async () => {
  project.write("pipeline.yaml", pipeline(", retries: 1, checkpoint: 5m"));
  expect((await project.run()).code).toBe(0);
  expect(counted()).toBe("0 1 2 3 4 5 6 7 8 9");
  expect(project.read("node_modules/seconds.log")).toBe("300 300 ");
  project.write("pipeline.yaml", pipeline(", checkpoint: 1s"));
  expect((await project.run()).out).toContain("up to date");
});

test("a stage that is forced starts over", async () => {
  await project.run();
  project.write("node_modules/counted.log", "");
  project.write("pipeline.yaml", pipeline(", retries: 1"));
  expect((await project.run("--force")).code).toBe(0);
  expect(counted()).toBe("0 1 2 3 4 5 6 7 8 9");
});

test("a duration that cannot be read is refused with its place", async () => {
  project.write("pipeline.yaml", pipeline(", checkpoint: soon"));
  const { code, err } = await project.run();
  expect(code).toBe(2);
  expect(err).toContain('checkpoint: must be written as 90 (seconds), 90s, 10m or 2h, not "soon".');
});
