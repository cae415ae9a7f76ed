/** A report's blocks as HTML. */
import type { Answer, Bar } from "../answers/answer.ts";
import type { Block, Cell, FigureBlock, Item, PartBlock, Table } from "../document/document.ts";
import type { PageData } from "./data.ts";

export const escaped = (words: string): string =>
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

/** The parts of a page that its blocks use. */
export interface Surroundings {
  groups: PageData["groups"];
  /** The data URI of a figure. */
  picture: (figure: FigureBlock) => string;
  /** The way from the page to the files beside the report. */
  base: string;
}

/** Headings of the first level, for the contents. */
export interface Contents {
  id: string;
  words: string;
}

const badge = (mark: string | undefined): string => (mark ? ` <em class="badge">${escaped(mark)}</em>` : "");
const percent = (share: number): string => `${Number((100 * share).toFixed(2))}%`;

/** A bar from 0 with its interval, as two spans inside a track. */
function track(
  { value, low, high }: { value: number; low?: number; high?: number },
  most: number,
  look: string,
): string {
  const of = (one: number) => Math.min(1, Math.max(0, one / (most || 1)));
  const whisker =
    low === undefined || high === undefined
      ? ""
      : `<i class="whisker" style="left:${percent(of(low))};width:${percent(of(high) - of(low))}"></i>`;
  return `<span class="track" aria-hidden="true"><i class="fill ${look}" style="width:${percent(of(value))}"></i>${whisker}</span>`;
}

/** The classes that give a group its colour. */
type LookOf = (label: string | undefined) => string;

function cellTag(
  tag: string,
  cell: Cell,
  { number, minor }: Table["columns"][number],
  lookOf: LookOf,
): string {
  const { text, sort, strong, code, to, bar, look, mark } = cell;
  const names = [
    ...(number ? ["number"] : []),
    ...(strong ? ["strong"] : []),
    ...(minor ? ["minor"] : []),
    ...(bar ? ["bar"] : []),
  ];
  const attributes = [
    ...(names.length ? [` class="${names.join(" ")}"`] : []),
    ...(sort === undefined ? [] : [` data-sort="${Number(sort.toPrecision(6))}"`]),
    ...(tag === "th" ? [' scope="row"'] : []),
  ].join("");
  const swatch = look === undefined ? "" : `<i class="key ${lookOf(look)}" aria-hidden="true"></i>`;
  const plain = code ? `<code>${escaped(text)}</code>` : escaped(text);
  const words = to ? `<a href="#${to}">${plain}</a>` : plain;
  return `<${tag}${attributes}>${bar ? track(bar, bar.most, "soft") : ""}${swatch}${words}${badge(mark)}</${tag}>`;
}

function tableTag({ caption, columns, rows, anchors: named = [] }: Table, lookOf: LookOf): string {
  const head = columns
    .map(({ title, number, minor }) => {
      const names = [...(number ? ["number"] : []), ...(minor ? ["minor"] : [])];
      return `<th scope="col"${names.length ? ` class="${names.join(" ")}"` : ""}><button type="button">${escaped(title)}</button></th>`;
    })
    .join("");
  const body = rows.map(
    (row, at) =>
      `<tr${named[at] && named.indexOf(named[at]) === at ? ` id="${named[at]}"` : ""}>${row.map((cell, index) => cellTag(index === 0 ? "th" : "td", cell, columns[index], lookOf)).join("")}</tr>`,
  );
  // A wide table scrolls; the keyboard must reach it.
  return `<div class="table" tabindex="0" role="region" aria-label="${escaped(caption.split(/[.;]/)[0])}"><table><caption>${escaped(caption)}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join("\n")}
</tbody></table></div>`;
}

function item(one: Item): string {
  if (typeof one === "string") return escaped(one);
  return `${escaped(one.text)} <a href="#${one.to}">How it was made</a>`;
}

