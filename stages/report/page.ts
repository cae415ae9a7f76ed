/** A report as one HTML file that needs nothing beside it. */
import type { Block, Cell, Document, FigureBlock, Table } from "./document.ts";
import { SCRIPT, STYLE } from "./style.ts";

const escaped = (words: string): string =>
  words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** A name for a heading, unique in its page. */
function anchors(): (words: string) => string {
  const taken = new Map<string, number>();
  return (words) => {
    const name = words
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-|-$/g, "");
    const times = taken.get(name) ?? 0;
    taken.set(name, times + 1);
    return times ? `${name}-${times + 1}` : name;
  };
}

function cellTag(tag: string, { text, sort, strong, code }: Cell, number: boolean | undefined): string {
  const names = [...(number ? ["number"] : []), ...(strong ? ["strong"] : [])];
  const attributes = [
    ...(names.length ? [` class="${names.join(" ")}"`] : []),
    ...(sort === undefined ? [] : [` data-sort="${Number(sort.toPrecision(6))}"`]),
    ...(tag === "th" ? [' scope="row"'] : []),
  ].join("");
  const words = code ? `<code>${escaped(text)}</code>` : escaped(text);
  return `<${tag}${attributes}>${words}</${tag}>`;
}

function table({ caption, columns, rows }: Table): string {
  const head = columns
    .map(
      ({ title, number }) =>
        `<th scope="col"${number ? ' class="number"' : ""}><button type="button">${escaped(title)}</button></th>`,
    )
    .join("");
  const body = rows.map(
    (row) =>
      `<tr>${row.map((cell, index) => cellTag(index === 0 ? "th" : "td", cell, columns[index].number)).join("")}</tr>`,
  );
  // A wide table scrolls; the keyboard must reach it.
  return `<div class="table" tabindex="0" role="region" aria-label="${escaped(caption.split(".")[0])}"><table><caption>${escaped(caption)}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join("\n")}
</tbody></table></div>`;
}

/**
 * The whole page: no request leaves it, as its content security policy says too.
 * @param picture the data URI of a figure
 */
export function toPage(document: Document, picture: (figure: FigureBlock) => string): string {
  const anchor = anchors();
  const contents: string[] = [];
  const block = (one: Block): string => {
    switch (one.kind) {
      case "heading": {
        const id = anchor(one.text);
        if (one.level === 2) contents.push(`<li><a href="#${id}">${escaped(one.text)}</a></li>`);
        return `<h${one.level} id="${id}">${escaped(one.text)}</h${one.level}>`;
      }
      case "text":
        return `<p>${escaped(one.text)}</p>`;
      case "list":
        return `<ul>\n${one.items.map((item) => `<li>${escaped(item)}</li>`).join("\n")}\n</ul>`;
      case "links":
        return `<ul>\n${one.links.map(({ text, to }) => `<li><a href="${escaped(to)}">${escaped(text)}</a></li>`).join("\n")}\n</ul>`;
      case "table":
        return table(one);
      case "figure":
        return `<figure><img src="${picture(one)}" alt="${escaped(one.alt)}"><figcaption>${escaped(one.caption)}</figcaption></figure>`;
    }
  };
  const main = document.blocks.map(block).join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>${escaped(document.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escaped(document.title)}</h1>
<p class="lead">${escaped(document.lead)}</p>
<nav aria-label="Contents"><ul>
${contents.join("\n")}
</ul></nav>
</header>
<main>
${main}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}
