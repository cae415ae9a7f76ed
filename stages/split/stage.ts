/** split: who trains, validates, queries, and is searched, drawn once for all that follows. */
import { defineStage } from "../../runner/stage.ts";
import { readImageList } from "../shared/images.ts";
import { random } from "../shared/random.ts";
import { writeSplit } from "../shared/splits.ts";
import type { Protocol } from "./protocol.ts";

export default defineStage<{ validation: number; seed: number }>({
  params: "split",
  parts: { protocol: "protocols" },
  inputs: { images: "images" },
  outputs: { split: "split.arrow" },
  async run({ params, parts, inputs, outputs, note }) {
    const images = await readImageList(inputs.images);
    const { name, part, params: own } = parts.protocol;
    const roles = (part as Protocol).draw(images, params.validation, random(params.seed, "split"), own);
    const { ids, labels, classes } = images;
    writeSplit(outputs.split, { ids, labels, ...roles, protocol: name, seed: params.seed }, { classes });
    for (const [role, flags] of Object.entries(roles))
      note(
        role,
        flags.reduce((sum: number, flag: number) => sum + flag, 0),
      );
  },
});
