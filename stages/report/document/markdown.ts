/** A report as Markdown. */
import type { Block, Cell, Document, Table } from "./document.ts";

/** Characters that would be taken for layout. */
const escaped = (words: string): string =>
  words
    .replaceAll("\\", "\\\\")
    .replaceAll("|", "\\|")
    .replaceAll("*", "\\*")
    .replaceAll("<", "&lt;")
    .replaceAll("[", "\\[");

function cellText({ text, strong, code }: Cell): string {
  if (code) return `\`${text.replaceAll("|", "\\|")}\``;
  return strong ? `**${escaped(text)}**` : escaped(text);
}

function table({ caption, columns, rows }: Table): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [
    escaped(caption),
    "",
    line(columns.map(({ title }) => escaped(title))),
    line(columns.map(({ number }) => (number ? "---:" : "---"))),
    ...rows.map((row) => line(row.map(cellText))),
  ].join("\n");
}

function block(one: Block): string[] {
  switch (one.kind) {
    case "part":
      return one.instead.flatMap(block);
    case "cards":
    case "drawing":
    case "page-only":
      return [];
    default:
      return [words(one)];
  }
}

type Worded = Exclude<Block, { kind: "part" | "cards" | "drawing" | "page-only" }>;

function words(one: Worded): string {
  switch (one.kind) {
    case "heading":
      return `${"#".repeat(one.level)} ${escaped(one.text)}`;
    case "text":
      return escaped(one.text);
    case "list":
      return one.items.map((item) => `* ${escaped(typeof item === "string" ? item : item.text)}`).join("\n");
    case "links":
      return one.links.map(({ text, to }) => `* [${escaped(text)}](${to})`).join("\n");
    case "table":
      return table(one);
    case "figure":
      return `![${escaped(one.alt)}](${one.folder}${one.name}.png)\n\n${escaped(one.caption)}`;
  }
}

/** The whole report. */
export function toMarkdown({ title, lead, blocks }: Document): string {
  return `${[`# ${escaped(title)}`, escaped(lead), ...blocks.flatMap(block)].join("\n\n")}\n`;
}
