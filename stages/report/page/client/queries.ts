/** The query browser: a query, and what each representation finds nearest to it. */
import type { Answers, Neighbours } from "../../../shared/artifacts/neighbours.ts";
import { isRaw } from "../../../shared/runs/groups.ts";
import type { PageData } from "../data.ts";
import { answerOf, chosenQueries, middleOf } from "../view/answers.ts";
import { chooser, make, tick } from "./element.ts";
import type { Tiles } from "./tiles.ts";

/** Lines of the list of queries. */
const LINES = 12;
/** Step of the walk through the queries that "random" takes: prime to most counts, and the same on every page. */
const STRIDE = 7919;

const UNITS: Record<Answers["distance"], string> = {
  hamming: "bits that differ",
  euclidean: "Euclidean distance",
  cosine: "1 less the cosine",
  "centred-cosine": "1 less the cosine, the mean of the training images taken off",
};

/** The nearest images of one query in one representation. */
function answersTo(
  index: number,
  one: Answers,
  title: string,
  neighbours: Neighbours,
  tiles: Tiles,
): HTMLElement {
  const { near, right, map, within } = answerOf(neighbours, one, index);
  const tied =
    within > near.length
      ? ` ${within} images are as near as the last of these; their order in the database decides which are shown.`
      : "";
  return make(
    "section",
    { "aria-label": `Nearest in ${title}` },
    make("h4", {}, title),
    make(
      "p",
      { class: "facts" },
      `${right} of the ${near.length} nearest are right; average precision ${map.toFixed(4)}. Numbers below: ${UNITS[one.distance]}${one.kind === "code" ? `, of ${one.dim}` : ""}.${tied}`,
    ),
    make("ol", { class: "near" }, ...near.map((item) => tiles.near(item))),
  );
}

/** The name of a representation, with the seed where there are several. */
function titleIn({ name, point }: Answers, groups: PageData["groups"]): string {
  const words = groups[name]?.name ?? (isRaw(name) ? "pretrained features" : name);
  return point.seed === undefined ? words : `${words}, seed ${point.seed}`;
}

/** The representation that orders the queries at first: an embedding, where there is one. */
const firstOrder = (representations: Answers[]): number =>
  Math.max(
    0,
    representations.findIndex(({ kind }) => kind === "embedding"),
  );

/** A query in the list: the average precision in each representation. */
const optionOf = (index: number, { queries, representations }: Neighbours, tiles: Tiles): HTMLElement =>
  make(
    "option",
    { value: index },
    `${tiles.words(queries[index])}: ${representations.map((one) => one.map[index].toFixed(2)).join(" / ")}`,
  );

/** The places of the list that a button goes to, the worst query first. @param middle the place of the median */
function jumpsIn(middle: () => number): Record<string, (count: number) => number> {
  let walked = 0;
  return {
    Median: middle,
    Worst: () => 0,
    Best: (count) => count - 1,
    Random: (count) => {
      walked += STRIDE;
      return walked % count;
    },
  };
}

/** The query browser. */
export function queries(place: HTMLElement, data: PageData, tiles: Tiles): void {
  const { neighbours, classes, groups } = data;
  if (!neighbours) return;
  const { representations } = neighbours;
  const titleOf = (one: Answers) => titleIn(one, groups);
  let wrong = false;
  let listed: number[] = [];
  const label = chooser(
    "Class",
    [["", "all"], ...classes.map((name, at): [string, string] => [String(at), name])],
    () => list(),
  );
  const order = chooser(
    "Ordered by average precision in",
    representations.map((one, at): [string, string] => [String(at), titleOf(one)]),
    () => list(),
  );
  order.select.value = String(firstOrder(representations));
  const onlyWrong = tick("only with a wrong one among the nearest", false, (checked) => {
    wrong = checked;
    list();
  });
  const said = make("p", { class: "said", role: "status", id: "query-said" });
  const choice = make("select", { size: LINES, id: "query", "aria-describedby": "query-said" });
  const answers = make("div", { class: "answers", "aria-live": "polite" });

  const jumps = jumpsIn(() => middleOf(neighbours, listed));
  const jump = (to: string) => {
    if (choice.options.length === 0) return;
    choice.selectedIndex = jumps[to](choice.options.length);
    show();
  };
  const buttons = Object.keys(jumps).map((name) => {
    const button = make("button", { type: "button" }, name);
    button.addEventListener("click", () => jump(name));
    return button;
  });

  const list = () => {
    const sorted = Number(order.select.value);
    listed = chosenQueries(neighbours, {
      label: label.select.value === "" ? undefined : Number(label.select.value),
      worstIn: sorted,
      wrongIn: wrong ? sorted : undefined,
    });
    choice.replaceChildren(...listed.map((index) => optionOf(index, neighbours, tiles)));
    said.textContent = `${listed.length} queries, the worst first; the numbers are the average precision in ${representations.map(titleOf).join(" / ")}.`;
    if (listed.length) jump("Median");
    else show();
  };

  const show = () => {
    if (choice.selectedIndex < 0) {
      answers.replaceChildren(make("p", {}, "No query is left: choose other filters."));
      return;
    }
    const index = Number(choice.value);
    const image = neighbours.queries[index];
    answers.replaceChildren(
      make("p", { class: "asked" }, tiles.picture(image), make("strong", {}, `Query: ${tiles.words(image)}`)),
      ...representations.map((one) => answersTo(index, one, titleOf(one), neighbours, tiles)),
    );
  };
  choice.addEventListener("change", show);
  place.append(
    make(
      "div",
      { class: "controls" },
      make("div", { class: "choices" }, ...buttons),
      ...[label.element, order.element, onlyWrong],
    ),
    make(
      "div",
      { class: "browser" },
      make("div", {}, make("label", { for: "query" }, "Queries"), choice, said),
      answers,
    ),
  );
  list();
}
