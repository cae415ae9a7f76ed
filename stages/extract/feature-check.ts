/** Refuses features that no working network gives: not finite, or the same (all 0, say) for every image. */
import { UserError } from "../../runner/stage.ts";
import type { Device } from "../shared/inference/session.ts";

/** The largest number that float16 holds. */
const LARGEST_HALF = 65_504;

/** Images that went through the network together. */
export interface Batch {
  count: number;
  /** `[count, …]` bytes */
  pixels: Uint8Array;
  /** `[count, dim]` */
  features: Float32Array;
}

/** The values of one image. */
function rowOf<T extends Uint8Array | Float32Array>(values: T, count: number, row: number): T {
  const dim = values.length / count;
  return values.subarray(row * dim, (row + 1) * dim) as T;
}
const equal = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
};

/** A place in a batch. */
type Row = [batch: Batch, row: number];

/** Checks features batch by batch, in the order of the images. */
export class FeatureCheck {
  private readonly name: string;
  private readonly device: Device;
  private readonly ids: Uint32Array;
  private before?: Batch;
  /** The first image whose features are all 0. */
  private zero?: { id: number; pixels: Uint8Array };
  private done = 0;

  /** @param name of the backbone; @param ids of all images */
  constructor(name: string, device: Device, ids: Uint32Array) {
    this.name = name;
    this.device = device;
    this.ids = ids;
  }

  /**
   * Checks the next batch. Pixels must not change afterwards: later images are held against them.
   * @throws UserError that names an image
   */
  add(batch: Batch): void {
    const { count, features } = batch;
    const dim = features.length / count;
    for (let i = 0; i < features.length; i++)
      if (!(Math.abs(features[i]) <= LARGEST_HALF))
        throw this.refusal(
          `image ${this.ids[this.done + Math.floor(i / dim)]} has the feature ${features[i]}, which is not finite or too large`,
        );
    for (let row = 0; row < count; row++)
      if (rowOf(features, count, row).every((value) => value === 0))
        this.refuseZero(this.ids[this.done + row], rowOf(batch.pixels, count, row), dim);
    this.refuseSame(batch);
    this.before = batch;
    this.done += count;
  }

  /** One image alone, a black one, may well leave a small network silent. */
  private refuseZero(id: number, pixels: Uint8Array, dim: number): void {
    this.zero ??= { id, pixels };
    if (!equal(this.zero.pixels, pixels))
      throw this.refusal(`images ${this.zero.id} and ${id} differ, but all ${dim} features of both are 0`);
  }

  private refuseSame(batch: Batch): void {
    const { before, done } = this;
    const rows = Array.from({ length: batch.count }, (_, row) => row);
    const last: Row | undefined = before && [before, before.count - 1];
    const inTurn = rows.flatMap((row): [Row, Row][] =>
      row > 0
        ? [
            [
              [batch, row - 1],
              [batch, row],
            ],
          ]
        : last && batch.count === 1
          ? [[last, [batch, 0]]]
          : [],
    );
    const inPlace =
      before && before.count >= batch.count
        ? rows.map((row): [Row, Row] => [
            [before, row],
            [batch, row],
          ])
        : [];
    for (const pairs of [inTurn, inPlace]) {
      if (!pairs.length || !pairs.every(([a, b]) => this.sameFeatures(a, b))) continue;
      const other = pairs.find(
        ([[one, i], [two, j]]) => !equal(rowOf(one.pixels, one.count, i), rowOf(two.pixels, two.count, j)),
      );
      if (!other) continue; // the images are the same, too
      const [a, b] = other.map(([of, row]) => this.ids[(of === batch ? done : done - of.count) + row]);
      throw this.refusal(
        `images ${a} and ${b} differ, but they and those beside them have the same features`,
      );
    }
  }

  private sameFeatures([one, i]: Row, [two, j]: Row): boolean {
    return equal(rowOf(one.features, one.count, i), rowOf(two.features, two.count, j));
  }

  private refusal(what: string): UserError {
    const { name, device } = this;
    return device === "cpu"
      ? new UserError(`extract: ${what}. Is ${name} the right network for this file?`)
      : new UserError(
          `extract: ${what} (on ${device}). Its driver may compute wrong numbers: take device: cpu. If they stay, is ${name} the right network for this file?`,
        );
  }
}
