/** Vega-Lite → SVG → PNG, without a browser and without the fonts of the machine. */
import { createRequire } from "node:module";
import { Resvg } from "@resvg/resvg-js";
import * as vega from "vega";
import { compile } from "vega-lite";
import type { Figure } from "./figure.ts";
import { legibly } from "./legible.ts";
import { CONFIG } from "./theme.ts";

/** Pixels of the PNG for each of the SVG. */
const SCALE = 2;

const require = createRequire(import.meta.url);
const FONTS = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((file) =>
  require.resolve(`dejavu-fonts-ttf/ttf/${file}`),
);

/** Draws a figure. The same figure gives the same text: nothing is measured with a machine's own fonts. */
export async function toSvg({ spec }: Figure): Promise<string> {
  // Names of gradients and clips count up over a process; from the start again, they hang on no other figure.
  (vega as unknown as { resetSVGDefIds(): void }).resetSVGDefIds(); // its types leave it out
  const { logger, parse, View, Warn } = vega;
  let failed: unknown;
  const log = logger(Warn);
  log.error = (error: unknown) => {
    failed ??= error;
    return log;
  };
  const view = new View(parse(compile(legibly(spec) as never, { config: CONFIG }).spec), {
    renderer: "none",
    logger: log,
  });
  try {
    const svg = await view.toSVG();
    if (failed) throw failed; // Vega only logs it, and gives an empty picture
    return `${svg}\n`;
  } finally {
    view.finalize();
  }
}

/** The picture of an SVG, twice its size, in the project's own fonts. */
export function toPng(svg: string): Uint8Array {
  const resvg = new Resvg(svg, {
    fitTo: { mode: "zoom", value: SCALE },
    font: { loadSystemFonts: false, fontFiles: FONTS, defaultFontFamily: "DejaVu Sans" },
  });
  return resvg.render().asPng();
}
