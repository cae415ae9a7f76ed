/** A report before it has a form: blocks, which markdown.ts and page.ts each write in their own way. */
import type { Answer } from "../answers/answer.ts";

/** A cell: text, or a number with how it is shown. `sort` orders a column where the text would not. */
export interface Cell {
  text: string;
  sort?: number;
  /** A command or an id. */
  code?: boolean;
  /** The best of its column. */
  strong?: boolean;
  /** On the page: the anchor of how it was made. */
  to?: string;
  /** On the page: a bar behind the number, from 0 to the largest of its column, with the interval. */
  bar?: { value: number; low?: number; high?: number; most: number };
  /** On the page: the label of the group whose colour is shown. */
  look?: string;
  /** A warning after the text, as "3 of 3 collapsed". */
  mark?: string;
}

export interface Table {
  kind: "table";
  caption: string;
  /** A minor column is left out where the page is narrow. */
  columns: { title: string; number?: boolean; minor?: boolean }[];
  rows: Cell[][];
  /** On the page: an anchor for each row; of equal ones the first row has it. */
  anchors?: string[];
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

/** A part of the page that its script fills. */
export interface PartBlock {
  kind: "part";
  name: "maps" | "queries" | "curves" | "race" | "seconds" | "confusion" | "codes" | "radii";
  /** The one of several: a protocol. */
  about?: string;
  /** Its replacement in Markdown, and where no script runs. */
  instead: Block[];
}

/** One of a list: words, on the page perhaps with the way to how they were found. */
export type Item = string | { text: string; to: string };

export type Block =
  | PartBlock
  | { kind: "answers"; answers: Answer[]; seconds: boolean }
  | { kind: "details"; summary: string; blocks: Block[] }
  | { kind: "drawing"; svg: string }
  | { kind: "page-only"; blocks: Block[] }
  | { kind: "markdown-only"; blocks: Block[] }
  | { kind: "heading"; level: 2 | 3; text: string }
  | { kind: "text"; text: string }
  | { kind: "list"; items: Item[] }
  | { kind: "links"; links: { text: string; to: string }[] }
  | Table
  | FigureBlock;

export interface Document {
  title: string;
  lead: string;
  blocks: Block[];
}

export const heading = (level: 2 | 3, text: string): Block => ({ kind: "heading", level, text });
/** A block that Markdown omits. */
export const pageOnly = (...blocks: Block[]): Block => ({ kind: "page-only", blocks });
/** A block that the page omits: it has a chart in its place. */
export const markdownOnly = (...blocks: Block[]): Block => ({ kind: "markdown-only", blocks });
/** A block that is folded until a reader opens it. */
export const details = (summary: string, ...blocks: Block[]): Block[] =>
  blocks.length ? [{ kind: "details", summary, blocks }] : [];
export const part = (name: PartBlock["name"], instead: Block[] = [], about?: string): Block => ({
  kind: "part",
  name,
  instead,
  about,
});
export const text = (words: string): Block => ({ kind: "text", text: words });
export const list = (items: Item[]): Block[] => (items.length ? [{ kind: "list", items }] : []);
export const cell = (words: string): Cell => ({ text: words });
export const figureCell = (value: number, digits: number): Cell => ({
  text: value.toFixed(digits),
  sort: value,
});

/** The anchor of how a group's numbers were made. */
export const madeAnchor = (label: string): string =>
  `made-${label.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
/** The anchor of one run, by its id. */
export const runAnchor = (id: string): string => `run-${id.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
/** A group's name in words, with its colour and the way to how its numbers were made. */
export const groupCell = (label: string, names: Map<string, string>): Cell => ({
  text: names.get(label) ?? label,
  to: madeAnchor(label),
  look: label,
});
