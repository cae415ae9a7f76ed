/** split: who trains, validates, queries, and is searched, drawn once for all that follows. */
import { writeFileSync } from "node:fs";
import { defineStage, UserError } from "../../runner/stage.ts";
import { retrievesItself, writeSplit } from "../shared/artifacts/split.ts";
import { random } from "../shared/compute/random.ts";
import { findDuplicates, fingerprints, LEAST_CORRELATION, MOST_BITS } from "./duplicates.ts";
import type { Protocol } from "./protocol.ts";
import { readShards } from "./shards.ts";

interface Params {
  validation: number;
  seed: number;
  duplicates: "report" | "leave-out";
}

/** Images that are read at once. */
const PIECE = 1000;

/** Digits of a correlation. */
const rounded = (value: number) => Math.round(value * 1e4) / 1e4;

export default defineStage<Params>({
  params: "split",
  parts: { protocol: "protocols" },
  refuses: [
    {
      where: "protocol",
      when: { "upstream.dataset.searched": [true], "protocol.searched": [null] },
      message:
        'the data set "${upstream.dataset}" publishes which images are searched, and the protocol "${protocol}" would train on them. Take protocol: lists.',
    },
    {
      where: "protocol",
      when: { "upstream.dataset.params.several": [true], "protocol.several": [null] },
      message:
        'images of the data set "${upstream.dataset}" may have several labels each, but the protocol "${protocol}" divides images by class. Take protocol: lists, or official, which draw from all of them; or, where each image has one label, declare several: false of the data set.',
    },
  ],
  inputs: { images: { artifact: "images", many: true } }, // the shards of a data set, in order
  outputs: { split: "split.arrow", duplicates: "duplicates.json" },
  async run({ params, parts, sources, outputs, note, warn, log }) {
    const { images, published, categories, pixels } = await readShards(sources.images);
    const { name, part, params: own } = parts.protocol;
    const { ids, labels, sets, classes } = images;
    if (images.sets && !(part as Protocol).several)
      throw new UserError(
        `split: images of ${images.dataset} have several labels each, but the protocol ${name} divides images by class. Take protocol: lists, which draws from all of them, or official.`,
      );
    if (published.searched && !(part as Protocol).searched)
      throw new UserError(
        `split: the data set ${images.dataset} publishes which images are searched, and the protocol ${name} would train on them. Take protocol: lists.`,
      );
    const draw = random(params.seed, "split");
    const roles = (part as Protocol).draw({ ...images, ...published }, params.validation, draw, own, warn);

    const rows = [...ids.keys()];
    const searched = retrievesItself(name) ? new Uint8Array(ids.length) : roles.database;
    const known = rows.filter((row) => roles.train[row] || roles.validation[row] || searched[row]);
    const asked = rows.filter((row) => roles.query[row]);
    const prints = await fingerprints(ids.length, images, pixels(PIECE));
    const found = findDuplicates(prints, asked, known);
    const leftOut = params.duplicates === "leave-out";
    if (leftOut) for (const { query } of found) roles.query[query] = 0;
    const counts = {
      exact: found.filter(({ kind }) => kind === "exact").length,
      near: found.filter(({ kind }) => kind === "near").length,
    };
    const told = `${counts.exact} of ${asked.length} queries have the same pixels as an image that trains, validates or is searched, ${counts.near} nearly the same`;
    if (found.length === 0) log(`${told}.`);
    else
      warn(
        leftOut
          ? `${told}: they are left out.`
          : `${told}: duplicates.json names them; split.duplicates: leave-out asks none of them.`,
      );
    writeFileSync(
      outputs.duplicates,
      `${JSON.stringify(
        {
          queries: asked.length,
          ...counts,
          left_out: leftOut,
          near_means: { hash_bits_apart: MOST_BITS, correlation_above: LEAST_CORRELATION },
          duplicates: found.map(({ query, other, kind, correlation }) => ({
            query: ids[query],
            of: ids[other],
            kind,
            correlation: rounded(correlation),
          })),
        },
        null,
        2,
      )}\n`,
    );

    writeSplit(
      outputs.split,
      { ids, labels, sets, ...roles, protocol: name, seed: params.seed },
      { classes, ...categories },
    );
    for (const [role, flags] of Object.entries(roles))
      note(
        role,
        flags.reduce((sum: number, flag: number) => sum + flag, 0),
      );
  },
});
