/** The choice of `fastest`, by the backends that work. */
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, expect, test } from "vitest";
import { startBackend } from "../../../../stages/shared/compute/backend.ts";
import { runInChild } from "../../../../stages/shared/compute/child.ts";
import { chooseFastest } from "../../../../stages/shared/compute/fastest.ts";
import { startNamed } from "../../../../stages/shared/compute/start.ts";
import { differenceOf, smallStep, type Tried, tryInChild } from "../../../../stages/shared/compute/trial.ts";
import { PACKAGES } from "../../../../stages/shared/compute/webgpu.ts";

const installed = { ...PACKAGES };
afterEach(() => Object.assign(PACKAGES, installed));

const missing: Tried = { missing: "it is not installed" };
const card: Tried = { device: "a card", software: false };

test.each([
  ["the first GPU that works", card, card, "", "gpu", false],
  ["WebGPU where CUDA is missing", missing, card, "", "webgpu", false],
  ["WebGPU where CUDA fails, and reports that", { failure: "it crashed" }, card, "", "webgpu", true],
  [
    "native where a GPU is computed on the CPU",
    missing,
    { device: "SwiftShader", software: true },
    "",
    "native",
    false,
  ],
  [
    "native where a GPU computes wrong numbers",
    missing,
    { failure: "its values differ" },
    "",
    "native",
    true,
  ],
  ["WebAssembly where nothing else works", missing, missing, "no such file", "wasm", true],
] as [
  string,
  Tried,
  Tried,
  string,
  string,
  boolean,
][])("takes %s", async (_, gpu, webgpu, native, backend, fallback) => {
  const chosen = await chooseFastest(
    false,
    async (name) => ({ gpu, webgpu })[name],
    async () => native,
  );
  expect(chosen).toMatchObject({ backend, fallback });
  const order = ["gpu", "webgpu", "native", "wasm"];
  const asked = order.slice(0, order.indexOf(backend) + 1);
  expect(chosen.reason.split("; ").map((part) => part.split(":")[0])).toEqual(asked);
});

test("tries no GPU where a step is small", async () => {
  const chosen = await chooseFastest(
    true,
    async () => card,
    async () => "",
  );
  expect(chosen).toMatchObject({ backend: "native", fallback: false });
  expect(chosen.reason).toMatch(/^gpu, webgpu: slower for a head on features; native: it does/);
});

test("a step whose gradient is off is a failure, and so is one that is not a number", async () => {
  await startBackend("cpu");
  const values = await smallStep(tf);
  expect(values.length).toBeGreaterThan(3000);
  expect(differenceOf(values, values)).toBe("");
  for (const wrong of [Math.max(...values), Number.NaN])
    expect(differenceOf([...values.slice(0, -1), values.at(-1)! + wrong], values)).toContain("wrong numbers");
  expect(differenceOf(values.slice(1), values)).toContain("wrong numbers");
  expect(differenceOf(JSON.parse("[null, 1]"), [0, 1])).toContain("wrong numbers"); // NaN, through JSON
});

test("a kernel of any gradient that computes wrong numbers is a failure", async () => {
  await startBackend("cpu");
  const wanted = await smallStep(tf);
  for (const name of [
    "Conv2DBackpropInput",
    "Conv2DBackpropFilter",
    "DepthwiseConv2dNativeBackpropInput",
    "DepthwiseConv2dNativeBackpropFilter",
  ]) {
    const kernel = tf.getKernel(name, "cpu");
    const own = kernel.kernelFunc;
    kernel.kernelFunc = (call) => {
      const made = own(call) as tf.TensorInfo;
      (tf.backend() as unknown as { data: { get(id: object): { values: Float32Array } } }).data
        .get(made.dataId)
        .values.fill(0);
      return made;
    };
    expect(differenceOf(await smallStep(tf), wanted), name).toContain("wrong numbers");
    kernel.kernelFunc = own;
  }
  expect(differenceOf(await smallStep(tf), wanted)).toBe("");
});

test("a training that is ended ends the try of a GPU", async () => {
  await expect(
    runInChild("new Promise(() => setInterval(() => {}, 1000))", {
      args: [],
      patience: 60,
      late: "it gave nothing",
      signal: AbortSignal.timeout(300),
    }),
  ).rejects.toThrow(/timeout/);
  const signal = AbortSignal.abort(new Error("ended"));
  let given: AbortSignal | undefined;
  const attempt = async (_: string, ended?: AbortSignal) => {
    given = ended;
    return card;
  };
  await chooseFastest(false, attempt, async () => "", signal);
  expect(given).toBe(signal);
});

test("a package that is not installed is no failure for fastest, and names the command for who asks for it", async () => {
  PACKAGES.dawn = PACKAGES.backend = "no-such-package";
  expect(await tryInChild("webgpu")).toEqual({ missing: "tfjs-backend-webgpu is not installed" });
  await expect(startNamed("webgpu", "train")).rejects.toThrow(
    /^train: the backend webgpu cannot start: .*no-such-package.* Add its packages \(npm install --no-save @tensorflow\/tfjs-backend-webgpu@4.22 webgpu\), or take the backend wasm\.$/,
  );
});

test("fastest starts what it chose", async () => {
  PACKAGES.dawn = PACKAGES.backend = "no-such-package";
  const { backend, reason } = await startNamed("fastest", "train");
  expect(backend).toBe("native");
  expect(reason).toContain("webgpu: tfjs-backend-webgpu is not installed; native: it does a small step");
  await startBackend("wasm");
});
