/** backbone: a pretrained network's ONNX file, checked against its pinned sum. */
import { copyFileSync } from "node:fs";
import { defineStage, UserError } from "../../runner/stage.ts";
import { type Download, fetchFile, noChecksum } from "../shared/download/fetch.ts";

export default defineStage({
  params: "backbone",
  parts: { backbone: "../shared/backbones" },
  refuses: [
    {
      where: "backbone",
      when: { "backbone.params.urls": [true], "backbone.params.sha256": [null] },
      message: noChecksum("${backbone}"),
    },
  ],
  inputs: {},
  outputs: { model: "model.onnx" },
  async run({ parts, outputs, downloads, progress, log, warn, signal }) {
    if (!parts.backbone.params.file)
      throw new UserError(
        `backbone: "${parts.backbone.name}" is a file of yours and no download. Name it as the input of extract, as model: ./my.onnx, and leave this stage out.`,
      );
    const download = parts.backbone.params as unknown as Download;
    copyFileSync(await fetchFile(download, { downloads, progress, log, warn, signal }), outputs.model);
  },
});
