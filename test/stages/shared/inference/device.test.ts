/** The choice of a device: with probes that are functions, and with real child processes on a fake driver. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { UserError } from "../../../../runner/stage.ts";
import { random } from "../../../../stages/shared/compute/random.ts";
import { chooseDevice, withoutCuda } from "../../../../stages/shared/inference/device.ts";
import {
  type Probe,
  probeInChild,
  type Trial,
  type Tried,
} from "../../../../stages/shared/inference/probe.ts";
import { tinyNetwork } from "../../extract/onnx-model.ts";
import { scratch } from "../scratch.ts";

const [COUNT, SIZE, FILTERS] = [4, 16, 6];
const draw = random(1, "device test");
const images = Float32Array.from({ length: COUNT * 3 * SIZE * SIZE }, () => draw.normal());
const folder = scratch();
const trial: Omit<Trial, "patience"> = {
  file: join(folder, "tiny.onnx"),
  input: "data",
  tensor: "scores",
  images,
  count: COUNT,
  size: SIZE,
  threads: 1,
  batch: 8,
  signal: new AbortController().signal,
};
beforeAll(() => {
  const kernel = Float32Array.from({ length: FILTERS * 27 }, () => draw.normal() / 5);
  writeFileSync(trial.file, tinyNetwork({ kernel, bias: new Float32Array(FILTERS), filters: FILTERS }));
});

const FEATURES = Float32Array.from({ length: COUNT * 5 }, () => draw.normal());
const gives = (change: (value: number, run: number) => number, imagesPerSecond = 100): Tried => ({
  runs: [FEATURES.map((value) => change(value, 0)), FEATURES.map((value) => change(value, 1))],
  imagesPerSecond,
});
const CPU = gives((value) => value, 50);

/** A probe with the answer of each device; it must not be called for others. */
const told =
  (answers: Record<string, Tried>, asked: string[] = []): Probe =>
  async (device) => {
    asked.push(device);
    if (!answers[device]) throw new Error(`${device} was asked`);
    return answers[device];
  };
const auto = (answers: Record<string, Tried>, noCuda = "no NVIDIA device is here") =>
  chooseDevice("auto", trial, told({ cpu: CPU, ...answers }), noCuda);

/** Drivers that must not be taken, and the message about each. */
const WRONG: [string, Tried, RegExp][] = [
  ["computes nothing", gives(() => 0), /not those of the CPU \(image 1 of 4: all are 0\)/],
  ["gives no numbers", gives(() => Number.NaN), /image 1 of 4: cosine NaN/],
  ["gives one number", gives(() => 1), /image 1 of 4: cosine -?0\.\d{4}/],
  ["gives half of each", gives((value) => value / 2), /cosine 1\.0000, 0\.500 times as long/],
  ["is wrong in one image", gives((value) => (value === FEATURES[16] ? -value : value)), /image 4 of 4/],
  ["is right once", gives((value, run) => (run ? 0 : value)), /image 1 of 4: all are 0/],
  [
    "gives other features each time",
    gives((value, run) => value * (1 + run / 100)),
    /two runs of the same images/,
  ],
  [
    "gives too few",
    { runs: [FEATURES.subarray(5), FEATURES.subarray(5)], imagesPerSecond: 100 },
    /gave 15 features where the CPU gives 20/,
  ],
  ["crashes", { failure: "its driver crashed (SIGSEGV)" }, /crashed \(SIGSEGV\)/],
];

describe("auto", () => {
  it("takes a device whose features are those of the CPU, and that is faster", async () => {
    const near = gives((value, run) => value * (1 + 1e-4 * run) + 1e-4);
    expect(await auto({ webgpu: near })).toEqual({
      device: "webgpu",
      reason:
        "cuda: no NVIDIA device is here; webgpu: faster than the CPU (100 images/s, the CPU 50 images/s)",
      fallback: false, // a machine without an NVIDIA device misses nothing
    });
  });

  it.each(WRONG)("does not take one that %s, and warns", async (_, webgpu, said) => {
    const { device, reason, fallback } = await auto({ webgpu });
    expect([device, fallback]).toEqual(["cpu", true]);
    expect(reason).toMatch(said);
    expect(reason).not.toContain("\n");
  });

  it("does not take one that is slower than the CPU, in silence", async () => {
    expect(await auto({ webgpu: gives((value) => value, 2.04) })).toEqual({
      device: "cpu",
      reason: "cuda: no NVIDIA device is here; webgpu: slower than the CPU (2 images/s, the CPU 50 images/s)",
      fallback: false,
    });
  });

  it("asks CUDA first where there can be one, and warns when it fails", async () => {
    expect(await auto({ cuda: gives((value) => value, 500) }, "")).toMatchObject({ device: "cuda" });
    const webgpu = gives((value) => value, 90);
    expect(await auto({ cuda: { failure: "Failed to load shared library" }, webgpu }, "")).toMatchObject({
      device: "webgpu",
      reason: expect.stringMatching(
        /^cuda: Failed to load shared library \(its libraries are added by ONNXRUNTIME_NODE_INSTALL=cuda12 node .*\); webgpu: faster/,
      ),
      fallback: true,
    });
  });

  it("tries the CPU once at most, and only where another device works", async () => {
    const asked: string[] = [];
    await chooseDevice("auto", trial, told({ webgpu: { failure: "no" } }, asked), "none");
    expect(asked).toEqual(["webgpu"]);
    const slow = gives((value) => value, 1);
    await chooseDevice("auto", trial, told({ cuda: slow, webgpu: slow, cpu: CPU }, asked), "");
    expect(asked.slice(1)).toEqual(["cuda", "cpu", "webgpu"]);
  });

  it("blames no device for a network that gives only zeros on the CPU", async () => {
    const zeros = gives(() => 0);
    expect(await auto({ webgpu: zeros, cpu: zeros })).toMatchObject({ device: "cpu", fallback: false });
  });
});

