/** A figure before it is drawn. */
export interface Figure {
  /** Name of its files, without their ending. */
  name: string;
  title: string;
  /** A sentence or two on its content and how to read it; the report prints it below. */
  caption: string;
  /** A text for people who cannot see it. */
  alt: string;
  /** A Vega-Lite spec with its data in it. */
  spec: Spec;
}

/** JSON that Vega-Lite reads; it rejects unknown properties itself. */
export type Spec = Record<string, unknown>;
