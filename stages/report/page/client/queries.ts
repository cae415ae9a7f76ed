/** The query browser: a query, and what each representation finds nearest to it. */
import type { Answers } from "../../../shared/artifacts/neighbours.ts";
import type { PageData } from "../data.ts";
import { answerOf, chosenQueries } from "../view/answers.ts";
import { chooser, make, tick } from "./element.ts";
import type { Tiles } from "./tiles.ts";

/** Lines of the list of queries. */
const LINES = 16;

const UNITS: Record<Answers["distance"], string> = {
  hamming: "bits that differ",
  euclidean: "Euclidean distance",
  cosine: "1 less the cosine",
  "centred-cosine": "1 less the cosine, the mean of the training images taken off",
};

/** "raw features", with the seed where there are several. */
const titleOf = ({ name, point }: Answers) =>
  point.seed === undefined ? name : `${name} · seed ${point.seed}`;

export function queries(place: HTMLElement, data: PageData, tiles: Tiles): void {
  const { neighbours, classes } = data;
  if (!neighbours) return;
  const { representations } = neighbours;
  let wrong = false;
  const present = classes.map((name, label) => ({ name, label }));
  const label = chooser(
    "Class",
    [["", "all"], ...present.map(({ name, label }): [string, string] => [String(label), name])],
    () => list(),
  );
  const order = chooser(
    "Order",
    [
      ["", `the ${neighbours.drawn} drawn, by id`],
      ...representations.map((one, at): [string, string] => [String(at), `worst first in ${titleOf(one)}`]),
    ],
    () => list(),
  );
  const onlyWrong = tick("only with a wrong one among the nearest", false, (checked) => {
    wrong = checked;
    list();
  });
  const said = make("p", { class: "said", role: "status" });
  const choice = make("select", { size: LINES, id: "query", "aria-describedby": "query-said" });
  said.id = "query-said";
  const answers = make("div", { class: "answers", "aria-live": "polite" });

  const list = () => {
    const sorted = order.select.value === "" ? undefined : Number(order.select.value);
    const chosen = chosenQueries(neighbours, {
      label: label.select.value === "" ? undefined : Number(label.select.value),
      worstIn: sorted,
      wrongIn: wrong ? (sorted ?? representations.length - 1) : undefined,
    });
    choice.replaceChildren(
      ...chosen.map((index) =>
        make(
          "option",
          { value: index },
          `${tiles.words(neighbours.queries[index])}: ${representations
            .map((one) => one.average_precision[index].toFixed(2))
            .join(" / ")}`,
        ),
      ),
    );
    said.textContent = `${chosen.length} queries; the numbers are the average precision in ${representations.map(titleOf).join(" / ")}.`;
    choice.selectedIndex = 0;
    show();
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
      ...representations.map((one) => {
        const { near, right, averagePrecision, within } = answerOf(neighbours, one, index);
        const tied =
          within > near.length
            ? ` ${within} images lie as near as the last of these: which of them are shown is their order in the database.`
            : "";
        return make(
          "section",
          { "aria-label": titleOf(one) },
          make("h3", {}, titleOf(one)),
          make(
            "p",
            { class: "facts" },
            `${right} of the ${near.length} nearest are right; average precision ${averagePrecision.toFixed(4)}. Numbers below: ${UNITS[one.distance]}${one.kind === "code" ? `, of ${one.dim}` : ""}.${tied}`,
          ),
          make("ol", { class: "near" }, ...near.map((item) => tiles.near(item))),
        );
      }),
    );
  };
  choice.addEventListener("change", show);
  place.append(
    make("div", { class: "controls" }, label.element, order.element, onlyWrong),
    make(
      "div",
      { class: "browser" },
      make("div", {}, make("label", { for: "query" }, "Queries"), choice, said),
      answers,
    ),
  );
  list();
}
