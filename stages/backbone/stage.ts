/** backbone: a pretrained network's ONNX file, checked against its pinned sum. */
import { copyFileSync } from "node:fs";
import { defineStage, UserError } from "../../runner/stage.ts";
import type { Backbone } from "../shared/backbone.ts";
import { type Download, fetchFile } from "../shared/download/fetch.ts";

export default defineStage({
  params: "backbone",
  parts: { backbone: "../shared/backbones" },
  inputs: {},
  outputs: { model: "model.onnx" },
  async run({ parts, outputs, downloads, progress, log, warn, signal }) {
    if ((parts.backbone.part as Backbone).described)
      throw new UserError(
        `backbone: "${parts.backbone.name}" is a file of yours and no download. Name it as the input of extract, as model: ./my.onnx, and leave this stage out.`,
      );
    const download = parts.backbone.params as unknown as Download;
    copyFileSync(await fetchFile(download, { downloads, progress, log, warn, signal }), outputs.model);
  },
});
