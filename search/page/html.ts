/** The HTML of the page: that of `deephash serve`, at home in any folder of any server. */
import { readFileSync } from "node:fs";
import { FILES } from "./format.ts";

/** Where the page of `deephash serve` is, from the folder of the package. */
const SOURCE = "search/serve/client/page.html";

/** Nothing but what lies in the folder; WebAssembly may be compiled. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** The text until the script runs; from a file, some browsers do not run it. */
const WAITING =
  'Loading… If this text stays, the page was opened as a file. Start a server in its folder, as <code>python3 -m http.server 8000</code>, and open <a href="http://localhost:8000">http://localhost:8000</a>.';

const REPLACED: [from: string, to: string][] = [
  [
    '<meta charset="utf-8">',
    `<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
  ],
  ['href="/page.css"', `href="${FILES.style}"`],
  ['href="/icon.svg"', `href="${FILES.icon}"`],
  ['src="/page.js"', `src="${FILES.script}"`],
  ['aria-live="polite"></div>', `aria-live="polite">${WAITING}</div>`],
];

/** @throws Error when the page of `deephash serve` has changed, and this file has not */
export function pageHtml(): string {
  return REPLACED.reduce(
    (html, [from, to]) => {
      if (html.split(from).length !== 2) throw new Error(`${SOURCE}: not exactly one ${from}`);
      return html.replace(from, () => to);
    },
    readFileSync(SOURCE, "utf8"),
  );
}
