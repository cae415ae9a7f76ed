/** examples/siamese-triplet.md: its code runs, and every experiment learns. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, test, vi } from "vitest";

const FILE = "test/examples/walk.generated.mjs";

test("the blocks of the walk run in their order, and every network learns", async () => {
  const page = readFileSync("examples/siamese-triplet.md", "utf8");
  const blocks = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code);
  expect(blocks.length).toBe(5);
  vi.spyOn(console, "log").mockImplementation(() => {});
  writeFileSync(FILE, `${blocks.join("\n")}\nexport { results };\n`);
  try {
    const { results } = (await import("./walk.generated.mjs" as string)) as {
      results: Record<string, { map: number; accuracy: number }>;
    };
    expect(Object.keys(results)).toEqual([
      "softmax",
      "siamese",
      "triplet",
      "online pairs",
      "online triplets",
    ]);
    // Chance is about 0.25.
    for (const [name, { map }] of Object.entries(results)) expect(map, name).toBeGreaterThan(0.5);
  } finally {
    rmSync(FILE, { force: true });
  }
}, 300_000);
