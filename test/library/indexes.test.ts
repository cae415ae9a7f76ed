/** Indexes that a program makes and changes: the same as those of the command. */
import { cpSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { beforeAll, expect, test, vi } from "vitest";
import { addToIndex, buildIndex, openIndex, removeFromIndex, updateIndex } from "../../library/search.ts";
import { main } from "../../search/cli.ts";
import { readRecipe } from "../../stages/shared/search-index.ts";
import { makeWorld, type World } from "../search/world.ts";

let world: World;
let at: World["at"];
const out: string[] = [];
beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => out.push(line));
  vi.spyOn(console, "error").mockImplementation(() => {});
  world = await makeWorld(12, 6);
  ({ at } = world);
  mkdirSync(at("more/fox"), { recursive: true });
  cpSync(at("photos/cat/0.png"), at("more/fox/copy.png"));
}, 60_000);

test("an index is made, changed and searched; nothing is printed but by the command", async () => {
  const own = at("own");
  const built = await buildIndex([at("photos")], { out: own, like: world.index });
  expect(built).toEqual({ folder: own, images: 12, bits: 6, failed: 0 });
  expect(await addToIndex(own, [at("more")])).toEqual({
    ...{ new: 1, changed: 0, moved: 0, gone: 0 }, // a copy: the other stays
    ...{ images: 13, failed: 0 },
  });
  rmSync(at("more/fox/copy.png"));
  cpSync(at("photos/dog/5.png"), at("more/fox/other.png"));
  expect(await updateIndex(own)).toMatchObject({ new: 1, moved: 0, gone: 1, images: 13 });
  renameSync(at("more"), at("moved"));
  expect(await updateIndex(own, [`${at("more")}=${at("moved")}`])).toMatchObject({ gone: 0, images: 13 });
  expect(await removeFromIndex(own, [at("moved")])).toMatchObject({ gone: 1, images: 12 });
  expect(out).toEqual([]);
  const args = ["index", "photos", "--like", world.index, "--out", "other"];
  expect(await main(args, world.folder, world.folder)).toBe(0);
  expect(out).toEqual([expect.stringMatching(/other: 12 images, 6 bits each\. Search it: .*--index other$/)]);
  const [made, other] = [await openIndex(own), await openIndex(at("other"))];
  for (const part of ["codes", "outputs", "contents", "roots", "names"] as const)
    expect(made[part], part).toEqual(other[part]);
  expect(readRecipe(own).encoder).toBe(readRecipe(at("other")).encoder);
}, 120_000);

test("an option that is invalid is refused in one line", async () => {
  await expect(buildIndex([at("photos")], { out: at("x"), backbone: "resnet19" })).rejects.toThrow(
    /no backbone "resnet19".*resnet18/,
  );
  await expect(buildIndex([at("photos")], { out: at("x") })).rejects.toThrow(/name either --like/);
  await expect(buildIndex([], { out: at("x"), backbone: "resnet18" })).rejects.toThrow(
    /no folder and no image/,
  );
  for (const bits of [0, -8, 2.5, 513, Number.NaN, "64" as unknown as number, null as unknown as number])
    await expect(buildIndex([at("photos")], { out: at("x"), backbone: "none", bits })).rejects.toThrow(
      `index: ${bits} bits: a whole number from 1 to 512 was expected.`,
    );
  const open = { out: at("x"), backbone: "none", bits: undefined };
  await expect(buildIndex([at("photos")], open)).rejects.toThrow(/no backbone "none"/);
});
