/** The published numbers of binary codes on CIFAR-10: published.json, typed. */
import published from "./published.json" with { type: "json" };

/** mAP of a method as its paper has it, under one protocol. */
export interface Published {
  method: string;
  backbone: string;
  source: string;
  /** By the bits of a code. */
  map: Record<string, number>;
  /** The lengths whose number was compared with the source. */
  checked: number[];
}

/** The published methods of a protocol; none where papers do not use it. */
export const publishedUnder = (protocol: string): Published[] =>
  ((published as Record<string, unknown>)[protocol] ?? []) as Published[];
