/** t-SNE maps side by side: hover names the image, a press shows its nearest images. */
import type { Mark, Spec, View } from "vega";
import { type Name, placeNames } from "../../../shared/charts/names.ts";
import type { MapData, PageData } from "../data.ts";
import { nearPoints } from "../view/answers.ts";
import { pointAhead, WAYS } from "../view/direction.ts";
import { type Chart, chart } from "./chart.ts";
import { make, tick } from "./element.ts";
import type { Theme } from "./theme.ts";
import { onTheme, theme } from "./theme.ts";
import type { Tiles } from "./tiles.ts";

/** Free space around the points, as a share of the map. */
const MARGIN = 0.03;
/** Size of the names of classes, in pixels; more of them than this would hide the map. */
const NAME_SIZE = 13;
const MOST_NAMES = 20;
/** With more points than this, each is drawn smaller. */
const MANY = 400;

/** The signal of a pressed point, in the spec. */
const STATE =
  "picked < 0 ? 'plain' : datum.at === picked ? 'picked' : near[datum.at] === 1 ? 'right' : near[datum.at] === 0 ? 'wrong' : 'far'";

/** The points, and the names of the classes over them. */
function marksOf(colours: Theme): Mark[] {
  return [
    {
      type: "symbol",
      from: { data: "points" },
      aria: false,
      encode: {
        enter: {
          x: { scale: "x", field: "x" },
          y: { scale: "y", field: "y" },
          cursor: { value: "pointer" },
          tooltip: { field: "at" },
        },
        update: {
          fill: { scale: "colour", field: "label" },
          shape: { scale: "shape", field: "state" },
          size: { scale: "size", field: "state" },
          zindex: { signal: "datum.state === 'plain' || datum.state === 'far' ? 0 : 1" },
          opacity: { signal: "datum.state === 'far' ? 0.25 : 0.85" },
          stroke: { signal: `datum.state === 'plain' || datum.state === 'far' ? null : '${colours.ink}'` },
          strokeWidth: { value: 1.5 },
        },
        hover: { opacity: { value: 1 }, size: { value: 90 } },
      },
    },
    ...[{ stroke: { value: colours.back }, strokeWidth: { value: 4 } }, { fill: { value: colours.ink } }].map(
      (own): Mark => ({
        type: "text",
        from: { data: "names" },
        interactive: false,
        encode: {
          enter: {
            x: { scale: "x", field: "x" },
            y: { scale: "y", field: "y" },
            text: { field: "text" },
            align: { value: "center" },
            baseline: { value: "middle" },
            fontSize: { value: NAME_SIZE },
            fontWeight: { value: "bold" },
            strokeJoin: { value: "round" },
            ...own,
          },
        },
      }),
    ),
  ];
}

function mapSpec(map: MapData, classes: string[], hidden: Set<number>, width: number, colours: Theme): Spec {
  const points = map.x.flatMap((x, at) =>
    hidden.has(map.labels[at]) ? [] : [{ at, x, y: map.y[at], label: map.labels[at] }],
  );
  const size = map.x.length > MANY ? 18 : 36;
  // Every map is scaled to a square, so that maps side by side have one height.
  const domain = (values: number[]) => {
    const extent = values.reduce((most, value) => Math.max(most, value), 0);
    return [extent / 2 - 0.5 - MARGIN, extent / 2 + 0.5 + MARGIN];
  };
  return {
    width,
    height: width,
    autosize: "none",
    signals: [
      { name: "picked", value: -1 },
      { name: "near", value: {} },
    ],
    data: [
      {
        name: "points",
        values: points,
        transform: [{ type: "formula", as: "state", expr: STATE }],
      },
      { name: "names", values: namesIn(map, classes, hidden, width) },
    ],
    scales: [
      { name: "x", domain: domain(map.x), range: "width", zero: false },
      { name: "y", domain: domain(map.y), range: "height", zero: false },
      {
        name: "colour",
        type: "ordinal",
        domain: classes.map((_, label) => label),
        range: classes.map((_, label) => colours.classes[label % colours.classes.length]),
      },
      {
        name: "shape",
        type: "ordinal",
        domain: ["plain", "far", "right", "wrong", "picked"],
        range: ["circle", "circle", "circle", "cross", "diamond"],
      },
      {
        name: "size",
        type: "ordinal",
        domain: ["plain", "far", "right", "wrong", "picked"],
        range: [size, size, 110, 130, 240],
      },
    ],
    marks: marksOf(colours),
  };
}

/** The names of the classes that are shown, none over another. @param width of the map, in pixels */
function namesIn(map: MapData, classes: string[], hidden: Set<number>, width: number): Name[] {
  if (classes.length > MOST_NAMES) return [];
  const shown = classes.map((name, label) => (hidden.has(label) ? "" : name));
  const tall = map.y.reduce((most, y) => Math.max(most, y), 0);
  const size = { width: (NAME_SIZE * 0.7) / width, height: (NAME_SIZE * 1.25) / width };
  return placeNames(map, shown, size, tall).filter(({ text }) => text);
}

/** One map, with the text on the picked point. */
class MapPanel {
  readonly element: HTMLElement;
  private readonly map: MapData;
  private readonly data: PageData;
  private readonly tiles: Tiles;
  private readonly chart: Chart;
  private readonly answer = make("div", { class: "answer", "aria-live": "polite" });
  private picked = -1;

