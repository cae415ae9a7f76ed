/** Training curves, a panel at a time: validation mAP large, the loss and the active share below it. */
import { distinctLooks } from "../../../shared/runs/looks.ts";
import { lineNames, panelsOf, ranked } from "../../../shared/runs/panels.ts";
import { partWords } from "../../../shared/runs/words.ts";
import type { PageData, RunData } from "../data.ts";
import { byLoss, COSTS, type Cost, costsOf, counting, curvePoints, type Measure } from "../view/series.ts";
import { type Chart, chart } from "./chart.ts";
import { chooser, make } from "./element.ts";
import { keepLegend, lineOf, linesSpec } from "./lines.ts";

const NAMES: Record<Measure, string> = { loss: "loss", active: "active share", map: "validation mAP" };
/** Height of the chart that decides, in pixels. */
const LARGE = 340;

/** The lines of a panel, the best first. */
function linesOf(runs: RunData[], groups: PageData["groups"]) {
  const lines = ranked(runs);
  const labels = lines.map(([label]) => label);
  const names = lineNames(labels, groups);
  const looks = distinctLooks(labels, groups);
  return lines.map(([label, members]) =>
    lineOf(
      label,
      looks.get(label)!,
      names.get(label)!,
      members.some(({ collapsed }) => collapsed),
    ),
  );
}

/** Losses of more functions than this are drawn in one chart, each as a share of its first value. */
const MOST_LOSSES = 2;

const relative = (run: RunData): RunData => ({ ...run, loss: run.loss.map((value) => value / run.loss[0]) });

/** The charts of the losses: they have no common scale. */
function lossCharts(runs: RunData[]): { measure: Measure; own: RunData[]; title: string }[] {
  const losses = byLoss(runs);
  if (losses.length > MOST_LOSSES)
    return [{ measure: "loss", own: runs.map(relative), title: "loss, share of its first value" }];
  return losses.map(([loss, own]) => ({ measure: "loss", own, title: `loss of ${partWords(loss)}` }));
}

/** The charts of a panel: the measured quantity, and the runs. */
function wantedOf(
  runs: RunData[],
  measures: Measure[],
): { measure: Measure; own: RunData[]; title: string }[] {
  return measures
    .flatMap((measure): { measure: Measure; own: RunData[]; title: string }[] =>
      measure === "loss"
        ? lossCharts(runs)
        : [{ measure, own: measure === "active" ? counting(runs) : runs, title: NAMES[measure] }],
    )
    .filter(({ own }) => own.length > 0);
}

/**
 * The curves with their controls.
 * @param first the cost to begin with, where runs know it
 * @param measures along the y axes, the deciding one first and large
 * @param only the costs to choose from; undefined: all that the runs know
 */
export function curves(
  place: HTMLElement,
  { runs, groups }: PageData,
  first: Cost,
  measures: Measure[],
  only?: Cost[],
): void {
  const costs = costsOf(runs).filter((one) => !only || only.includes(one));
  if (runs.length === 0 || costs.length === 0) return;
  const panels = panelsOf(runs, partWords);
  const panel = chooser(
    "Trainings",
    panels.map(({ title }, at) => [String(at), title]),
    () => draw(),
  );
  const cost = chooser(
    "Against",
    costs.map((one) => [one, COSTS[one]]),
    () => draw(),
  );
  cost.select.value = costs.includes(first) ? first : costs[0];
  const said = make("p", { class: "said", role: "status" });
  const names = make("div");
  const area = make("div");
  let charts: Chart[] = [];
  const draw = () => {
    const { runs: all } = panels[Number(panel.select.value)];
    const against = cost.select.value as Cost;
    const known = all.filter((run) => run[against] !== undefined);
    const without = all.length - known.length;
    said.textContent = `${known.length} of ${runs.length} trainings: means over seeds, bands are 95 % intervals over seeds.${without ? ` ${without} have no ${COSTS[against]}.` : ""}`;
    const lines = linesOf(known, groups);
    let single: string | undefined;
    for (const one of charts) one.close();
    charts = [];
    const small = make("div", { class: "panels" });
    area.replaceChildren();
    for (const [at, { measure, own, title }] of wantedOf(known, measures).entries()) {
      const canvas = make("div", {
        class: at === 0 ? "chart first" : "chart",
        role: "img",
        "aria-label": `${title} against ${COSTS[against]}, ${own.length} trainings`,
      });
      (at === 0 ? area : small).append(canvas);
      if (at === 0) area.append(names, small);
      const log = against === "triplets"; // such an axis has no 0
      const labels = new Map(lines.map(({ line, name }) => [line, name]));
      const points = curvePoints(own, against, measure, NAMES[measure], labels).filter(
        ({ x }) => !log || x > 0,
      );
      const x = { title: COSTS[against], zero: true, log };
      const y = { title, zero: measure !== "map" };
      charts.push(
        chart(
          canvas,
          (width, colours) =>
            linesSpec(
              { points, lines, x, y, only: single, height: at === 0 ? LARGE : undefined },
              width,
              colours,
            ),
          points.length,
          (value) => String(value),
        ),
      );
    }
    keepLegend(names, lines, (next) => {
      single = next;
      for (const one of charts) one.redraw();
    });
  };
  const controls = [
    ...(panels.length > 1 ? [panel.element] : []),
    ...(costs.length > 1 ? [cost.element] : []),
  ];
  place.append(make("div", { class: "controls" }, ...controls), said, area);
  draw();
}
