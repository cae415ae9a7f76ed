/** Colours that are told apart without seeing them as most people do: Paul Tol's schemes. */

/** "bright", in an order in which neighbours differ most: for lines and bars. */
export const BRIGHT = ["#4477AA", "#EE6677", "#228833", "#AA3377", "#66CCEE", "#CCBB44", "#777777"];

/** "muted" and a grey: ten classes, on white. */
export const MUTED = [
  "#332288",
  "#CC6677",
  "#117733",
  "#DDCC77",
  "#88CCEE",
  "#882255",
  "#44AA99",
  "#999933",
  "#AA4499",
  "#777777",
];

/** "light" and a white: ten classes, on black. */
export const LIGHT = [
  "#77AADD",
  "#FFAABB",
  "#44BB99",
  "#EEDD88",
  "#99DDFF",
  "#EE8866",
  "#BBCC33",
  "#AAAA00",
  "#DDDDDD",
  "#FFFFFF",
];

/** Lines and bars of methods, on white: "bright" without its grey, which is for untrained representations, and two more. */
export const METHODS = [...BRIGHT.slice(0, -1), "#332288", "#EE7733"];

/** The same on black: each the light neighbour of its colour in {@link METHODS}. */
export const METHODS_ON_BLACK = [
  "#77AADD",
  "#FFAABB",
  "#44BB99",
  "#DD88CC",
  "#99DDFF",
  "#EEDD88",
  "#AAAAFF",
  "#EE8866",
];
