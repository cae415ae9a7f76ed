/** A Vega chart that keeps to the width of its place and to the colours that hold. */
import { parse, type Spec, View, Warn } from "vega";
import { make } from "./element.ts";
import { onTheme, type Theme, theme, vegaConfig } from "./theme.ts";
import { showTip } from "./tip.ts";

/** More marks than this are painted instead of drawn one by one: a page of many elements is slow. */
const MOST_DRAWN = 4000;

/** A chart in its place. */
export interface Chart {
  /** The view that is shown now: another one after a change of width or colours. */
  view(): View | undefined;
  /** Draws another spec. */
  redraw(): void;
  /** Lets the view go. */
  close(): void;
}

/**
 * Draws a chart and keeps it drawn.
 * @param place is filled; its width is the chart's
 * @param specOf the spec for a width, in pixels, in some colours
 * @param marks about how many it has
 * @param tipOf what to show beside the pointer, of a mark's `tooltip`
 * @param drawn called after each drawing: to listen to the view, and to bring it up to date
 */
export function chart(
  place: HTMLElement,
  specOf: (width: number, colours: Theme) => Spec,
  marks: number,
  tipOf: (value: unknown) => Node | string | undefined,
  drawn: (view: View) => void = () => {},
): Chart {
  let view: View | undefined;
  let width = 0;
  const inner = make("div"); // Vega gives its own role and name to what it draws in
  place.append(inner);
  const redraw = () => {
    width = place.clientWidth;
    if (width === 0) return; // not shown yet: folded, or closed
    view?.finalize();
    const colours = theme();
    view = new View(parse(specOf(width, colours), vegaConfig(colours)), {
      renderer: marks > MOST_DRAWN ? "canvas" : "svg",
      container: inner,
      hover: true,
      logLevel: Warn,
    });
    view.tooltip((_, event, __, value) =>
      showTip(event as MouseEvent, value === null || value === undefined ? undefined : tipOf(value)),
    );
    drawn(view);
    view.run();
  };
  redraw();
  onTheme(redraw);
  const resized = new ResizeObserver(() => {
    if (place.clientWidth !== width) redraw();
  });
  resized.observe(place);
  const close = () => {
    resized.disconnect();
    view?.finalize();
    place.remove();
  };
  return { view: () => view, redraw, close };
}
