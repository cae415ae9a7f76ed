/**
 * join: several tables of vectors as one. Those of the same images side by side, or their mean, which is as short as one
 * of them: so several scales, crops or backbones become one representation. Those of different images one after the
 * other: so shards become one data set.
 */
import { defineStage } from "../../runner/stage.ts";
import { openVectors } from "../shared/artifacts/vector-rows.ts";
import { append } from "./append.ts";
import { mean, sideBySide } from "./same.ts";
import type { Opened } from "./tables.ts";

const HOW = { append, concatenate: sideBySide, mean };

export default defineStage<{ how: keyof typeof HOW }>({
  params: "join",
  inputs: { vectors: { artifact: "vectors", many: true } },
  outputs: { vectors: "vectors.arrow" },
  // Reads and writes some rows at a time: of each table, one batch is in memory.
  async run({ params, sources, outputs, progress, signal, note }) {
    const tables: Opened[] = [];
    try {
      for (const { path, id } of sources.vectors) tables.push({ id, ...(await openVectors(path)) });
      const [first] = tables;
      const metadata = {
        ...first.metadata,
        classes: first.classes,
        how: params.how,
        joined: tables.map(({ metadata: { classes: _, ...own } }) => own),
      };
      const dim = await HOW[params.how](tables, outputs.vectors, metadata, (done) => {
        signal.throwIfAborted();
        progress(done, 0, "images");
      });
      note("dim", dim);
    } finally {
      for (const table of tables) await table.close();
    }
  },
});