describe("a device that is asked for", () => {
  it("may be slow", async () => {
    const asked = { webgpu: gives((value) => value, 1), cpu: CPU };
    expect(await chooseDevice("webgpu", trial, told(asked))).toEqual({
      device: "webgpu",
      reason: "webgpu was asked for, the same features as on the CPU",
      fallback: false,
    });
    expect(await chooseDevice("cpu", trial, told({}))).toMatchObject({ device: "cpu" });
  });

  it("says why there can be no CUDA", async () => {
    const cuda = { failure: "Failed to load shared library" };
    await expect(chooseDevice("cuda", trial, told({ cuda }), "no NVIDIA device is here")).rejects.toThrow(
      "device cuda does not work here: Failed to load shared library (no NVIDIA device is here). Take",
    );
  });

  it.each(WRONG)("is refused when it %s", async (_, webgpu, said) => {
    const failure = await chooseDevice("webgpu", trial, told({ webgpu, cpu: CPU })).catch((error) => error);
    expect(failure).toBeInstanceOf(UserError);
    expect(failure.message).toMatch(/^device webgpu does not work here: .*\. Take another, or "auto"\.$/);
    expect(failure.message).toMatch(said);
  });
});

describe("CUDA", () => {
  it.each([
    ["darwin", "arm64", [], "for Linux on x64 only"],
    ["win32", "x64", ["/dev/nvidia0"], "for Linux on x64 only"],
    ["linux", "arm64", ["/dev/nvidia0"], "for Linux on x64 only"],
    ["linux", "x64", ["/dev/dri", "/dev/kfd"], "no NVIDIA device is here"],
    ["linux", "x64", ["/dev/nvidiactl"], ""],
    ["linux", "x64", ["/usr/lib/wsl/lib/libcuda.so.1"], ""],
  ])("on %s %s with %j: %j", (platform, arch, files, said) => {
    const why = withoutCuda(platform, arch, (path) => files.includes(path));
    expect(why.endsWith(said) && (why === "") === (said === "")).toBe(true);
  });
});

describe("a probe's process", () => {
  afterEach(() => vi.unstubAllEnvs());
  const withDriver = (driver: string, given: Partial<Trial> = {}, device: "webgpu" | "cpu" = "webgpu") => {
    vi.stubEnv("NODE_OPTIONS", `--require ${resolve("test/stages/extract/fake-driver.cjs")}`);
    vi.stubEnv("FAKE_DRIVER", driver);
    return probeInChild(device, { ...trial, patience: 60, ...given });
  };

  it("gives the features of the network twice, and its speed", async () => {
    const tried = (await withDriver("good")) as Extract<Tried, { runs: unknown }>;
    expect(tried.runs[0]).toHaveLength(COUNT * 2);
    expect(tried.runs[0]).toEqual(tried.runs[1]);
    expect(new Set(tried.runs[0]).size).toBeGreaterThan(1);
    expect(tried.imagesPerSecond).toBeGreaterThan(0);
  });

  it.each([
    ["zeros", {}, /all are 0/],
    ["nothing", {}, /cosine NaN/],
    ["constant", {}, /image 1 of 4/],
    ["half", {}, /0\.500 times as long/],
    ["unsteady", {}, /not those of the CPU|two runs/],
    ["slow", {}, /slower than the CPU/],
    ["crash", {}, /webgpu: its driver crashed \(SIGSEGV\)/],
    ["memory", {}, /webgpu: .*Failed to allocate memory/],
    ["lost", {}, /webgpu: WebGPU device lost \(2\): Device was destroyed\.$/],
  ])("of a driver that is %s ends the choice with the CPU", async (driver, given, said) => {
    const choice = await chooseDevice(
      "auto",
      { ...trial, ...given },
      (device, full) => withDriver(driver, full, device as "webgpu" | "cpu"),
      "none",
    );
    expect(choice).toMatchObject({ device: "cpu", fallback: driver !== "slow" });
    expect(choice.reason).toMatch(said);
  });

  it("that hangs is given up, and what it did not do is said", async () => {
    expect(await withDriver("hang", { patience: 2 })).toEqual({
      failure: "it gave no features of 4 images within 2 s",
    });
  });

  it("ends when the run is cancelled", async () => {
    const cancelled = new AbortController();
    const run = withDriver("hang", { signal: cancelled.signal });
    setTimeout(() => cancelled.abort(), 100);
    await expect(run).rejects.toThrow(/abort/i);
  });

  it("says in one line why a model cannot be opened", async () => {
    const { failure } = (await withDriver("good", { file: join(folder, "none.onnx") })) as {
      failure: string;
    };
    expect(failure).toMatch(/none\.onnx/);
    expect(failure).not.toContain("\n");
  });
});
