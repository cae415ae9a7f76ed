/** embed: every image through a trained head. */
import { defineStage, UserError } from "../../runner/stage.ts";
import { readExamples } from "../shared/artifacts/examples.ts";
import { embedRows, loadHead, readHead } from "../shared/artifacts/head.ts";
import { writeVectors } from "../shared/artifacts/vectors.ts";
import { autoOnCpu, type BackendParam, startNamed, takesGpu } from "../shared/compute/start.ts";
import { embedTuned, type Params as TunedParams } from "./tuned.ts";

interface Params extends TunedParams {
  backend: BackendParam;
}

export default defineStage<Params>({
  params: "embed",
  auto: autoOnCpu,
  inputs: { data: "vectors", model: "head" },
  outputs: { embeddings: "embeddings.arrow" },
  reusable: true,
  async run(context) {
    const { params, inputs, outputs, progress, note } = context;
    if (readHead(inputs.model).backbone) {
      context.endProcess();
      return embedTuned(context);
    }
    if (params.flip)
      throw new UserError(
        "embed: flip is for a backbone that trained, on images. Of frozen features, extract has the mirror image, too.",
      );
    const { backend } = await startNamed(params.backend, "embed");
    note("backend", backend);
    if (takesGpu(backend)) context.endProcess();
    const { model, head } = await loadHead(inputs.model);
    const kind = head.input.length === 1 ? "features" : "images";
    const examples = readExamples(inputs.data, kind, undefined, false);
    if (String(examples.shape) !== String(head.input))
      throw new UserError(
        `embed: the head takes ${head.input.join(" x ")} values, but an example here has ${examples.shape.join(" x ")}. Embed what it was trained on.`,
      );
    const rows = Uint32Array.from({ length: examples.rows }, (_, row) => row);
    const vector = await embedRows(model, head, examples, rows, (done) =>
      progress(done, examples.rows, "images"),
    );
    const { network, loss, selector, made = {} } = head;
    writeVectors(
      outputs.embeddings,
      { ...examples, vector, dim: head.dim },
      { classes: examples.classes, network, loss, selector, normalise: head.normalise, made },
    );
    model.dispose();
  },
});
