/** On what the network runs: the fastest device that works, and why. */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { InferenceSession } from "onnxruntime-node";
import { UserError } from "../../runner/stage.ts";

export type Device = "cuda" | "webgpu" | "cpu";

/** From the fastest to the one that always works. */
const ORDER: Device[] = ["cuda", "webgpu", "cpu"];

/**
 * Tries a device in a process of its own: a GPU driver that is too old can take the whole process with it.
 * @returns "" when a session starts there, else the reason
 */
function tryDevice(device: Device, modelPath: string): string {
  const runtime = createRequire(import.meta.url).resolve("onnxruntime-node");
  const code = `
    const { InferenceSession } = require(${JSON.stringify(runtime)});
    InferenceSession.create(process.argv[1], { executionProviders: [process.argv[2]], logSeverityLevel: 4 })
      .then(() => process.exit(0), (error) => { process.stderr.write("\\n@" + error.message); process.exit(1); });`;
  const child = spawnSync(process.execPath, ["-e", code, modelPath, device], {
    encoding: "utf8",
    timeout: 120_000,
  });
  if (child.status === 0) return "";
  // onnxruntime puts its own source line and condition before what went wrong.
  const said = child.stderr
    ?.split("\n@")
    .at(-1)
    ?.trim()
    .split("\n")[0]
    .replace(/^\/.* was false\. /, "");
  return child.signal ? `its driver ended the process (${child.signal})` : said || "it could not be started";
}

/** The device that was taken, in one line why, and whether faster ones did not work. */
export interface Choice {
  device: Device;
  reason: string;
  fallback: boolean;
}

/**
 * Chooses the device. `auto` takes cuda, webgpu and cpu in this order; a device asked for by name must work.
 * @throws UserError when a device that was asked for does not work
 */
export function chooseDevice(wanted: Device | "auto", modelPath: string): Choice {
  if (wanted === "cpu") return { device: "cpu", reason: "cpu was asked for", fallback: false };
  if (wanted !== "auto") {
    const fault = tryDevice(wanted, modelPath);
    if (fault)
      throw new UserError(`extract: device ${wanted} does not work here: ${fault}. Take another, or "auto".`);
    return { device: wanted, reason: `${wanted} was asked for`, fallback: false };
  }
  const faults: string[] = [];
  for (const device of ORDER) {
    const fault = device === "cpu" ? "" : tryDevice(device, modelPath);
    if (!fault)
      return {
        device,
        reason: faults.join("; ") || "the fastest that is known",
        fallback: faults.length > 0,
      };
    faults.push(`${device}: ${fault}`);
  }
  throw new Error("unreachable: the CPU always works");
}

/** Opens a model's file on a device. @param threads of the CPU */
export function openSession(path: string, device: Device, threads: number): Promise<InferenceSession> {
  return InferenceSession.create(path, {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Its threads wait awake for the next layer only, then asleep: resizing goes on beside them on the same cores.
    extra: { session: { intra_op: { spin_duration_us: "50" } } },
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
}