  /** @param onPick told of the image that was picked; undefined: none */
  constructor(
    host: HTMLElement,
    map: MapData,
    data: PageData,
    tiles: Tiles,
    hidden: Set<number>,
    onPick: (id: number | undefined) => void,
  ) {
    this.map = map;
    this.data = data;
    this.tiles = tiles;
    const canvas = make("div", {
      class: "chart map",
      tabindex: 0,
      role: "application",
      "aria-label": `${map.title}: t-SNE of ${map.labels.length} images. Arrow keys go from point to point, Escape lets go.`,
    });
    this.element = make(
      "section",
      { "aria-label": `Map of ${map.title}` },
      make("h4", {}, map.title),
      make("p", { class: "facts" }, map.facts),
      canvas,
      this.answer,
    );
    host.append(this.element);
    this.chart = chart(
      canvas,
      (width, colours) => mapSpec(map, data.classes, hidden, width, colours),
      map.labels.length,
      (at) => this.tip(at as number),
      (view) => {
        view.addEventListener("click", (_, item) => {
          const { at } = (item?.datum ?? {}) as { at?: number };
          onPick(at === undefined || at === this.picked ? undefined : map.ids[at]);
        });
        this.mark(view);
      },
    );
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Escape") onPick(undefined);
      const way = WAYS[event.key];
      if (!way) return;
      event.preventDefault();
      const open = (at: number) => !hidden.has(map.labels[at]);
      const to =
        this.picked < 0
          ? map.labels.findIndex((_, at) => open(at))
          : pointAhead(map.x, map.y, this.picked, way, open);
      if (to >= 0) onPick(map.ids[to]);
    });
  }

  private words(at: number): string {
    return `${this.data.classes[this.map.labels[at]]}, image ${this.map.ids[at]}`;
  }

  /** The image of a point among all that are named; without neighbours there is none. */
  private imageOf(at: number): number | undefined {
    const { neighbours } = this.data;
    return neighbours?.points.find((place) => neighbours.images.id[place] === this.map.ids[at]);
  }

  private tip(at: number): Node {
    const image = this.imageOf(at);
    return make(
      "span",
      {},
      image !== undefined && this.data.thumbnails ? this.tiles.picture(image) : undefined,
      this.words(at),
    );
  }

  private nearest() {
    const { neighbours } = this.data;
    const answers = neighbours?.representations[this.map.representation];
    if (!neighbours || !answers || this.picked < 0) return [];
    const index = neighbours.points.findIndex(
      (place) => neighbours.images.id[place] === this.map.ids[this.picked],
    );
    return index < 0 ? [] : nearPoints(neighbours, answers, index);
  }

  private mark(view: View): void {
    const atOf = new Map(this.map.ids.map((id, at) => [id, at]));
    const ids = this.data.neighbours?.images.id ?? [];
    const near = Object.fromEntries(
      this.nearest().map(({ image, right }) => [atOf.get(ids[image]), right ? 1 : 0]),
    );
    view.signal("picked", this.picked).signal("near", near);
  }

  /** Marks an image and its nearest. */
  pick(id: number | undefined): void {
    this.picked = id === undefined ? -1 : this.map.ids.indexOf(id);
    const view = this.chart.view();
    if (view) {
      this.mark(view);
      view.runAsync();
    }
    if (this.picked < 0) {
      this.answer.replaceChildren();
      return;
    }
    const near = this.nearest();
    const image = this.imageOf(this.picked);
    this.answer.replaceChildren(
      make(
        "p",
        {},
        image === undefined ? undefined : this.tiles.picture(image),
        `${this.words(this.picked)}. ${near.length ? `Of the ${near.length} nearest points ${near.filter(({ right }) => right).length} are of its class:` : ""}`,
      ),
      make("ol", { class: "near" }, ...near.map((one) => this.tiles.near(one))),
    );
  }

  redraw(): void {
    this.chart.redraw();
  }
}

/** All maps, with boxes that hide classes. */
export function maps(place: HTMLElement, data: PageData, tiles: Tiles): void {
  if (data.maps.length === 0) return;
  const hidden = new Set<number>();
  const row = make("div", { class: "maps" });
  const panels: MapPanel[] = [];
  const swatches: HTMLElement[] = [];
  const paint = () => {
    for (const [label, swatch] of swatches.entries())
      swatch.style.background = theme().classes[label % theme().classes.length];
  };
  const ticks = data.classes.map((name, label) => {
    swatches.push(make("span", { class: "swatch", "aria-hidden": "true" }));
    return tick(
      name,
      true,
      (checked) => {
        if (checked) hidden.delete(label);
        else hidden.add(label);
        for (const panel of panels) panel.redraw();
      },
      swatches[label],
    );
  });
  paint();
  onTheme(paint);
  place.append(
    make("div", { class: "controls" }, make("fieldset", {}, make("legend", {}, "Classes"), ...ticks)),
    make(
      "p",
      { class: "said" },
      "Press a point to mark what lies nearest to it: right ones are circles, wrong ones crosses. The same image is marked in every map.",
    ),
    row,
  );
  for (const map of data.maps)
    panels.push(
      new MapPanel(row, map, data, tiles, hidden, (id) => {
        for (const panel of panels) panel.pick(id);
      }),
    );
}
