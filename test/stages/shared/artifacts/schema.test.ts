import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../../runner/stage.ts";
import { checkJson, readJson } from "../../../../stages/shared/artifacts/schema.ts";
import { put, scratch } from "../scratch.ts";

const folder = scratch();
const good = {
  param: "loss.margin",
  value: 0.2,
  metric: "validation_map",
  candidates: [{ value: 0.2, score: 0.5, id: "train[margin=0.2]" }],
};
const save = (value: unknown) => put(folder, "choice.json", Buffer.from(JSON.stringify(value))).path;

it("every schema of an artifact is valid by the schema of schemas, which stages do not compile", () => {
  const ajv = new Ajv();
  const names = readdirSync("schemas").filter((name) => name.endsWith(".artifact.schema.json"));
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) {
    ajv.validateSchema(JSON.parse(readFileSync(join("schemas", name), "utf8")));
    expect(ajv.errors, name).toBeNull();
  }
});

describe("readJson", () => {
  it("reads what fits", () => {
    expect(readJson(save(good), "choice")).toEqual(good);
  });

  it("names the first fault and where it is", () => {
    const { value: _, ...less } = good;
    expect(() => readJson(save(less), "choice")).toThrow(
      /choice\.json: not a file of "choice": must have required property 'value'\. See schemas\/choice\.artifact/,
    );
    const wrong = { ...good, candidates: [{ ...good.candidates[0], score: "high" }] };
    expect(() => readJson(save(wrong), "choice")).toThrow(/candidates\.0\.score must be/);
    expect(() => checkJson(wrong, "choice", "x.json")).toThrow(UserError);
  });

  it("names a file that is no JSON", () => {
    const { path } = put(folder, "broken.json", Buffer.from('{"param":'));
    expect(() => readJson(path, "choice")).toThrow(/broken\.json: not JSON \(.*\)/);
    expect(() => readJson(join(folder, "none.json"), "choice")).toThrow(/none\.json/);
  });
});
