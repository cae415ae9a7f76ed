/** The params of parts: typed after their schemas, and the choice of `select` in their place. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, test } from "vitest";
import { type ParamsOf, UserError } from "../../../runner/stage.ts";
import { withChoice } from "../../../stages/train/choice.ts";
import type { Loss } from "../../../stages/train/loss.ts";
import dtsh from "../../../stages/train/losses/dtsh.ts";
import facenet from "../../../stages/train/losses/facenet.ts";
import type mlp from "../../../stages/train/networks/mlp.ts";
import { scheduled } from "../../../stages/train/schedules.ts";

const KINDS = [
  "stages/train/losses",
  "stages/train/selectors",
  "stages/train/samplers",
  "stages/train/networks",
  "stages/shared/augmentations",
  "stages/encode/binarisers",
  "stages/split/protocols",
  "stages/download/datasets",
];

describe("the type of a param", () => {
  test("follows its schema", () => {
    const schemas = {
      scheduled: scheduled({ default: 1 }),
      word: scheduled({ default: "half" }, "half"),
      count: { type: "integer", default: 1 },
      flag: { type: "boolean", default: true },
      choice: { enum: ["a", "b"], default: "a" },
      list: { type: "array", items: { type: "string" } },
      open: { anyOf: [] },
    } as const;
    expectTypeOf<ParamsOf<typeof schemas>>().toEqualTypeOf<{
      readonly scheduled: number;
      readonly word: number | "half";
      readonly count: number;
      readonly flag: boolean;
      readonly choice: "a" | "b";
      readonly list: string[];
      readonly open: unknown;
    }>();
    expectTypeOf(facenet).toEqualTypeOf<Loss<{ readonly margin: number }>>();
    expectTypeOf<Parameters<typeof mlp.build>[0]["params"]["hidden"]>().toEqualTypeOf<number[]>();
    expect(dtsh.params!.margin.anyOf).toContainEqual({ const: "bits/2" });
  });

  test.each(
    KINDS.flatMap((kind) => readdirSync(kind).map((file) => `${kind}/${file}`)),
  )("is not cast in %s", (file) =>
    expect(readFileSync(file, "utf8")).not.toMatch(/params(\.\w+)? as (?!const)/));
});

describe("the choice of select", () => {
  const settings = {
    params: { learning_rate: 1 },
    parts: { loss: { name: "facenet", params: { margin: 0.2, other: 1 }, part: facenet } },
  };

  test("replaces the param of a part or of the stage, and changes nothing that it was given", () => {
    const before = structuredClone({ ...settings, parts: settings.parts.loss.params });
    const chosen = withChoice(settings, { param: "loss.margin", value: 0.7 });
    expect(chosen.parts.loss.params).toEqual({ margin: 0.7, other: 1 });
    expect(chosen.parts.loss.part).toBe(facenet);
    expect(withChoice(settings, { param: "learning_rate", value: 2 }).params).toEqual({ learning_rate: 2 });
    expect(withChoice(settings, undefined)).toEqual(settings);
    expect({ ...settings, parts: settings.parts.loss.params }).toEqual(before);
  });

  test.each(["loss.alpha", "selector.margin", "alpha"])("of an unknown param %s is an error", (param) =>
    expect(() => withChoice(settings, { param, value: 1 })).toThrow(UserError));
});
