import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Float32, Float64, Uint32 } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { writeTable } from "../../../stages/shared/artifacts/arrow.ts";
import { runStage } from "../../run-stage.ts";

const folder = mkdtempSync(join(tmpdir(), "deephash-select-"));

/** A history with these validation mAPs. */
function history(margin: number, maps: number[]) {
  const path = join(folder, `${margin}.arrow`);
  const single = Float32Array.from(maps);
  writeTable(
    path,
    "history",
    {
      step: new Uint32(),
      epoch: new Float32(),
      images: new Float64(),
      loss: new Float32(),
      active: new Float32(),
      triplets: new Float64(),
      spread: new Float32(),
      validation_map: new Float32(),
      validation_accuracy: new Float32(),
    },
    maps.length,
    {
      step: Uint32Array.from(maps, (_, i) => i + 1),
      epoch: single,
      images: Float64Array.from(maps),
      loss: single,
      active: single,
      triplets: Float64Array.from(maps),
      spread: single,
      validation_map: single,
      validation_accuracy: single,
    },
    { loss: "facenet", selector: "all", network: "mlp", seed: 1, collapse: "" },
  );
  return { path, id: `tune[margin=${margin}]`, point: { margin } };
}

const select = (runs: ReturnType<typeof history>[], axis = "margin") =>
  runStage("select", { params: { param: "loss.margin", axis }, inputs: { runs } });

describe("select", () => {
  it("takes the value whose best evaluation is best, and tells all candidates", async () => {
    const { outputs, log } = await select([
      history(0.1, [0.5, 0.6]),
      history(0.2, [0.9, 0.3]),
      history(0.5, [0.8]),
    ]);
    const choice = JSON.parse(readFileSync(outputs.choice, "utf8"));
    expect(choice).toEqual({
      param: "loss.margin",
      value: 0.2,
      metric: "validation_map",
      candidates: [
        { value: 0.1, score: 0.6, id: "tune[margin=0.1]" },
        { value: 0.2, score: 0.9, id: "tune[margin=0.2]" },
        { value: 0.5, score: 0.8, id: "tune[margin=0.5]" },
      ],
    });
    expect(log.join()).not.toContain("end of the grid");
  });

  it("warns when the best value is at the end of the grid", async () => {
    const { log } = await select([history(0.1, [0.5]), history(0.2, [0.6]), history(0.5, [0.8])]);
    expect(log.join()).toContain("loss.margin = 0.5 is at the end of the grid (0.1 to 0.5)");
  });

  it("refuses runs without the axis", async () => {
    await expect(select([history(0.1, [0.5])], "alpha")).rejects.toThrow(
      'select: tune[margin=0.1] has no axis "alpha"',
    );
  });
});
