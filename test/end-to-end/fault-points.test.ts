/** Calls of the store and the runner that change a file go wrong, and files of the store are damaged. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyStore } from "../../runner/inspect/verify.ts";
import { hashesOf } from "../../runner/store/record.ts";
import { Store } from "../../runner/store/store.ts";
import { driverSubject, MINE, makeDriver, republished } from "../runner/faults/drive.ts";
import { eachFault, made } from "../runner/faults/loop.ts";
import { Project } from "../runner/project.ts";

const folder = mkdtempSync(join(tmpdir(), "deephash-faults-"));
const bundle = join(folder, "driver.mjs");
beforeAll(() => makeDriver(bundle));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const subject = (name: string, ...stages: string[]) => driverSubject(join(folder, name), bundle, ...stages);

/** A store of three stages, and a change to a file of it. */
describe("a damaged store", () => {
  const flip = (content: Buffer) => {
    const at = content.length >> 1;
    return Buffer.from(content.map((byte, index) => (index === at ? byte ^ 1 : byte)));
  };
  const damages: [string, (path: string) => void][] = [
    ["a changed byte", (path) => writeFileSync(path, flip(readFileSync(path)))],
    ["a cut", (path) => truncateSync(path, statSync(path).size >> 1)],
    ["a removal", (path) => rmSync(path)],
  ];

  test.each(damages)("%s in any object or record is reported, and the loss is rebuilt", async (_, damage) => {
    const pipeline = subject("damaged");
    const cache = join(pipeline.root, "cache");
    pipeline.reset();
    expect(await pipeline.run({})).toMatchObject({ code: 0 });
    const whole = made(pipeline.root);
    cpSync(pipeline.root, join(folder, "good"), { recursive: true, preserveTimestamps: true });
    const records = new Store(cache).keys().map((key) => new Store(cache).record(key)!);
    const keyOf = (id: string) => records.find((one) => one.id === id)!.key;
    const hashes = (id: string) =>
      Object.values(records.find((one) => one.id === id)!.outputs).flatMap(hashesOf);
    const after: Record<string, string> = { first: "second", second: "third" };
    const cases = records.flatMap(({ id, key }) => [
      { id, path: `cache/records/${key}.json`, object: false },
      ...hashes(id).map((hash) => ({ id, path: `cache/objects/${hash.slice(0, 2)}/${hash}`, object: true })),
    ]);
    expect(cases.length).toBeGreaterThan(9);
    for (const { id, path, object } of cases) {
      pipeline.reset();
      cpSync(join(folder, "good"), pipeline.root, { recursive: true, preserveTimestamps: true });
      rmSync(join(pipeline.root, "reports"), { recursive: true }); // so that the last stage's files are needed
      if (object && after[id]) rmSync(join(cache, "records", `${keyOf(after[id])}.json`)); // and the others'
      chmodSync(join(pipeline.root, path), 0o644);
      damage(join(pipeline.root, path));
      const { code, out } = await pipeline.run({});
      expect(code, path).toBe(0);
      const store = new Store(cache);
      const { corrupt } = await verifyStore(store);
      if (object) {
        // A file that is not needed is not read: verify finds it, and the next run rebuilds it.
        const needed =
          id !== "second" || path.endsWith(records.find((one) => one.id === id)!.outputs.values.hash);
        expect(corrupt.length > 0, path).toBe(!needed);
        if (needed)
          expect(out, path).toMatch(
            /^cache: object [0-9a-f]{8}… (does not match|is gone).*; \w+ runs again\.$/m,
          );
        else expect(await pipeline.run({}), path).toMatchObject({ code: 0 });
      } else {
        expect(corrupt, path).toEqual([]);
        expect(out, path).toMatch(
          existsSync(join(cache, "bad"))
            ? /^cache: record [0-9a-f]{8}… is damaged \(.*\)\. Quarantined; its stage runs again\.$/m
            : new RegExp(`^▸ ${id} {2}\\(its result was removed\\)$`, "m"),
        );
      }
      expect(made(pipeline.root), path).toEqual(whole);
    }
  });
});

test.each([
  ["kill", "every", 1],
  ["ENOSPC", "every third", 3], // npm run test:faults tries them all, and the other faults
] as const)(
  "%s at %s fault point of one stage",
  async (fault, _, step) => {
    // Two at once: the machine that runs the tests has two cores.
    const tried = await Promise.all(
      [0, 1].map((turn) =>
        eachFault(subject(`${fault}-${turn}`, "first"), fault, "runner", [turn * step, 2 * step]),
      ),
    );
    expect((tried[0] + tried[1]) * step).toBeGreaterThan(60);
  },
  180_000,
);

test("kill at every point of a publication: a person's files stay, old files are removed, the list names the files", async () => {
  const subjects = [0, 1].map((turn) => republished(join(folder, `publish-${turn}`), bundle));
  const [{ root, run, reset }] = subjects;
  reset();
  expect(await run({})).toMatchObject({ code: 0 });
  const reports = join(root, "reports");
  const found = readdirSync(reports, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(reports.length + 1));
  const whole = ["clock/a", "clock/below/b", "values.json"];
  const lists = { ".published": ["values.json"], ".published-measured": ["clock/a", "clock/below/b"] };
  expect(found.sort()).toEqual([...Object.keys(lists), ...whole, ...Object.keys(MINE)].sort());
  for (const [list, files] of Object.entries(lists)) expect(made(root)[list]).toBe(files.join());
  for (const [path, text] of Object.entries(MINE))
    expect(readFileSync(join(reports, path), "utf8")).toBe(text);
  const tried = await Promise.all(
    subjects.map((one, turn) => eachFault(one, "kill", "runner", [turn, 2], / reports/)),
  );
  expect(tried[0] + tried[1]).toBeGreaterThan(30);
}, 180_000);

test("a fault reaches the process of a stage, which sees few variables of the environment", async () => {
  const files = { "pipeline.yaml": "profiles: { a: {} }\nstages:\n  numbers: { uses: numbers }\n" };
  const project = new Project(files);
  afterAll(() => project.remove());
  const run = (env: Record<string, string>) => {
    project.env = env;
    return project.run();
  };
  const stage = { root: project.root, reset: () => project.reset(files), run };
  expect(await eachFault(stage, "kill", "stage", [0, 1000])).toBe(1); // the first point alone
}, 60_000);
