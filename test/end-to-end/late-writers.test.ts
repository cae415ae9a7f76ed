/** A process that a stage left behind writes to its output when that is in the store: what read it is not kept. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { Project } from "../runner/project.ts";
import { scratch } from "../stages/shared/scratch.ts";

/** Signs between processes; outside the project, whose files would be inputs of a command that names them. */
const signs = scratch();
const at = (name: string) => join(signs, name);
/** Leaves a process out of its group, which writes to its output when a later stage has begun. Once. */
const LEAVES = `exec 9>>\${out.o}; echo one >&9; if [ ! -e ${at("left")} ]; then
setsid sh -c 'touch ${at("left")}; n=0; until [ -e ${at("reading")} ] || [ $((n+=1)) -gt 600 ]; do sleep 0.05; done; echo late >&9; touch ${at("written")}' >/dev/null 2>&1 &
until [ -e ${at("left")} ]; do sleep 0.05; done; fi`;
/** Lets that process write. */
const WAITS = `touch ${at("reading")}; until [ -e ${at("written")} ]; do sleep 0.05; done; `;

const project = new Project();
afterAll(() => project.remove());
beforeEach(() => {
  for (const name of readdirSync(signs)) rmSync(join(signs, name));
});

const pipeline = (stages: string) => `profiles: { a: {} }\nstages:\n${stages}`;
const kept = () =>
  readdirSync(project.path("cache/records"))
    .map((name) => JSON.parse(readFileSync(join(project.path("cache/records"), name), "utf8")).id)
    .sort();

test("while the next stage reads it: that one fails with a line, and the run after it makes both again", async () => {
  project.reset({
    "pipeline.yaml": pipeline(`  made: { run: ${JSON.stringify(LEAVES)}, outputs: { o: o.txt } }
  read: { run: "${WAITS} cat \${in.i} > \${out.o}", inputs: { i: made.o }, outputs: { o: o.txt }, publish: reports }
`),
  });
  const first = await project.run();
  expect(first.out).toMatch(
    /read: an input changed while it ran: object [0-9a-f]{8}… does not match its hash/,
  );
  expect(first.out).toContain("end that one and run again.");
  expect(first.code).toBe(2);
  expect(kept()).toEqual(["made"]);
  const second = await project.run();
  expect(second.code).toBe(0);
  expect(second.out + second.err).toContain("made runs again");
  expect(project.read("reports/o.txt")).toBe("one\n");
}, 60_000);

test("before the next stage reads it: its maker runs again in the same run, and counts once", async () => {
  project.reset({
    "pipeline.yaml": pipeline(`  made: { run: ${JSON.stringify(LEAVES)}, outputs: { o: o.txt } }
  slow: { run: "until ls cache/records/*; do sleep 0.05; done; ${WAITS} echo two > \${out.o}", outputs: { o: o.txt } }
  read: { run: "cat \${in.i} \${in.j} > \${out.o}", inputs: { i: made.o, j: slow.o }, outputs: { o: o.txt }, publish: reports }
`),
  });
  const { code, out, err } = await project.run();
  expect(err + out).toContain("made runs again");
  expect(out).toMatch(/^Ran 3 stages in [^,;]*; all 3 are up to date\.$/m);
  expect(code).toBe(0);
  expect(project.read("reports/o.txt")).toBe("one\ntwo\n");
}, 60_000);
