/** split: who trains, validates, queries, and is searched, drawn once for all that follows. */
import { defineStage } from "../../runner/stage.ts";
import { random } from "../shared/random.ts";
import { writeSplit } from "../shared/splits.ts";
import { numbers, readMetadata, readTable, texts } from "../shared/tables.ts";
import type { Protocol } from "./protocol.ts";

export default defineStage<{ validation: number; seed: number }>({
  params: "split",
  parts: { protocol: "protocols" },
  inputs: { images: "images" },
  outputs: { split: "split.arrow" },
  async run({ params, parts, inputs, outputs, note }) {
    const table = readTable(inputs.images, "images");
    const { classes } = readMetadata(table) as { classes: string[] };
    const labels = numbers<Uint16Array>(table, "label");
    const test = Uint8Array.from(texts(table, "split"), (split) => (split === "test" ? 1 : 0));
    const { name, part, params: own } = parts.protocol;
    const roles = (part as Protocol).draw(
      { labels, test, classes },
      params.validation,
      random(params.seed, "split"),
      own,
    );
    writeSplit(
      outputs.split,
      { ids: numbers(table, "id"), labels, ...roles, protocol: name, seed: params.seed },
      { classes },
    );
    for (const [role, flags] of Object.entries(roles))
      note(
        role,
        flags.reduce((sum: number, flag: number) => sum + flag, 0),
      );
  },
});
