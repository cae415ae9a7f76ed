/** A report before it has a form: blocks, which markdown.ts and page.ts each write in their own way. */

/** A cell: text, or a number with how it is shown. `sort` orders a column where the text would not. */
export interface Cell {
  text: string;
  sort?: number;
  /** A command or an id. */
  code?: boolean;
  /** The best of its column. */
  strong?: boolean;
}

export interface Table {
  kind: "table";
  caption: string;
  columns: { title: string; number?: boolean }[];
  rows: Cell[][];
}

/** A drawn figure, by the name of its files. */
export interface FigureBlock {
  kind: "figure";
  /** Folder of its files, from the report. */
  folder: string;
  name: string;
  title: string;
  caption: string;
  alt: string;
}

export type Block =
  | { kind: "heading"; level: 2 | 3; text: string }
  | { kind: "text"; text: string }
  | { kind: "list"; items: string[] }
  | { kind: "links"; links: { text: string; to: string }[] }
  | Table
  | FigureBlock;

export interface Document {
  title: string;
  lead: string;
  blocks: Block[];
}

export const heading = (level: 2 | 3, text: string): Block => ({ kind: "heading", level, text });
export const text = (words: string): Block => ({ kind: "text", text: words });
export const list = (items: string[]): Block[] => (items.length ? [{ kind: "list", items }] : []);
export const cell = (words: string): Cell => ({ text: words });
export const figureCell = (value: number, digits: number): Cell => ({
  text: value.toFixed(digits),
  sort: value,
});
