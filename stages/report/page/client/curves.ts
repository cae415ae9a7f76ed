/** Training curves: runs chosen by filters, against what they cost. */
import type { PageData, RunData } from "../data.ts";
import {
  axesOf,
  byLoss,
  COSTS,
  type Cost,
  costsOf,
  counting,
  curvePoints,
  filtered,
  type Measure,
} from "../view/series.ts";
import { type Chart, chart } from "./chart.ts";
import { chooser, make, tick } from "./element.ts";
import { legend, linesSpec, looks } from "./lines.ts";

const NAMES: Record<Measure, string> = { loss: "loss", active: "active share", map: "validation mAP" };

/**
 * The curves with their controls.
 * @param first the cost to begin with, where runs know it
 * @param measures along the y axes, a panel for each; of the loss a panel for each loss function
 */
export function curves(place: HTMLElement, { runs }: PageData, first: Cost, measures: Measure[]): void {
  if (runs.length === 0) return;
  const look = looks([...new Set(runs.map(({ label }) => label))]);
  const off: { axis: string; value: string }[] = [];
  const costs = costsOf(runs);
  const cost = chooser(
    "Against",
    costs.map((one) => [one, COSTS[one]]),
    () => draw(),
  );
  cost.select.value = costs.includes(first) ? first : costs[0];
  const filters = axesOf(runs).map(({ axis, values }) =>
    make(
      "fieldset",
      {},
      make("legend", {}, axis),
      ...values.map((value) =>
        tick(value, true, (checked) => {
          const at = off.findIndex((one) => one.axis === axis && one.value === value);
          if (checked) off.splice(at, 1);
          else off.push({ axis, value });
          draw();
        }),
      ),
    ),
  );
  const said = make("p", { class: "said", role: "status" });
  const names = make("div");
  const panels = make("div", { class: "panels" });
  let charts: Chart[] = [];
  const draw = () => {
    const left = filtered(runs, off);
    const against = cost.select.value as Cost;
    const known = left.filter((run) => run[against] !== undefined);
    const without = left.length - known.length;
    said.textContent = `${known.length} of ${runs.length} trainings are shown${without ? `; ${without} have no ${COSTS[against]}` : ""}.`;
    const shown = new Set(known.map(({ label }) => label));
    names.replaceChildren(legend(new Map([...look].filter(([line]) => shown.has(line)))));
    for (const one of charts) one.view().finalize();
    panels.replaceChildren();
    const wanted = measures.flatMap((measure): { measure: Measure; own: RunData[]; title: string }[] =>
      measure === "loss"
        ? byLoss(known).map(([loss, own]) => ({ measure, own, title: `loss of ${loss}` }))
        : [{ measure, own: measure === "active" ? counting(known) : known, title: NAMES[measure] }],
    );
    charts = wanted
      .filter(({ own }) => own.length > 0)
      .map(({ measure, own, title }) => {
        const canvas = make("div", {
          class: "chart",
          role: "img",
          "aria-label": `${title} against ${COSTS[against]}, ${own.length} trainings`,
        });
        panels.append(canvas);
        const log = against === "triplets"; // such an axis has no 0
        const points = curvePoints(own, against, measure, NAMES[measure]).filter(({ x }) => !log || x > 0);
        return chart(
          canvas,
          (width) =>
            linesSpec(
              points,
              look,
              { title: COSTS[against], zero: true, log },
              { title, zero: measure !== "map" },
              width,
            ),
          points.length,
          (value) => String(value),
        );
      });
  };
  place.append(make("div", { class: "controls" }, cost.element, ...filters), said, panels, names);
  draw();
}
