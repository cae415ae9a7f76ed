/** The options of a search: how many, how near, of which class, in which form, and from where. */
import { createReadStream, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { main } from "../../search/cli.ts";
import { search } from "../../search/search.ts";
import { checkJson } from "../../stages/shared/artifacts/schema.ts";
import { makeWorld, type World } from "./world.ts";

const BITS = 4;
let world: World;
const out: string[] = [];
const err: string[] = [];
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => err.push(line));
  world = await makeWorld(40, BITS);
});
afterEach(() => {
  out.splice(0);
  err.splice(0);
});

interface Found {
  query: string;
  nearest: {
    image: number;
    class: string;
    score: number;
    distance: number;
    output_distance: number;
    ties: number;
  }[];
}
const QUERY = "photos/cat/0.png";
const run = (...args: string[]) =>
  main(["search", "--index", world.index, ...args], world.folder, world.folder);
async function nearest(...args: string[]): Promise<Found["nearest"]> {
  out.splice(0);
  expect(await run(QUERY, "--json", ...args)).toBe(0);
  const [answer] = JSON.parse(out.join("\n")) as Found[];
  checkJson(answer, "search-answer", "the answer");
  return answer.nearest;
}

test("--all-ties adds all images at the distance of the last one, and no other", async () => {
  const all = await nearest("--top", "40");
  const ties = await nearest("--top", "2", "--all-ties");
  const last = ties[1].distance;
  expect(ties.length).toBeGreaterThan(2);
  expect(ties).toEqual(all.filter(({ distance }) => distance <= last));
});

test("--radius takes images as near as that alone", async () => {
  const all = await nearest("--top", "40");
  for (const radius of [0, 1, BITS])
    expect(await nearest("--top", "40", "--radius", String(radius))).toEqual(
      all.filter(({ distance }) => distance <= radius),
    );
});

test("--class takes the nearest of a class, as many as are asked for", async () => {
  const all = await nearest("--top", "40");
  const dogs = await nearest("--top", "5", "--class", "dog");
  expect(dogs).toEqual(all.filter((one) => one.class === "dog").slice(0, 5));
  expect(await nearest("--top", "40", "--class", "dog", "--class", "cat")).toEqual(all);
});

test("scores go from 1 down to 0 in the order of the answers", async () => {
  for (const order of ["bits", "outputs"] as const) {
    const found = await nearest("--top", "40", "--order", order);
    const scores = found.map(({ score }) => score);
    expect(scores[0]).toBe(1);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    for (const { score, distance, output_distance } of found)
      expect(score).toBeCloseTo(order === "bits" ? 1 - distance / BITS : 1 - output_distance / 2, 3);
  }
});

test("--json-lines prints a line an image, also of several images", async () => {
  expect(await run("photos", "--json-lines", "--top", "3")).toBe(0);
  expect(out).toHaveLength(40);
  const answers = out.map((line) => JSON.parse(line) as Found);
  for (const answer of answers) checkJson(answer, "search-answer", "a line");
  expect(answers.map(({ query }) => query)).toEqual([...world.photos].sort());
});

test("an image on the standard input is searched as its file is, and may be on the page", async () => {
  const own = await nearest();
  out.splice(0);
  const options = { index: world.index, top: 10, json: true, html: "stdin.html" };
  const input = createReadStream(world.at(QUERY));
  expect(await search(["-"], options, world.folder, world.folder, input)).toBe(0);
  const [answer] = JSON.parse(out.join("\n")) as Found[];
  expect(answer).toMatchObject({ query: "-", nearest: own });
  expect(readFileSync(world.at("stdin.html"), "utf8").match(/data:image\/webp/g)).toHaveLength(11);
});

test("a standard input that is no image is refused in one line", async () => {
  const options = { index: world.index, top: 1 };
  const input = Readable.from([Buffer.from("no image")]);
  await expect(search(["-"], options, world.folder, world.folder, input)).rejects.toThrow(
    /^-: unreadable image/,
  );
});

test.each<[string[], RegExp]>([
  [["--class", "dgo"], /--class dgo: .* has no such class\..*Did you mean "dog"/],
  [["--class", "whale"], /has no such class\. It has cat, dog\./],
  [["--json", "--json-lines"], /--json or --json-lines, not both/],
])("%j is refused in one line", async (args, message) => {
  expect(await run(QUERY, ...args)).toBe(2);
  expect(err).toEqual([expect.stringMatching(message)]);
});

test.each<[string[], string]>([
  [["search", "x", "--tpo", "3"], "search: unknown option '--tpo'. Did you mean --top?"],
  [["search"], "search: name an image, a folder of images, - for the standard input, or --url ADDRESS."],
  [
    ["search", "x", "--top", "\u001b[2Jno"],
    "search: option '--top <n>' argument '\\u001b[2Jno' is invalid. It must be a whole number from 1.",
  ],
  [["index", "add"], "index add: <path> is missing: folders or images. See: npx deephash index add --help"],
  [
    ["index", "photos", "--bits", "many"],
    "index: option '--bits <n>' argument 'many' is invalid. It must be a whole number from 1 to 512.",
  ],
  [["export"], "export: required option '--out <file>' not specified. See: npx deephash export --help"],
  [["serch"], "unknown command 'serch'. Did you mean search?"],
])("%j is refused in one line that names the command and the next step", async (args, line) => {
  expect(await main(args, world.folder, world.folder)).toBe(2);
  expect(err).toEqual([line]);
});

test.each([
  ["search", "photos/cat/0.png"],
  ["duplicates"],
  ["index", "update"],
  ["export", "--out", "codes.npy"],
])("%s suggests the index with nearly the name", async (...args) => {
  expect(await main([...args, "--index", `${world.index.slice(0, -1)}x`], world.folder, world.folder)).toBe(
    2,
  );
  expect(err).toEqual([
    `${world.index.slice(0, -1)}x: no such index. Did you mean "${world.index.slice(0, -1)}"?`,
  ]);
});

test("an answer without an image says why", async () => {
  await search(
    [world.photos[0]],
    { index: world.index, top: 0, radius: 0, class: ["dog"] },
    world.folder,
    world.folder,
  );
  expect(out.at(-1)).toMatch(/no image is as near and of such a class/);
});
