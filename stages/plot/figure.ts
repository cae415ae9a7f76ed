/** What a figure is before it is drawn. */
export interface Figure {
  /** Name of its files, without their ending. */
  name: string;
  title: string;
  /** What it shows and how to read it, in a sentence or two: stands below it in the report. */
  caption: string;
  /** What one who cannot see it should know. */
  alt: string;
  /** A Vega-Lite spec with its data in it. */
  spec: Spec;
}

/** JSON that Vega-Lite reads; it complains itself about what it does not know. */
export type Spec = Record<string, unknown>;
