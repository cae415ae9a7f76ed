/** The fit of losses, samplers and selectors: of every combination, and before anything runs. */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { CodeBook } from "../../../runner/code/bundle.ts";
import { resolve } from "../../../runner/plan/tasks.ts";
import { type Part, refusalOf } from "../../../runner/stage.ts";
import { expand } from "../../../runner/study/expand.ts";
import { load } from "../../../runner/study/load.ts";
import type { Loss } from "../../../stages/train/loss.ts";
import type { SamplerDefinition } from "../../../stages/train/sampler.ts";
import { refusals } from "../../../stages/train/selection.ts";
import type { PairSelector, TripletSelector } from "../../../stages/train/selector.ts";

async function partsIn<T>(folder: string): Promise<Part<T>[]> {
  const files = readdirSync(`stages/train/${folder}`);
  return Promise.all(
    files.map(async (file) => ({
      name: file.replace(/\.ts$/, ""),
      params: {},
      part: (await import(`../../../stages/train/${folder}/${file}`)).default,
    })),
  );
}

test("a training has one source of pairs or triplets, of the kind that its loss takes", async () => {
  const losses = await partsIn<Loss>("losses");
  const samplers = await partsIn<SamplerDefinition>("samplers");
  const selectors = await partsIn<PairSelector | TripletSelector>("selectors");
  let allowed = 0;
  for (const loss of losses)
    for (const sampler of samplers)
      for (const selector of [undefined, ...selectors]) {
        const sources = [sampler.part.gives, selector?.part.selects].filter((kind) => kind !== undefined);
        const wanted = loss.part.selects === "nothing" ? [] : [loss.part.selects];
        const fits = JSON.stringify(sources) === JSON.stringify(wanted);
        const found = refusalOf(refusals, { loss, sampler, ...(selector && { selector }) });
        expect(found?.message ?? "fits", `${loss.name} ${sampler.name} ${selector?.name}`).toEqual(
          fits ? "fits" : expect.stringMatching(/^the (loss|sampler|selector) "[\w-]+".*\.$/),
        );
        allowed += Number(fits);
      }
  expect(allowed).toBeGreaterThan(150);
});

test("memory beside a sampler of pairs is refused", async () => {
  const [loss] = (await partsIn<Loss>("losses")).filter(({ name }) => name === "contrastive");
  const [sampler] = (await partsIn<SamplerDefinition>("samplers")).filter(
    ({ name }) => name === "random-pairs",
  );
  expect(refusalOf(refusals, { loss, sampler })).toBeUndefined();
  const remembering = { ...loss, params: { memory: { size: 500 } } };
  expect(refusalOf(refusals, { loss: remembering, sampler })?.message).toMatch(
    /the memory of the loss "contrastive"/,
  );
});

test("the plan refuses a wrong pairing at its place, before anything runs", async () => {
  const root = process.cwd();
  const plan = async (given: Record<string, unknown>) => {
    const study = expand(load("pipeline.yaml", root), "sample");
    const [instance] = study.instances.filter(
      ({ id }) => id === "train-race[loss=facenet,selector=all,seed=1]",
    );
    Object.assign(instance.with, given);
    await resolve(study, root, new CodeBook(root));
  };
  await plan({});
  await expect(plan({ selector: "hard-negative" })).rejects.toThrow(
    /^pipeline\.yaml:\d+:\d+ train-race\.with\.selector: the loss "facenet" learns from triplets, but the selector "hard-negative" chooses pairs\./,
  );
  await expect(plan({ loss: "supcon" })).rejects.toThrow(
    /selector: the selector "all" has nothing to choose/,
  );
  await expect(plan({ sampler: "random-pairs" })).rejects.toThrow(/the sampler "random-pairs" gives pairs/);
}, 30_000);
