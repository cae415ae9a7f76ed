/** How the page looks, and the few lines that sort its tables. Light, dark, and on paper. */

export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --back: #ffffff; --stripe: #f6f8fa; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9aa4af; --line: #3a424c; --back: #0f1419; --stripe: #171d24; --link: #79b8ff; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header, footer { max-width: 84rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 { font-size: 1.4rem; margin: 2.75rem 0 .75rem; padding-top: .5rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
p, li { max-width: 60rem; }
.lead { font-size: 1.1rem; }
a { color: var(--link); }
nav ul { columns: 18rem; padding-left: 1.2rem; margin: .5rem 0; }
.table { overflow-x: auto; margin: 1rem 0 1.5rem; }
.table:focus-visible { outline: 2px solid var(--link); }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; max-width: 60rem; }
th, td { padding: .35rem .55rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; font-weight: normal; }
thead th { vertical-align: bottom; border-bottom: 2px solid var(--line); }
thead button { all: unset; cursor: pointer; font-weight: 600; }
thead button:focus-visible { outline: 2px solid var(--link); }
thead th[aria-sort=ascending] button::after { content: " \\2191"; }
thead th[aria-sort=descending] button::after { content: " \\2193"; }
tbody tr:nth-child(even) { background: var(--stripe); }
tbody th { position: sticky; left: 0; background: var(--back); }
tbody tr:nth-child(even) th { background: var(--stripe); }
.number { text-align: right; }
.strong { font-weight: 700; }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85em; }
figure { margin: 1.25rem 0 1.75rem; }
figure img { display: block; max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line); border-radius: 6px; }
figcaption { color: var(--soft); font-size: .9rem; max-width: 60rem; margin-top: .5rem; }
footer { color: var(--soft); padding-top: 2rem; padding-bottom: 3rem; }
@media print {
  :root { --ink: #000; --soft: #333; --line: #bbb; --back: #fff; --stripe: #fff; --link: #000; }
  body { font-size: 10pt; }
  nav { display: none; }
  .table { overflow: visible; }
  table { font-size: 7pt; }
  th, td { padding: .15rem .35rem; white-space: normal; }
  thead button::after { content: "" !important; }
  figure, tr { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
}
`;

/** Sorts a table by the column whose title is clicked; numbers by their value, the rest by its words. */
export const SCRIPT = `
for (const button of document.querySelectorAll("thead button"))
  button.addEventListener("click", () => {
    const th = button.closest("th"), table = th.closest("table"), body = table.tBodies[0];
    const column = [...th.parentNode.children].indexOf(th);
    const down = th.getAttribute("aria-sort") !== "descending" && (th.className === "number" || th.getAttribute("aria-sort") === "ascending");
    for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
    th.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)], [m, n] = [Number(x), Number(y)];
      const order = isNaN(m) || isNaN(n) ? x.localeCompare(y) : m === n ? 0 : m < n ? -1 : 1;
      return down ? -order : order;
    };
    body.append(...[...body.rows].sort(compare));
  });
`;