function bars({ measure, bars: rows, question }: Answer, lookOf: LookOf): string {
  const most = Math.max(...rows.map(({ value, high }) => Math.max(value, high ?? 0)));
  const row = (one: Bar) =>
    `<li><span class="name">${escaped(one.name)}${badge(one.mark)}</span>${track(one, most, lookOf(one.label))}<span class="value">${one.value.toFixed(3)}</span></li>`;
  return `<ul class="bars" aria-label="${escaped(`${measure}: ${question}`)}">${rows.map(row).join("")}</ul>`;
}

function answerTag(one: Answer, seconds: boolean, base: string, lookOf: LookOf): string {
  const numbers = one.addresses.map((address) => `<code>${escaped(address)}</code>`).join(" ");
  const measured =
    seconds && one.id === "mining"
      ? `<p data-seconds>In seconds: see <a href="${base}timings.html">the measured time</a>.</p>`
      : seconds && one.id === "steps"
        ? `<p>In seconds: see <a href="${base}timings.html">the measured time</a> of each step.</p>`
        : "";
  return `<article class="answer" id="answer-${one.id}"><h3>${escaped(one.question)}</h3>
${one.lines.map((line) => `<p>${escaped(line)}</p>`).join("\n")}
${measured}${bars(one, lookOf)}
<p class="address">explain ${numbers}</p></article>`;
}

/** Makes the HTML of a page's blocks; the headings are collected on the way. */
export function blockWriter({ groups, picture, base }: Surroundings): {
  write: (block: Block) => string;
  contents: Contents[];
} {
  const anchor = anchors();
  const contents: Contents[] = [];
  const lookOf: LookOf = (label) => {
    const look = label === undefined ? undefined : groups[label];
    return look && look.colour >= 0 ? `m${look.colour}${look.round ? " again" : ""}` : "grey";
  };

  function partTag({ name, about, instead }: PartBlock): string {
    const files = instead.flatMap((one) => (one.kind === "figure" ? [one] : []));
    const links = files.map(
      ({ folder, name: file, title }) => `<a href="${base}${folder}${file}.svg">${escaped(title)}</a>`,
    );
    const others = instead.filter(({ kind }) => kind !== "figure").map(write);
    return `<div data-part="${name}"${about ? ` data-about="${escaped(about)}"` : ""}></div><noscript>${links.length ? `<p>${links.join(", ")}</p>` : ""}${others.join("\n")}</noscript>`;
  }

  function write(one: Block): string {
    switch (one.kind) {
      case "heading": {
        const id = anchor(one.text);
        if (one.level === 2) contents.push({ id, words: one.text });
        return `<h${one.level} id="${id}">${escaped(one.text)}</h${one.level}>`;
      }
      case "text":
        return `<p>${escaped(one.text)}</p>`;
      case "list":
        return `<ul>\n${one.items.map((one) => `<li>${item(one)}</li>`).join("\n")}\n</ul>`;
      case "links":
        return `<ul>\n${one.links.map(({ text, to }) => `<li><a href="${base}${escaped(to)}">${escaped(text)}</a></li>`).join("\n")}\n</ul>`;
      case "table":
        return tableTag(one, lookOf);
      case "part":
        return partTag(one);
      case "answers":
        return `<div class="answers-of-study">${one.answers.map((each) => answerTag(each, one.seconds, base, lookOf)).join("\n")}</div>`;
      case "details":
        return `<details><summary>${escaped(one.summary)}</summary>\n${one.blocks.map(write).join("\n")}\n</details>`;
      case "drawing":
        return `<div class="drawing" tabindex="0" role="region" aria-label="Drawing">${one.svg}</div>`;
      case "page-only":
        return one.blocks.map(write).join("\n");
      case "markdown-only":
        return "";
      case "figure":
        return `<figure><div class="drawing" tabindex="0" role="region" aria-label="${escaped(one.title)}"><img src="${picture(one)}" alt="${escaped(one.alt)}"></div><figcaption>${escaped(one.caption)}</figcaption></figure>`;
    }
  }
  return { write, contents };
}
