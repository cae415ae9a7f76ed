/** A report as one HTML file that needs nothing beside it. */
import type { Document, FigureBlock } from "../document/document.ts";
import { blockWriter, escaped } from "./blocks.ts";
import script from "./client/main.ts?browser";
import type { PageData } from "./data.ts";
import { STYLE } from "./style.ts";

/** JSON inside a script element: nothing in it may end the element. */
const inScript = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");

/** The files beside a page. */
export interface Beside {
  /** The way from the page to the files beside the report. */
  base: string;
  /** The script of measured seconds, from the report's folder. */
  seconds?: string;
}

/**
 * The whole page. No request leaves it but for the seconds beside it, as its content security policy says too. Vega turns
 * its expressions into functions, which the policy must allow; they are in the page.
 * @param picture the data URI of a figure
 */
export function toPage(
  document: Document,
  picture: (figure: FigureBlock) => string,
  data: PageData,
  { base, seconds }: Beside = { base: "" },
): string {
  const { write, contents } = blockWriter({ groups: data.groups, picture, base });
  const main = document.blocks.map(write).join("\n");
  const sources = `'unsafe-inline' 'unsafe-eval'${seconds ? " 'self' file:" : ""}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src ${sources}">
<link rel="icon" href="data:,">
<title>${escaped(document.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escaped(document.title)}</h1>
<p class="lead">${escaped(document.lead)}</p>
</header>
<nav aria-label="Contents"><ul>
${contents.map(({ id, words }) => `<li><a href="#${id}">${escaped(words)}</a></li>`).join("\n")}
</ul></nav>
<main>
${main}
</main>
<footer><p>Charts are drawn by Vega, which is in this page (BSD 3-clause licence, University of Washington Interactive Data Lab).</p></footer>
<script type="application/json" id="data">${inScript(data)}</script>
${seconds ? `<script src="${base}${seconds}"></script>\n` : ""}<script>${script.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--")}</script>
</body>
</html>
`;
}
