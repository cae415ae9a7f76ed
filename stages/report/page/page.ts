/** A report as one HTML file that needs nothing beside it. */

import type { Block, Card, Cell, Document, FigureBlock, Item, Table } from "../document/document.ts";
import script from "./client/main.ts?browser";
import type { PageData } from "./data.ts";
import { STYLE } from "./style.ts";

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

function cellTag(tag: string, { text, sort, strong, code, to }: Cell, number: boolean | undefined): string {
  const names = [...(number ? ["number"] : []), ...(strong ? ["strong"] : [])];
  const attributes = [
    ...(names.length ? [` class="${names.join(" ")}"`] : []),
    ...(sort === undefined ? [] : [` data-sort="${Number(sort.toPrecision(6))}"`]),
    ...(tag === "th" ? [' scope="row"'] : []),
  ].join("");
  const plain = code ? `<code>${escaped(text)}</code>` : escaped(text);
  const words = to ? `<a href="#${to}">${plain}</a>` : plain;
  return `<${tag}${attributes}>${words}</${tag}>`;
}

function table({ caption, columns, rows, anchors: named = [] }: Table): string {
  const head = columns
    .map(
      ({ title, number }) =>
        `<th scope="col"${number ? ' class="number"' : ""}><button type="button">${escaped(title)}</button></th>`,
    )
    .join("");
  const body = rows.map(
    (row, at) =>
      `<tr${named[at] && named.indexOf(named[at]) === at ? ` id="${named[at]}"` : ""}>${row.map((cell, index) => cellTag(index === 0 ? "th" : "td", cell, columns[index].number)).join("")}</tr>`,
  );
  // A wide table scrolls; the keyboard must reach it.
  return `<div class="table" tabindex="0" role="region" aria-label="${escaped(caption.split(".")[0])}"><table><caption>${escaped(caption)}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join("\n")}
</tbody></table></div>`;
}

function item(one: Item): string {
  if (typeof one === "string") return escaped(one);
  return `${escaped(one.text)} <a href="#${one.to}">How it was made</a>`;
}

function card({ title, value, notes, to }: Card): string {
  const number = to ? `<a href="#${to}">${escaped(value)}</a>` : escaped(value);
  return `<div class="card"><dt>${escaped(title)}</dt><dd><b>${number}</b>${notes.map((note) => `<span>${escaped(note)}</span>`).join("")}</dd></div>`;
}

/** JSON inside a script element: nothing in it may end the element. */
const inScript = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");

/**
 * The whole page: no request leaves it, as its content security policy says too. Vega turns its expressions into
 * functions, which the policy must allow; they are in the page.
 * @param picture the data URI of a figure
 * @param base the way from the page to the files beside the report
 */
export function toPage(
  document: Document,
  picture: (figure: FigureBlock) => string,
  data: PageData,
  base = "",
): string {
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
        return `<ul>\n${one.items.map((one) => `<li>${item(one)}</li>`).join("\n")}\n</ul>`;
      case "links":
        return `<ul>\n${one.links.map(({ text, to }) => `<li><a href="${base}${escaped(to)}">${escaped(text)}</a></li>`).join("\n")}\n</ul>`;
      case "table":
        return table(one);
      case "part":
        return `<div data-part="${one.name}"${one.about ? ` data-about="${escaped(one.about)}"` : ""}></div><noscript>${one.instead.map(block).join("\n")}</noscript>`;
      case "cards":
        return `<dl class="cards">${one.cards.map(card).join("")}</dl>`;
      case "drawing":
        return one.svg;
      case "page-only":
        return one.blocks.map(block).join("\n");
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
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'">
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
<footer><p>Charts are drawn by Vega, which is in this page (BSD 3-clause licence, University of Washington Interactive Data Lab).</p></footer>
<script type="application/json" id="data">${inScript(data)}</script>
<script>${script.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--")}</script>
</body>
</html>
`;
}
