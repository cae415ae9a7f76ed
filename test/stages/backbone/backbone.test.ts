import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { UserError } from "../../../runner/stage.ts";
import type { Backbone } from "../../../stages/shared/backbone.ts";
import { runStage } from "../../run-stage.ts";
import { scratch } from "../shared/scratch.ts";

/** All but `file`, which is described in pipeline.yaml. */
const names = readdirSync(resolve("stages/shared/backbones"))
  .map((file) => file.replace(".ts", ""))
  .filter((name) => name !== "file");
const load = async (name: string) =>
  (await import(pathToFileURL(resolve(`stages/shared/backbones/${name}.ts`)).href)).default as Backbone;
const defaultsOf = ({ params = {} }: Backbone) =>
  Object.fromEntries(Object.entries(params).map(([name, schema]) => [name, schema.default]));

describe("the stage backbone", () => {
  const mirror = scratch();
  const content = Buffer.from("the network");
  const sha256 = createHash("sha256").update(content).digest("hex");
  const run = (own: Record<string, unknown>) => {
    const downloads = { kept: join(mirror, "no-cache"), mirror };
    return runStage("backbone", { params: { backbone: { use: "resnet18", urls: [], ...own } }, downloads });
  };

  it("hands the checked file on", async () => {
    writeFileSync(join(mirror, "net.onnx"), content);
    const { outputs } = await run({ file: "net.onnx", sha256 });
    expect(readFileSync(outputs.model).equals(content)).toBe(true);
  });

  it("refuses a backbone that is the user's own file", async () => {
    const own = { use: "file", name: "my-net" };
    await expect(runStage("backbone", { params: { backbone: own } })).rejects.toThrow(
      'backbone: "file" is a file of yours and no download. Name it as the input of extract, as model: ./my.onnx',
    );
  });

  it("refuses another file, and says where one comes from that no address serves", async () => {
    await expect(run({ file: "net.onnx" })).rejects.toThrow(
      /net\.onnx has sha256 .* but 4e8f8653… is pinned/,
    );
    await expect(run({ file: "none.onnx" })).rejects.toThrow(UserError);
    await expect(run({ file: "none.onnx" })).rejects.toThrow(/none\.onnx: no public address.*--mirror DIR/);
  });
});

describe("the backbones", () => {
  it.each(names)("%s is pinned and whole", async (name) => {
    const backbone = await load(name);
    const { file, sha256, urls } = defaultsOf(backbone) as { file: string; sha256: string; urls: string[] };
    expect(file).toMatch(/\.onnx$/);
    // A checksum is pinned, or asked for.
    if (backbone.params!.sha256.optional) expect(sha256).toBeUndefined();
    else expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    for (const url of urls)
      expect(url).toMatch(sha256 ? new RegExp(`^https://.*/${file}$`) : /^https:\/\/.*\.onnx$/);
    expect(backbone.size % backbone.multipleOf).toBe(0);
    for (const value of backbone.std) expect(value).toBeGreaterThan(0);
    for (const values of [backbone.mean, backbone.std]) expect(values).toHaveLength(3);
  });

  it("each have a file of their own", async () => {
    const all = await Promise.all(names.map(async (name) => defaultsOf(await load(name))));
    expect(new Set(all.map(({ file }) => file)).size).toBe(names.length);
    const pinned = all.map(({ sha256 }) => sha256).filter((sha256) => sha256 !== undefined);
    expect(new Set(pinned).size).toBe(pinned.length);
    expect(pinned).toHaveLength(9);
  });
});
