/** Loaded before a probe's child: "webgpu" is then the CPU's sessions behind a driver as FAKE_DRIVER says. */
const { InferenceSession } = require("onnxruntime-node");

const create = InferenceSession.create;
let turn = 0;
const DRIVERS = {
  good: (features) => features,
  zeros: (features) => features.fill(0),
  nothing: (features) => features.fill(Number.NaN),
  constant: (features) => features.fill(0.5),
  half: (features) => features.map((value) => value / 2),
  unsteady: (features) => features.map((value) => value * (1 + 0.01 * (turn++ % 3))),
  slow: (features) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    return features;
  },
  crash: () => process.kill(process.pid, "SIGSEGV"),
  hang: () => new Promise((resolve) => setTimeout(resolve, 600_000)),
  memory: () => {
    throw new Error(
      "/src/arena.cc:376 void* Allocate(size_t) Failed to allocate memory for requested buffer of size 939524096",
    );
  },
  lost: () => {
    throw new Error("WebGPU device lost (2): Device was destroyed.\n  at somewhere");
  },
};

InferenceSession.create = async (file, options) => {
  const [device] = options.executionProviders;
  const session = await create.call(InferenceSession, file, { ...options, executionProviders: ["cpu"] });
  if (device === "cpu") return session;
  return {
    release: () => session.release(),
    run: async (...feeds) => {
      const outputs = await session.run(...feeds);
      const [[name, tensor]] = Object.entries(outputs);
      return { [name]: { ...tensor, data: await DRIVERS[process.env.FAKE_DRIVER](tensor.data) } };
    },
  };
};
