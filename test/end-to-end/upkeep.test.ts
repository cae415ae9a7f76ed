/** `verify` and `gc` as a person meets them. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { Project } from "../runner/project.ts";

const project = new Project();
afterAll(() => project.remove());

/** The path of an output of a stage in the store. */
function objectOf(id: string, output: string): string {
  const record = readdirSync(project.path("cache/records"))
    .map((file) => JSON.parse(project.read(`cache/records/${file}`)))
    .find((one) => one.id === id);
  const { hash } = record.outputs[output];
  return project.path("cache/objects", hash.slice(0, 2), hash);
}

test("verify counts, finds corrupt files, and the next run rebuilds them", async () => {
  project.reset();
  expect((await project.run()).code).toBe(0);
  const well = await project.run("verify");
  expect(well).toMatchObject({ code: 0, err: "" });
  expect(well.out).toMatch(/^Verified 9 objects \(\d+ B\) and 4 records in .* s: all are intact\.\n$/);

  const object = objectOf("numbers", "values");
  const content = readFileSync(object);
  chmodSync(object, 0o644);
  writeFileSync(
    object,
    content.map((byte, index) => (index === 1 ? byte ^ 1 : byte)),
  );
  const bad = await project.run("verify");
  expect(bad.code).toBe(1);
  expect(bad.out).toMatch(/: 2 corrupt, quarantined in .*bad\.\n$/);
  expect(bad.err).toMatch(/^cache: object [0-9a-f]{8}… does not match its hash\. Quarantined\.$/m);
  expect(bad.err).toMatch(
    /^cache: record [0-9a-f]{8}… of numbers: its output "values" is gone\. Quarantined: it runs again when it is needed\.$/m,
  );
  project.ran();
  expect((await project.run()).code).toBe(0);
  expect(project.ran()).toEqual(["numbers"]);
  expect((await project.run("verify")).code).toBe(0);
});

test("verify --rerun compares what a stage makes now with what the store holds, and changes nothing", async () => {
  project.reset();
  await project.run();
  const records = () =>
    readdirSync(project.path("cache/records")).map((file) => project.read(`cache/records/${file}`));
  const before = records();
  project.ran();
  const same = await project.run("verify", "--rerun", "scale");
  expect(same).toMatchObject({ code: 0, err: "" });
  expect(same.out).toBe(
    "scale[by=2]: the same bytes in 1 output (1 measured left out).\n" +
      "scale[by=3]: the same bytes in 1 output (1 measured left out).\n" +
      "Reran 2 instances: all gave the same outputs.\n",
  );
  expect(project.ran().sort()).toEqual(["scale[by=2]", "scale[by=3]"]);
  expect(records()).toEqual(before);
  expect(readdirSync(project.path("cache/scratch"))).toEqual([]);

  const none = await project.run("verify", "--rerun", "scale", "--set", "vars.start=2");
  expect(none.code).toBe(2);
  expect(none.err).toContain("verify --rerun scale: none of it is up to date. Run it first.\n");
  expect((await project.run("verify", "--rerun", "scael")).err).toContain('Did you mean "scale"?');

  // A stage that is not pure: it counts how often it ran.
  project.edit(
    "stages/total/stage.ts",
    "outputs.metrics, JSON",
    "outputs.metrics, readFileSync('node_modules/ran.log') + JSON",
  );
  // Each run of it is on another device.
  project.edit("stages/total/stage.ts", "outputs, upstream })", "outputs, upstream, note })");
  project.edit(
    "stages/total/stage.ts",
    "writeFileSync(outputs.timings",
    "note('device', 'gpu' + readFileSync('node_modules/ran.log').length);\n" +
      "    note('rate', 3);\n    note('why', 'a text');\n    writeFileSync(outputs.timings",
  );
  expect((await project.run()).code).toBe(0);
  const differs = await project.run("verify", "--rerun", "total");
  expect(differs.code).toBe(1);
  expect(differs.out).toMatch(/^total: metrics: bytes differ at 6 \(\d+ bytes, before \d+\)$/m);
  const machine = String.raw`\S+ \(.*, \d+ cores?, Node v[\d.]+\)`;
  expect(differs.out).toMatch(
    new RegExp(
      `^total: the store's was made on device gpu(\\d+), ${machine}; this one on device gpu(?!\\1,)\\d+, ${machine}\\.$`,
      "m",
    ),
  );
  expect(differs.out).toContain("Reran 1 instance: 1 gave other outputs.\n");
});

test("gc keeps what the last run ended with, and what it removes is made again when it is asked for", async () => {
  project.reset();
  await project.run("--set", "vars.start=5");
  await project.run();
  const dry = await project.run("gc", "--keep-runs", "1", "--max-size", "0B", "--dry-run");
  expect(dry.code).toBe(0);
  expect(dry.out).toMatch(/^Would remove 4 records, 9 objects, 4 logs, 1 run: .* bytes\)\.$/m);
  const removed = await project.run("gc", "--keep-runs", "1", "--max-size", "0B");
  expect(removed.out.split("\n").at(-2)!.replace("Removed", "Would remove")).toBe(dry.out.split("\n").at(-2));
  expect((await project.run("verify")).code).toBe(0);
  project.ran();
  expect((await project.run()).out).toContain("Nothing to do");
  expect((await project.run("--set", "vars.start=5")).code).toBe(0);
  expect(project.ran()).toHaveLength(4);
  expect((await project.run("gc", "--max-size", "much")).err).toContain("Write a size, as in 300MB or 5GB.");
  expect(existsSync(project.path("cache/locks/gc"))).toBe(false);
});
