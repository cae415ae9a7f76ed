/** A report as Markdown. */
import type { Answer } from "../answers/answer.ts";
import type { Block, Cell, Document, Table } from "./document.ts";

/** Characters that would be taken for layout. */
const escaped = (words: string): string =>
  words
    .replaceAll("\\", "\\\\")
    .replaceAll("|", "\\|")
    .replaceAll("*", "\\*")
    .replaceAll("<", "&lt;")
    .replaceAll("[", "\\[");

function cellText({ text, strong, code, mark }: Cell): string {
  if (code) return `\`${text.replaceAll("|", "\\|")}\``;
  const words = mark ? `${escaped(text)} (${escaped(mark)})` : escaped(text);
  return strong ? `**${words}**` : words;
}

/** A question as a heading, its answer, and what `explain` takes. */
function answer({ question, lines, addresses }: Answer): string {
  const numbers = addresses.map((one) => `\`${one}\``).join(", ");
  return [`### ${escaped(question)}`, ...lines.map(escaped), `Numbers: ${numbers}`].join("\n\n");
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
    case "answers":
      return one.answers.map(answer);
    case "details":
      return [
        "<details>",
        `<summary>${escaped(one.summary)}</summary>`,
        ...one.blocks.flatMap(block),
        "</details>",
      ];
    case "markdown-only":
      return one.blocks.flatMap(block);
    case "drawing":
    case "page-only":
      return [];
    default:
      return [words(one)];
  }
}

type Worded = Exclude<
  Block,
  { kind: "part" | "answers" | "details" | "drawing" | "page-only" | "markdown-only" }
>;

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
