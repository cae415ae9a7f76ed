import { join } from "node:path";
import { Field, FixedSizeList, Float32, Uint16, Uint32 } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { bytesColumn, readTable, writeTable } from "../../../../stages/shared/artifacts/arrow.ts";
import { readCodes, writeCodes } from "../../../../stages/shared/artifacts/codes.ts";
import { readExamples } from "../../../../stages/shared/artifacts/examples.ts";
import {
  expandSets,
  packSets,
  sharedLabels,
  takeSets,
} from "../../../../stages/shared/artifacts/label-sets.ts";
import { readSplit } from "../../../../stages/shared/artifacts/split.ts";
import { readVectors, writeVectors } from "../../../../stages/shared/artifacts/vectors.ts";
import { columnsOf, severalImages, writeSeveral, writeSeveralSplit } from "../../several.ts";
import { scratch } from "../scratch.ts";

const folder = scratch();
const several = severalImages(40);

/** Writes one vector with the given label and bytes of its set. */
function written(label: number, bytes: number[], classes = 5): string {
  const path = join(folder, "one.arrow");
  writeTable(
    path,
    "vectors",
    {
      id: new Uint32(),
      label: new Uint16(),
      labels: bytesColumn(bytes.length),
      vector: new FixedSizeList(1, new Field("value", new Float32(), false)),
    },
    1,
    {
      id: Uint32Array.of(7),
      label: Uint16Array.of(label),
      labels: Uint8Array.from(bytes),
      vector: new Float32Array(1),
    },
    { classes: Array.from({ length: classes }, (_, i) => `class ${i}`) },
  );
  return path;
}

describe("sets of labels", () => {
  it("are packed, expanded, taken and compared", () => {
    const sets = packSets([[0, 9], [9], [1, 2]], 10);
    expect([...sets]).toEqual([1, 2, 0, 2, 6, 0]);
    expect([...expandSets(sets, [2, 0], 10)]).toEqual([
      0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    ]);
    expect([...takeSets(sets, [2, 1], 10)]).toEqual([6, 0, 0, 2]);
    expect([
      sharedLabels(sets, 0, sets, 0, 2),
      sharedLabels(sets, 0, sets, 1, 2),
      sharedLabels(sets, 0, sets, 2, 2),
    ]).toEqual([2, 1, 0]);
  });

  it("pass through vectors, examples, splits and codes", () => {
    const { sets, ids, labels } = columnsOf(several);
    const vectors = join(folder, "vectors.arrow");
    writeSeveral(vectors, several);
    expect(readVectors(vectors).sets).toEqual(sets);
    expect(readExamples(vectors, "features").sets).toEqual(sets);
    const split = join(folder, "split.arrow");
    writeSeveralSplit(split, several);
    expect(readSplit(split).sets).toEqual(sets);
    const codes = join(folder, "codes.arrow");
    const values = new Uint8Array(40);
    writeCodes(codes, { ids, labels, sets, values, rows: 40, bits: 8, classes: several.classes });
    expect(readCodes(codes).sets).toEqual(sets);
  });

  it("say no more than labels where each image has one: they are not read, and not written unless given", () => {
    const lists = [[0], [2], [1]];
    const columns = columnsOf({ lists, classes: several.classes });
    const path = join(folder, "one-hot.arrow");
    const one = { ...columns, vector: new Float32Array(3), dim: 1 };
    writeVectors(path, one, { classes: several.classes });
    expect(readVectors(path).sets).toBeUndefined();
    writeVectors(path, { ...one, sets: undefined }, { classes: several.classes });
    expect(readTable(path, "vectors").getChild("labels")).toBeNull();
  });

  it("refuses an image without a label, a label that is no class, a wrong lowest label, and another width", () => {
    expect(() => readVectors(written(0, [0]))).toThrow(
      /image 7 has no label\. Give every image at least one/,
    );
    expect(() => readVectors(written(0, [0b100001]))).toThrow(
      /image 7 has label 5, but there are 5 classes \(0 to 4\)/,
    );
    expect(() => readVectors(written(1, [0b101]))).toThrow(
      /image 7 has label 1, but the lowest of its labels is 0/,
    );
    expect(() => readVectors(written(0, [1, 0]))).toThrow(
      /a set of labels of 5 classes takes 1 bytes, but a row has 2/,
    );
  });
});
