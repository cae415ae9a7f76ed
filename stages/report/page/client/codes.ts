/** Codes: mAP by their length beside what is published, and precision against recall by Hamming radius. */
import type { CodeLine, PageData, RadiusCurve } from "../data.ts";
import { lengthPoints, radiusPoints } from "../view/codes.ts";
import { chart } from "./chart.ts";
import { chooser, make } from "./element.ts";
import { legend, linesSpec, looks } from "./lines.ts";

/** @param protocol whose codes are shown */
export function codes(place: HTMLElement, { codes: all, radii }: PageData, protocol: string): void {
  const lines = all.filter((line) => line.protocol === protocol);
  if (lines.length === 0) return;
  if (lines.some(({ bits }) => bits.length > 1)) byLength(place, lines);
  precisionByRadius(
    place,
    radii.filter((curve) => curve.protocol === protocol),
  );
}

function byLength(place: HTMLElement, lines: CodeLine[]): void {
  const look = looks(lines.map(({ method }) => method));
  for (const { method, published } of lines) if (published) look.get(method)!.dash = [2, 3];
  const points = lengthPoints(lines);
  const canvas = make("div", {
    class: "chart",
    role: "img",
    "aria-label": "mAP by length of the code; the table below has the numbers.",
  });
  place.append(make("div", { class: "panels" }, canvas));
  if (lines.some(({ published }) => published))
    place.append(make("p", { class: "said" }, "Dotted: published, with other networks; see the table."));
  place.append(legend(look));
  chart(
    canvas,
    (width) => linesSpec(points, look, { title: "bits", format: "d" }, { title: "mAP" }, width),
    points.length,
    (value) => String(value),
  );
}

function precisionByRadius(place: HTMLElement, curves: RadiusCurve[]): void {
  if (curves.length === 0) return;
  const lengths = [...new Set(curves.map(({ bits }) => bits))].sort((a, b) => a - b);
  const choice = chooser(
    "Length",
    lengths.map((bits) => [String(bits), `${bits} bits`]),
    () => draw(),
  );
  choice.select.value = String(lengths.at(-1));
  const panel = make("div", { class: "panels" });
  const names = make("div");
  const draw = () => {
    const own = curves.filter(({ bits }) => String(bits) === choice.select.value);
    const named = looks([...new Set(own.map(({ label }) => label))]);
    const shown = radiusPoints(own);
    const area = make("div", {
      class: "chart",
      role: "img",
      "aria-label": `Precision against recall by Hamming radius, codes of ${choice.select.value} bits`,
    });
    panel.replaceChildren(area);
    names.replaceChildren(legend(named));
    chart(
      area,
      (width) =>
        linesSpec(
          shown,
          named,
          { title: "recall", zero: true, format: ".1f" },
          { title: "precision", zero: true },
          width,
        ),
      shown.length,
      (value) => String(value),
    );
  };
  place.append(make("div", { class: "controls" }, choice.element), panel, names);
  draw();
}
