/** The style of the page: light, dark, narrow, and on paper. */
import { METHODS, METHODS_ON_BLACK } from "../../shared/runs/colours.ts";

const variables = (colours: string[]) => colours.map((colour, at) => `--m${at}: ${colour};`).join(" ");

export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --back: #ffffff; --stripe: #f6f8fa; --link: #0b5cad; --bad: #b3261e; --grey: #767676; ${variables(METHODS)} }
@media (prefers-color-scheme: dark) {
  :root { --grey: #9aa0a6; ${variables(METHODS_ON_BLACK)} --ink: #e6edf3; --soft: #9aa4af; --line: #3a424c; --back: #0f1419; --stripe: #171d24; --link: #79b8ff; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
html { scroll-padding-top: 3.5rem; }
main, header, footer, nav ul { max-width: 84rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.25rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 { font-size: 1.4rem; margin: 2.25rem 0 .6rem; padding-top: .5rem; border-top: 1px solid var(--line); }
main > h2:first-child { margin-top: .25rem; border-top: 0; }
h3 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
h4 { font-size: 1rem; margin: 1rem 0 .1rem; }
p, li { max-width: 60rem; }
.lead { font-size: 1.1rem; }
a { color: var(--link); }
nav { position: sticky; top: 0; z-index: 4; background: var(--back); border-bottom: 1px solid var(--line); }
nav ul { display: flex; gap: .25rem 1.25rem; overflow-x: auto; list-style: none; white-space: nowrap; margin: 0 auto; padding-top: .5rem; padding-bottom: .5rem; font-size: .95rem; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
.answers-of-study { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(32rem, 100%), 1fr)); gap: 1rem; }
.answer { border: 1px solid var(--line); border-radius: 8px; padding: .25rem 1rem .75rem; min-width: 0; display: flex; flex-direction: column; }
.answer h3 { margin: .5rem 0 .25rem; font-size: 1.15rem; }
.answer p { margin: .2rem 0; font-size: .95rem; line-height: 1.45; }
.answer .address code { font-size: 1em; }
.answer .address { margin-top: auto; font-size: .75rem; color: var(--soft); overflow-wrap: anywhere; }
.bars { list-style: none; padding: 0; margin: .5rem 0; font-size: .875rem; font-variant-numeric: tabular-nums; }
.bars li { display: grid; grid-template-columns: minmax(6rem, 14rem) 1fr 3.2rem; gap: .6rem; align-items: center; max-width: none; padding: .08rem 0; }
.bars .value { text-align: right; }
.track { position: relative; display: block; height: .8rem; background: var(--stripe); border-radius: 2px; }
.fill { position: absolute; inset: 0 auto 0 0; border-radius: 2px; background: var(--grey); }
.fill.soft { background: color-mix(in srgb, var(--link) 45%, transparent); }
.whisker { position: absolute; top: 50%; height: 0; min-width: 3px; border-top: 2px solid var(--ink); transform: translateY(-50%); }
${METHODS.map((_, at) => `.m${at} { background: var(--m${at}); }`).join(" ")}
.again { background-image: repeating-linear-gradient(45deg, transparent 0 2px, var(--back) 2px 4px); }
.key { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px; margin-right: .4rem; background-color: var(--grey); }
${METHODS.map((_, at) => `.key.m${at} { background-color: var(--m${at}); }`).join(" ")}
.badge { font-style: normal; font-size: .75rem; color: var(--bad); border: 1px solid var(--bad); border-radius: 4px; padding: 0 .3rem; white-space: nowrap; }
details { border-top: 1px solid var(--line); padding: .25rem 0; }
details + details { margin-top: 0; }
summary { cursor: pointer; padding: .3rem 0; color: var(--link); }
summary:focus-visible { outline: 2px solid var(--link); }
.drawing { overflow-x: auto; }
.more + .scrolls, .scrolls { display: none; }
.more + .scrolls { display: block; font-size: .8rem; color: var(--soft); margin: -1rem 0 1rem; }
td.bar .track { display: inline-block; vertical-align: middle; width: 9rem; margin-right: .6rem; }
.table { overflow-x: auto; margin: 1rem 0 1.5rem; }
.table:focus-visible { outline: 2px solid var(--link); }
table { min-width: min(44rem, 100%); border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; max-width: 60rem; }
th, td { padding: .35rem .55rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; font-weight: normal; }
thead th { vertical-align: bottom; border-bottom: 2px solid var(--line); }
thead button { all: unset; cursor: pointer; font-weight: 600; }
thead button:focus-visible { outline: 2px solid var(--link); }
thead th[aria-sort=ascending] button::after { content: " \\2191"; }
thead th[aria-sort=descending] button::after { content: " \\2193"; }
tbody tr:nth-child(even) { background: var(--stripe); }
tbody th { position: sticky; left: 0; background: var(--back); white-space: normal; min-width: 9rem; max-width: 26rem; overflow-wrap: anywhere; }
.more { box-shadow: inset -10px 0 8px -8px var(--soft); }
tbody tr:nth-child(even) th { background: var(--stripe); }
.number { text-align: right; }
.strong { font-weight: 700; }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85em; }
figure { margin: 1.25rem 0 1.75rem; }
figure img { display: block; max-width: 100%; min-width: 56rem; height: auto; background: #fff; }
@media (prefers-color-scheme: dark) { figure img { filter: invert(.92) hue-rotate(180deg); } }
figcaption { color: var(--soft); font-size: .9rem; max-width: 60rem; margin-top: .5rem; }
tr:target, :target > th { outline: 2px solid var(--link); }
.controls { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; align-items: end; margin: 1rem 0 .5rem; }
.controls fieldset { border: 1px solid var(--line); border-radius: 6px; padding: .15rem .6rem .4rem; display: flex; flex-wrap: wrap; gap: .1rem .9rem; min-width: 0; }
.control, .tick { font-size: .9rem; }
.control { min-width: 0; max-width: 100%; }
.control select { display: block; }
.tick { display: inline-flex; align-items: center; gap: .3rem; }
select { font: inherit; font-size: .9rem; color: var(--ink); background: var(--back); border: 1px solid var(--line); border-radius: 4px; padding: .2rem .3rem; max-width: 100%; }
select:focus-visible, input:focus-visible, a:focus-visible, .chart:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.swatch { width: .8rem; height: .8rem; border-radius: 50%; display: inline-block; }
.said, .facts { color: var(--soft); font-size: .9rem; margin: .25rem 0; }
.first { margin: .5rem 0; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1rem; }
.maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1.5rem; align-items: end; }
.chart { min-width: 0; overflow: hidden; }
.chart svg, .chart canvas { display: block; }
.map { border: 1px solid var(--line); border-radius: 6px; }
.answer { min-height: 2rem; }
.legend { list-style: none; padding: 0; margin: .25rem 0 .75rem; display: flex; flex-wrap: wrap; gap: .1rem .4rem; font-size: .9rem; }
.legend button { font: inherit; color: inherit; background: none; border: 1px solid transparent; border-radius: 4px; padding: .1rem .4rem; cursor: pointer; text-align: left; }
.legend button:hover { border-color: var(--line); }
.legend button[aria-pressed=true] { border-color: var(--link); font-weight: 600; }
.legend button:focus-visible, summary:focus-visible, .choices button:focus-visible { outline: 2px solid var(--link); }
.legend svg { width: 30px; height: 6px; margin-right: .4rem; vertical-align: middle; }
.choices { display: flex; flex-wrap: wrap; gap: .4rem; }
.choices button { font: inherit; font-size: .9rem; color: var(--ink); background: var(--back); border: 1px solid var(--line); border-radius: 4px; padding: .2rem .6rem; cursor: pointer; }
.choices button[aria-pressed=true] { border-color: var(--link); box-shadow: inset 0 0 0 1px var(--link); }
.browser { display: grid; grid-template-columns: minmax(15rem, 20rem) 1fr; gap: 1.25rem; }
.browser select { width: 100%; }
.answers h4 { margin: 1rem 0 .1rem; }
.asked { display: flex; align-items: center; gap: .75rem; margin: 0; }
.near { list-style: none; padding: 0; margin: .5rem 0; display: flex; flex-wrap: wrap; gap: .35rem; }
.near li { display: flex; flex-direction: column; align-items: center; font-size: .75rem; line-height: 1.35; padding: .25rem .1rem; border: 2px solid var(--line); border-radius: 6px; width: 5.1rem; overflow-wrap: anywhere; text-align: center; }
.near .wrong { border-style: dashed; border-color: var(--bad); }
.near .mark { font-weight: 600; }
.near .wrong .mark { color: var(--bad); }
.near .distance { color: var(--soft); font-variant-numeric: tabular-nums; }
.picture { display: inline-flex; align-items: center; justify-content: center; width: 64px; height: 64px; background-color: var(--stripe); border-radius: 4px; font-size: .8rem; text-align: center; overflow: hidden; vertical-align: middle; margin-right: .4rem; }
.near .picture { margin-right: 0; }
.tip { position: fixed; z-index: 5; pointer-events: none; background: var(--back); border: 1px solid var(--soft); border-radius: 4px; padding: .25rem .5rem; font-size: .85rem; max-width: 22rem; box-shadow: 0 2px 8px #0004; }
.tip[hidden] { display: none; }
.confusion td, .confusion tbody th { text-align: right; }
.confusion td.number { background: color-mix(in srgb, var(--link) calc(var(--share, 0) * 45%), transparent); }
.confusion td.own { font-weight: 700; outline: 1px solid var(--soft); outline-offset: -2px; }
.dag { display: block; color: var(--ink); }
@media (max-width: 50rem) {
  .browser { grid-template-columns: 1fr; }
  .minor, td.bar .track { display: none; }
  .bars li { grid-template-columns: minmax(5rem, 9rem) 1fr 3rem; }
  tbody th { min-width: 7rem; max-width: 10.5rem; overflow-wrap: anywhere; }
  h1 { font-size: 1.5rem; }
}
footer { color: var(--soft); padding-top: 2rem; padding-bottom: 3rem; }
@media print {
  :root { --ink: #000; --soft: #333; --line: #bbb; --back: #fff; --stripe: #fff; --link: #000; --bad: #000; }
  body { font-size: 10pt; }
  nav, .tip, .controls, .controls input, .browser > div:first-child, .scrolls { display: none !important; }
  [data-part=maps] .controls { display: flex; }
  .chart svg, .chart canvas { max-width: 100%; height: auto; }
  .browser { grid-template-columns: 1fr; }
  .table { overflow: visible; }
  table { font-size: 7pt; }
  th, td { padding: .15rem .35rem; white-space: normal; }
  thead button::after { content: "" !important; }
  figure, tr { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
}
`;
