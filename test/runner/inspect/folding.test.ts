/** `why` and `explain` print once the lines that many instances share. */
import { afterAll, expect, test } from "vitest";
import { Project } from "../project.ts";

const project = new Project();
afterAll(() => project.remove());
const large = ["--profile", "large"];

test("why and explain fold equal answers, and show all on demand", { timeout: 60_000 }, async () => {
  const never = await project.run("why", "scale", ...large);
  expect(never.out).toBe("scale: 4 instances: never ran; waits for numbers\n  numbers runs: never ran\n");
  const each = await project.run("why", "scale", "--all", ...large);
  expect(each.out.match(/^scale\[by=\d\]: never ran; waits for numbers$/gm)).toHaveLength(4);

  await project.run(...large);
  const known = await project.run("why", "scale", ...large);
  expect(known.out.split("\n")).toHaveLength(6);
  expect(known.out).toMatch(/^scale\[by=5\]: up to date, key [0-9a-f]{16}, made \S+ in \S+ s$/m);
  expect(known.out).toContain("name one instance, or add --all.");
  expect((await project.run("why", "scale[by=5]", ...large)).out).toMatch(/^ {2}log /m);
  expect((await project.run("why", "scale", "--all", ...large)).out.match(/^ {2}log /gm)).toHaveLength(4);

  const changed = await project.run("why", "scale", "--set", "numbers.start=2", ...large);
  expect(changed.out).toBe(
    "scale: 4 instances: runs only if what comes from upstream changes; waits for numbers\n  numbers runs: start: 1 → 2\n",
  );
  const unit = await project.run("why", "scale", "--set", "scale.unit=km", ...large);
  expect(unit.out).toMatch(/^scale: 4 instances: runs: unit: .* → "?km"?\n$/);

  const explained = await project.run("explain", "reports/large", ...large);
  expect(explained.code).toBe(2); // lists its numbers
  const group = await project.run("explain", "reports/large#total", "--profile", "large");
  expect(group.err).toBe("");
  expect(group.out).toMatch(/^scale\[by=2\]\n {2}made /m);
  const other = /^scale\[by=3\], as scale\[by=2\] but for\n((?: {2}.*\n)+)/m.exec(group.out)![1];
  expect(other).toMatch(/^ {2}made .*\n {2}key .*\n {2}how times \{"by":3\}, code/);
  expect(other).not.toMatch(/^ {2}(values|code|params)/m);
  const full = await project.run("explain", "reports/large#total", "--all", "--profile", "large");
  expect(full.out).toMatch(/^scale\[by=3\]\n {2}made /m);
});

test("a near miss names the nearest address", async () => {
  const { code, err } = await project.run("explain", "reports/large#tota", ...large);
  expect(code).toBe(2);
  expect(err).toContain('no such number. Did you mean "reports/large#total"?\n');
  const folder = await project.run("explain", "reports/lage#total", ...large);
  expect(folder.err).toContain('Did you mean "reports/large"?');
});
