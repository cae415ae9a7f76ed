/** The output of a run: for people, for people who want quiet, for programs. */
import { afterAll, beforeEach, expect, test } from "vitest";
import { Project } from "../runner/project.ts";

const PIPELINE = `
profile: p
profiles: { p: {} }
stages:
  numbers: { uses: numbers }
  say:
    uses: say
    publish: reports/p
    inputs: { values: numbers.values }
  trouble: { uses: trouble, with: { mode: none } }
`;

const SAY = `
import { writeFileSync } from "node:fs";
import { defineStage } from "../../runner/stage.ts";
export default defineStage({
  params: "say",
  inputs: { values: "values" },
  outputs: { page: "index.html" },
  async run({ outputs, note, warn, progress }) {
    progress(1, 2, "words");
    progress(2, 2, "words");
    warn("one word looks odd.");
    note("headline", "The sum is 6.");
    note("rate", 12);
    writeFileSync(outputs.page, "<p>6</p>");
  },
});
`;

const project = new Project();
beforeEach(() =>
  project.reset({
    "pipeline.yaml": PIPELINE,
    "stages/say/stage.ts": SAY,
    "schemas/say.params.schema.json": JSON.stringify({ type: "object", properties: {} }),
  }),
);
afterAll(() => project.remove());

test("people are told the count, the headlines, and where the page is", async () => {
  const { out } = await project.run("--only", "say");
  expect(out.split("\n").slice(-5)).toEqual([
    expect.stringMatching(/^Ran 2 stages in \S+ s; all 2 are up to date\.$/),
    "Published to reports/p/.",
    "The sum is 6.",
    "Look at reports/p/index.html.",
    "",
  ]);
  const again = await project.run();
  expect(again.out).toMatch(/^Ran 1 stage in \S+ s, 2 were up to date; all 3 are up to date\.$/m);
  const nothing = await project.run();
  expect(nothing.out).toBe("Nothing to do: all 3 stages are up to date.\nLook at reports/p/index.html.\n");
});

test("--quiet prints errors, and the final line", async () => {
  const { out, err } = await project.run("--quiet");
  expect(err).toBe("");
  expect(out).toMatch(/^! say: one word looks odd\.\nRan 3 stages in \S+ s; all 3 are up to date\.\n$/);
  expect((await project.run("--quiet")).out).toBe("Nothing to do: all 3 stages are up to date.\n");
  const failed = await project.run("--quiet", "--set", "trouble.mode=throw");
  expect(failed.out).toMatch(/^✗ trouble: the sum is wrong\n {2}log: .+\n$/);
  expect(failed.err).toMatch(/^1 stage failed; 2 of 3 are up to date \(\S+ s\)\.\n$/);
  expect(failed.code).toBe(1);
});

test("--json-lines tells every event as JSON, one a line", async () => {
  const events = async (...args: string[]) => {
    const { out, err } = await project.run("--json-lines", "--jobs", "1", ...args);
    expect(err).toBe("");
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const { time } of lines) expect(new Date(time).toISOString()).toBe(time);
    return lines;
  };
  const lines = await events();
  const of = (stage: string) => lines.filter((line) => line.stage === stage);
  expect(lines[0]).toMatchObject({ event: "begun", profile: "p", stages: 3, hits: 0 });
  expect(of("say").map(({ event }) => event)).toEqual(["started", "progress", "warned", "finished"]);
  expect(of("say")[0].reason).toBe("never ran");
  // Progress is told at intervals: of two reports that come close together, either may be the one.
  expect(of("say")[1]).toMatchObject({ total: 2, unit: "words", megabytes: expect.any(Number) });
  expect([1, 2]).toContain(of("say")[1].done);
  expect(of("say")[2].message).toBe("one word looks odd.");
  expect(of("say")[3]).toMatchObject({ notes: { rate: 12 }, seconds: expect.any(Number) });
  expect(lines.at(-1)).toMatchObject({
    event: "summary",
    code: 0,
    ran: 3,
    hits: 0,
    failed: 0,
    cancelled: false,
    published: ["reports/p"],
    pages: ["reports/p/index.html"],
    headlines: [{ stage: "say", text: "The sum is 6." }],
  });
  expect(await events()).toMatchObject([{ event: "summary", ran: 0, hits: 3, published: [] }]);
  const failed = await events("--set", "trouble.mode=user");
  expect(failed.at(-2)).toMatchObject({
    event: "failed",
    stage: "trouble",
    message: "values.json: row 3 is not a number. Correct it.",
    user: true,
  });
  expect(failed.at(-1)).toMatchObject({ event: "summary", code: 2, failed: 1, hits: 2 });
});

test("colours are for terminals", async () => {
  const { out, err } = await project.run("--set", "trouble.mode=throw");
  expect(out + err).not.toContain("\u001b");
  expect((await project.run("--quiet", "--json-lines")).code).toBe(2);
});
