/** The confusion matrix of kNN, as a table of shades. */
import type { PageData } from "../data.ts";
import { confused } from "../view/confusion.ts";
import { chooser, make } from "./element.ts";

/** Confusions that are named in words. */
const NAMED = 5;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

export function confusion(place: HTMLElement, { confusions, groups: named }: PageData): void {
  const views = confusions.flatMap(({ groups, ...about }) =>
    groups.map(({ label, shares }) => ({ ...about, shares, label: named[label]?.name ?? label })),
  );
  if (views.length === 0) return;
  const choice = chooser(
    "Representation",
    views.map(({ label, protocol }, at) => [
      String(at),
      confusions.length > 1 ? `${label} (${protocol})` : label,
    ]),
    () => draw(),
  );
  const said = make("div", { "aria-live": "polite" });
  const area = make("div", {
    class: "table",
    tabindex: 0,
    role: "region",
    "aria-label": "Confusion of classes",
  });
  const draw = () => {
    const { classes, queries, shares, label } = views[Number(choice.select.value)];
    said.replaceChildren(
      make("p", {}, "Most often taken for another class:"),
      make(
        "ul",
        {},
        ...confused(shares, NAMED).map(({ from, to, share }) =>
          make("li", {}, `${classes[from]} for ${classes[to]}: ${percent(share)}`),
        ),
      ),
    );
    area.replaceChildren(
      make(
        "table",
        { class: "confusion" },
        make(
          "caption",
          {},
          `${label}: of the queries of the class to the left, the share that kNN takes for the class above.`,
        ),
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            make("td"),
            ...classes.map((name) => make("th", { scope: "col" }, name)),
            make("th", { scope: "col" }, "queries"),
          ),
        ),
        make(
          "tbody",
          {},
          ...shares.map((row, from) =>
            make(
              "tr",
              {},
              make("th", { scope: "row" }, classes[from]),
              ...row.map((share, to) => {
                const cell = make(
                  "td",
                  { class: from === to ? "number own" : "number" },
                  share === 0 ? "0" : percent(share),
                );
                cell.style.setProperty("--share", String(Math.sqrt(share)));
                return cell;
              }),
              make("td", { class: "number" }, String(queries[from])),
            ),
          ),
        ),
      ),
    );
  };
  place.append(make("div", { class: "controls" }, choice.element), area, said);
  draw();
}
