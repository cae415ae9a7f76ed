/** The figures that plot drew: their words, and their pictures inside a page. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Block, FigureBlock } from "./document.ts";

/** The list that plot lays beside its figures. */
export const LIST = "figures.json";

/** A larger SVG goes into the page as its PNG. */
const LARGEST_SVG = 1_000_000;

/** Figures of one folder. */
export interface Figures {
  /** The block of a figure, or none where it was not drawn. */
  named(name: string): Block[];
  /** All that `named` did not give yet. */
  others(): Block[];
  /** A figure as a data URI. */
  picture(figure: FigureBlock): string;
  /** Their files, without the list. */
  files: string[];
}

/**
 * Opens a folder of figures.
 * @param from path of the folder; undefined: there are no figures
 * @param folder of their copies, from the report
 */
export function openFigures(from: string | undefined, folder: string): Figures {
  const listed =
    from && existsSync(join(from, LIST))
      ? (JSON.parse(readFileSync(join(from, LIST), "utf8")) as Omit<FigureBlock, "kind" | "folder">[])
      : [];
  const given = new Set<string>();
  const give = (wanted: (name: string) => boolean): Block[] =>
    listed
      .filter(({ name }) => wanted(name))
      .map((figure) => {
        given.add(figure.name);
        return { kind: "figure", folder, ...figure };
      });
  return {
    named: (name) => give((one) => one === name),
    others: () => give((one) => !given.has(one)),
    picture({ name }) {
      const svg = readFileSync(join(from!, `${name}.svg`));
      return svg.length <= LARGEST_SVG
        ? `data:image/svg+xml;base64,${svg.toString("base64")}`
        : `data:image/png;base64,${readFileSync(join(from!, `${name}.png`)).toString("base64")}`;
    },
    files: from
      ? readdirSync(from)
          .filter((file) => file !== LIST)
          .sort()
      : [],
  };
}
