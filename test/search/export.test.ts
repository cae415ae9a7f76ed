/** The codes of an index as other programs read them. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { main } from "../../search/cli.ts";
import { faissOf, npyOf } from "../../search/export/formats.ts";
import { openIndex } from "../../search/opened.ts";
import { makeWorld, type World } from "./world.ts";

/** Three codes of 16 bits, and the files that NumPy 2 and faiss 1.15 write of them. */
const CODES = { values: Uint8Array.of(1, 2, 3, 255, 0, 128), rows: 3, bits: 16 };
const NPY =
  "\u0093NUMPY\u0001\u0000v\u0000{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2), }".padEnd(127) +
  "\n";
const FAISS = "494278461000000002000000030000000000000001010000000600000000000000010203ff0080";

let world: World;
const out: string[] = [];
const err: string[] = [];
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
  vi.spyOn(console, "error").mockImplementation((line) => err.push(line));
  world = await makeWorld(12, 6);
});
afterEach(() => {
  out.splice(0);
  err.splice(0);
});
const run = (...args: string[]) =>
  main(["export", "--index", world.index, ...args], world.folder, world.folder);

test("a NumPy array is the file that NumPy writes", () => {
  const codes = Buffer.from(CODES.values);
  expect(Buffer.concat(npyOf(CODES))).toEqual(Buffer.concat([Buffer.from(NPY, "latin1"), codes]));
});

test("an IndexBinaryFlat is the file that faiss writes", () => {
  expect(Buffer.concat(faissOf(CODES)).toString("hex")).toBe(FAISS);
});

test("each form holds the codes of the index, in its order", async () => {
  const { codes } = await openIndex(world.index);
  for (const ending of ["npy", "faiss", "jsonl"]) {
    expect(await run("--out", `codes.${ending}`)).toBe(0);
    expect(out.at(-1)).toMatch(new RegExp(`codes\\.${ending}: 12 codes of 6 bits$`));
  }
  for (const ending of ["npy", "faiss"])
    expect(readFileSync(world.at(`codes.${ending}`)).subarray(-12)).toEqual(Buffer.from(codes.values));
  const lines = readFileSync(world.at("codes.jsonl"), "utf8").trim().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual(
    Array.from(codes.ids, (image, row) => ({
      row,
      image,
      class: codes.classes[codes.labels[row]],
      code: codes.values[row].toString(16).padStart(2, "0"),
    })),
  );
});

test("an index of files names them", async () => {
  expect(
    await main(["index", "photos", "--like", world.index, "--out", "own"], world.folder, world.folder),
  ).toBe(0);
  expect(await main(["export", "--index", "own", "--out", "own.jsonl"], world.folder, world.folder)).toBe(0);
  const [first] = readFileSync(world.at("own.jsonl"), "utf8").split("\n");
  expect(JSON.parse(first)).toMatchObject({ row: 0, image: world.at("photos/cat/0.png"), class: "cat" });
});

test("a file that is there stays, unless it may be replaced, and nothing else is left", async () => {
  writeFileSync(world.at("mine.npy"), "mine");
  expect(await run("--out", "mine.npy")).toBe(2);
  expect(err).toEqual([expect.stringMatching(/mine\.npy is there already\. .*--force/)]);
  expect(readFileSync(world.at("mine.npy"), "utf8")).toBe("mine");
  expect(await run("--out", "mine.npy", "--force")).toBe(0);
  expect(readFileSync(world.at("mine.npy")).subarray(1, 6).toString()).toBe("NUMPY");
  expect(readdirSync(world.folder).filter((name) => name.includes("scratch"))).toEqual([]);
});

test("an ending that names no form is refused in one line", async () => {
  expect(await run("--out", "codes.txt")).toBe(2);
  expect(err).toEqual([expect.stringMatching(/the ending says the form: \.npy, \.faiss, \.jsonl/)]);
});
