/** backbone: a pretrained network's ONNX file, checked against its pinned sum. */
import { copyFileSync } from "node:fs";
import { defineStage } from "../../runner/stage.ts";
import { type Download, fetchFile } from "../shared/download/fetch.ts";

export default defineStage({
  params: "backbone",
  parts: { backbone: "../shared/backbones" },
  inputs: {},
  outputs: { model: "model.onnx" },
  async run({ parts, outputs, downloads, progress, log, warn, signal }) {
    const download = parts.backbone.params as unknown as Download;
    copyFileSync(await fetchFile(download, { downloads, progress, log, warn, signal }), outputs.model);
  },
});
