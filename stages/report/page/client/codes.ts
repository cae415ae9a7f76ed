/** Codes: mAP by their length beside the published numbers, and precision against recall by Hamming radius. */
import { shareExtent } from "../../../shared/charts/extent.ts";
import { GREY } from "../../../shared/runs/looks.ts";
import { bestMethods, MOST_LINES } from "../../../shared/runs/panels.ts";
import type { CodeLine, PageData, RadiusCurve } from "../data.ts";
import { lengthPoints, radiusPoints } from "../view/codes.ts";
import type { CurvePoint } from "../view/series.ts";
import { type Chart, chart } from "./chart.ts";
import { chooser, make } from "./element.ts";
import { keepLegend, type Line, lineOf, linesSpec } from "./lines.ts";

/** Height of the chart by length, in pixels. */
const LARGE = 340;
/** Height of the part below the break of the axis, in pixels. */
const SMALL = 90;
/** Pixels between methods of the same length. */
const APART = 3;
/** The line of all published numbers. */
const PUBLISHED = "published";

const best = ({ map }: CodeLine) => Math.max(...map);

/** A part of the chart by length: the axis is broken between what learned from labels and what did not. */
interface Part {
  points: CurvePoint[];
  height: number;
}

/** The learned codes, large, and the others below them, where there are both; published numbers where they belong. */
function partsOf(shown: CodeLine[], papers: CodeLine[]): Part[] {
  const learned = shown.filter((line) => line.learned);
  const others = shown.filter((line) => !line.learned);
  const published = lengthPoints(papers, PUBLISHED);
  if (learned.length === 0 || others.length === 0)
    return [{ points: [...lengthPoints(shown, PUBLISHED), ...published], height: LARGE }];
  const floor = Math.min(...learned.flatMap(({ map }) => map));
  const ceiling = Math.max(...others.flatMap(({ map }) => map));
  const above = ({ y }: CurvePoint) => y > (floor + ceiling) / 2;
  return [
    { points: [...lengthPoints(learned, PUBLISHED), ...published.filter(above)], height: LARGE },
    {
      points: [...lengthPoints(others, PUBLISHED), ...published.filter((point) => !above(point))],
      height: SMALL,
    },
  ];
}

/** mAP by length, of the methods that have several lengths. @param protocol whose codes are shown */
export function codes(place: HTMLElement, { codes: all, groups }: PageData, protocol: string): void {
  const own = all.filter((line) => line.protocol === protocol);
  const measured = own.filter(({ label, bits }) => label !== undefined && bits.length > 1);
  if (measured.length === 0) return;
  measured.sort((a, b) => best(b) - best(a));
  const { shown, note } = bestMethods(measured);
  const papers = own.filter(({ label }) => label === undefined);
  const lines: Line[] = shown.map(({ label, method }) => lineOf(label!, groups[label!] ?? GREY, method));
  // Lines that nearly coincide still show both colours.
  for (const [at, line] of lines.entries()) line.dash = at % 2 ? [8, 5] : [];
  if (papers.length)
    lines.push({
      line: PUBLISHED,
      name: "published (hover for the source)",
      colour: -1,
      dash: [],
      marks: true,
    });
  const lengths = [...new Set([...shown, ...papers].flatMap(({ bits }) => bits))].sort((a, b) => a - b);
  const names = make("div");
  const more = note && ` ${note[0].toUpperCase()}${note.slice(1)}.`;
  const parts = partsOf(shown, papers);
  const broken = parts.length > 1 ? " The axis of mAP is broken: codes made without labels are below." : "";
  place.append(
    make("p", { class: "said" }, `mAP by length; bands are 95 % intervals over seeds.${more}${broken}`),
  );
  let only: string | undefined;
  const drawn = parts.map(({ points, height }, at) => {
    const last = at === parts.length - 1;
    const canvas = make("div", {
      class: "chart first",
      role: "img",
      "aria-label": `mAP by length of the code, protocol ${protocol}${at ? ", without labels" : ""}; the table below has the numbers.`,
    });
    place.append(canvas);
    const x = {
      title: last ? "bits (logarithmic)" : "",
      format: "d",
      log: true,
      values: lengths,
      ends: [lengths[0], lengths.at(-1)!],
    };
    const values = points.flatMap(({ y, low = y, high = y }) => [low, high]);
    const y = { title: "mAP", ends: shareExtent(values) };
    return chart(
      canvas,
      (width, colours) => linesSpec({ points, lines, x, y, height, apart: APART, only }, width, colours),
      points.length,
      (value) => String(value),
    );
  });
  place.append(names);
  keepLegend(names, lines, (next) => {
    only = next;
    for (const one of drawn) one.redraw();
  });
}

/** Precision against recall by Hamming radius. @param protocol whose codes are shown */
export function radii(
  place: HTMLElement,
  { radii: all, codes: known, groups }: PageData,
  protocol: string,
): void {
  const curves = all.filter((curve) => curve.protocol === protocol);
  if (curves.length === 0) return;
  const lengths = [...new Set(curves.map(({ bits }) => bits))].sort((a, b) => a - b);
  const choice = chooser(
    "Length",
    lengths.map((bits) => [String(bits), `${bits} bits`]),
    () => draw(),
  );
  choice.select.value = String(lengths.at(-1));
  const area = make("div");
  const names = make("div");
  const order = known.filter((line) => line.protocol === protocol);
  let drawn: Chart | undefined;
  const draw = () => {
    const own: RadiusCurve[] = curves.filter(({ bits }) => String(bits) === choice.select.value);
    const labels = [...new Set(own.map(({ label }) => label))];
    const rank = (label: string) => order.findIndex((line) => line.label === label);
    labels.sort((a, b) => rank(a) - rank(b));
    const lines = labels
      .slice(0, MOST_LINES)
      .map((label) => lineOf(label, groups[label] ?? GREY, groups[label]?.name ?? label));
    const points = radiusPoints(own).filter(({ line }) => lines.some((one) => one.line === line));
    const canvas = make("div", {
      class: "chart",
      role: "img",
      "aria-label": `Precision against recall by Hamming radius, codes of ${choice.select.value} bits`,
    });
    area.replaceChildren(canvas);
    drawn?.close();
    let only: string | undefined;
    drawn = chart(
      canvas,
      (width, colours) =>
        linesSpec(
          {
            points,
            lines,
            x: { title: "recall", zero: true, format: ".1f" },
            y: { title: "precision", zero: true },
            only,
          },
          width,
          colours,
        ),
      points.length,
      (value) => String(value),
    );
    keepLegend(names, lines, (next) => {
      only = next;
      drawn!.redraw();
    });
  };
  place.append(make("div", { class: "controls" }, choice.element), area, names);
  draw();
}
