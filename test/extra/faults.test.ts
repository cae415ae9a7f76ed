/**
 * Every fault at every fault point: of three stages of the driver, and of a small pipeline as a person runs it, its
 * stages' processes included. `npm run test:faults`; FAULT_STRIDE=10 tries every tenth point.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { driverSubject, makeDriver, republished } from "../runner/faults/drive.ts";
import { eachFault, type Fault, type Subject } from "../runner/faults/loop.ts";
import { Project } from "../runner/project.ts";

const stride = Number(process.env.FAULT_STRIDE ?? 1);
const faults: Fault[] = ["kill", "power", "ENOSPC", "EIO"];

describe("the driver's three stages", () => {
  const folder = mkdtempSync(join(tmpdir(), "deephash-faults-"));
  const bundle = join(folder, "driver.mjs");
  beforeAll(() => makeDriver(bundle));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(faults)("%s at every point", async (fault) => {
    const tried = await Promise.all(
      [0, 1].map((turn) =>
        eachFault(driverSubject(join(folder, `${fault}-${turn}`), bundle), fault, "runner", [
          turn * stride,
          2 * stride,
        ]),
      ),
    );
    expect((tried[0] + tried[1]) * stride).toBeGreaterThan(150);
  });
});

describe("the driver's publication over an earlier one", () => {
  const folder = mkdtempSync(join(tmpdir(), "deephash-faults-"));
  const bundle = join(folder, "driver.mjs");
  beforeAll(() => makeDriver(bundle));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(faults)("%s at every point", async (fault) => {
    const tried = await Promise.all(
      [0, 1].map((turn) => {
        const subject = republished(join(folder, `${fault}-${turn}`), bundle);
        return eachFault(subject, fault, "runner", [turn * stride, 2 * stride], / reports/);
      }),
    );
    expect((tried[0] + tried[1]) * stride).toBeGreaterThan(30);
  });
});

describe("a pipeline of stages and a shell stage", () => {
  const files = {
    "pipeline.yaml": `
profiles: { small: {} }
stages:
  numbers: { uses: numbers }
  scale: { uses: scale, inputs: { values: numbers.values }, with: { how: times } }
  copy:
    run: "mkdir \${out.folder}/a && cp \${in.values} \${out.folder}/a/b.json && cp \${in.values} \${out.folder}/c.json"
    inputs: { values: scale.values }
    outputs: { folder: folder/ }
  total: { uses: total, inputs: { values: scale.values }, publish: reports }
`,
  };
  const projects = [new Project(files), new Project(files)]; // for each core one
  const subjectIn = (project: Project): Subject => ({
    root: project.root,
    reset: () => project.reset(files),
    run(env) {
      project.env = env;
      return project.run("--jobs", "1");
    },
  });
  beforeAll(async () => {
    for (const project of projects) expect((await project.run("status")).code).toBe(0); // its code is bundled now, and stays
  });
  afterAll(() => {
    for (const project of projects) project.remove();
  });

  test.each(
    faults.flatMap((fault): [Fault, "runner" | "stage"][] => [
      [fault, "runner"],
      ...(fault === "power" ? [] : [[fault, "stage"] as [Fault, "stage"]]), // a stage syncs nothing: it is as a kill
    ]),
  )("%s at every point of the %s", async (fault, of) => {
    const tried = await Promise.all(
      projects.map((project, turn) =>
        eachFault(subjectIn(project), fault, of, [turn * stride, projects.length * stride]),
      ),
    );
    expect((tried[0] + tried[1]) * stride).toBeGreaterThan(of === "runner" ? 150 : 10);
  });

  test.each(["kill", "power", "EIO"] as const)("%s while its code is bundled", async (fault) => {
    const [project] = projects;
    const warm = subjectIn(project);
    const cold: Subject = {
      ...warm,
      reset() {
        warm.reset();
        rmSync(join(project.root, "node_modules"), { recursive: true, force: true });
      },
    };
    const tried = await eachFault(cold, fault, "runner", [0, 1], /node_modules/);
    expect(tried).toBeGreaterThan(20);
    expect(
      JSON.parse(readFileSync(join(project.root, "node_modules/.cache/deephash/code.json"), "utf8")),
    ).toBeDefined();
  });
});
