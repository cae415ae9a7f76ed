/** Names of groups in words, for people: "FaceNet, semi-hard, 1,024 units, 2,000 steps". Addresses keep the labels. */
import type { Point, Scalar } from "../../../runner/stage.ts";
import { isRaw, labelOf } from "./groups.ts";
import { paramOf, type Recipe } from "./recipe.ts";

/** How the field writes the names of parts; another name is written as it is, with spaces for hyphens. */
const WORDS: Record<string, string> = {
  all: "all triplets",
  "all-positive": "all positive pairs",
  adsh: "ADSH",
  arcface: "ArcFace",
  cosface: "CosFace",
  csq: "CSQ",
  dpsh: "DPSH",
  dtsh: "DTSH",
  qsmih: "QSMIH",
  orthohash: "OrthoHash",
  lcdsh: "LCDSH",
  idhn: "IDHN",
  hashnet: "HashNet",
  dshsd: "DSHSD",
  dsh: "DSH",
  dpn: "DPN",
  dhn: "DHN",
  dch: "DCH",
  dfh: "DFH",
  dsdh: "DSDH",
  dbdh: "DBDH",
  bihalf: "Bi-half",
  facenet: "FaceNet",
  "fast-ap": "FastAP",
  greedyhash: "GreedyHash",
  "hard-negative": "hard negatives",
  "hardest-negative": "hardest negatives",
  hdc: "HDC",
  "hoffer-ailon": "Hoffer & Ailon",
  "identification-verification": "identification and verification",
  itq: "ITQ",
  lsh: "LSH",
  "mean-negative": "mean negative",
  "multi-similarity": "Multi-Similarity",
  "multi-similarity-pairs": "Multi-Similarity pairs",
  "n-pair": "N-pair",
  nca: "NCA",
  "nt-xent": "NT-Xent",
  "pca-sign": "PCA and sign",
  "proxy-anchor": "Proxy-Anchor",
  "proxy-nca": "ProxyNCA",
  "proxy-nca-plus": "ProxyNCA++",
  "random-negative": "random negatives",
  "semihard-negative": "semi-hard",
  "snr-contrastive": "SNR contrastive",
  "soft-triple": "SoftTriple",
  sphereface: "SphereFace",
  "subcenter-arcface": "sub-centre ArcFace",
  supcon: "SupCon",
  vicreg: "VICReg",
};

/** Axes that come first in a name, and those that come last; the others keep their order between them. */
const FIRST = ["loss", "binariser", "selector"];
const LAST = ["steps", "bits"];
/** Numbers of these axes go before their word. */
const UNITS: Record<string, string> = { steps: "steps", bits: "bits" };
/** The param whose unusual values are in a name although no axis has them. */
const WIDTH = "network.hidden";

/** A part's name in words. */
export const partWords = (name: string): string =>
  Object.hasOwn(WORDS, name) ? WORDS[name] : name.replaceAll(/(?<=\p{L})-(?=[\p{L}\d])/gu, " ");

/** A name without the length of its code. */
export const lengthless = (name: string): string => name.replace(/, [\d,]+ bits(?= \(|,|$)/, "");

/** The value of an axis in words: "semi-hard", "48 bits", "margin 0.5". */
export function axisWords(axis: string, value: Scalar): string {
  if (typeof value === "string") return partWords(value);
  const number = typeof value === "number" ? value.toLocaleString("en-US") : String(value);
  return Object.hasOwn(UNITS, axis) ? `${number} ${UNITS[axis]}` : `${axis} ${number}`;
}

const place = (axis: string): number =>
  FIRST.includes(axis) ? FIRST.indexOf(axis) - FIRST.length : LAST.indexOf(axis) + 1;

/** The input of a name. */
export interface Named {
  label: string;
  point: Point;
  recipe: Recipe;
}

/** The width of a network, as in a name; "" where there is none. */
function widthOf({ recipe }: Named): string {
  const width = paramOf(recipe, WIDTH);
  if (width === undefined) return "";
  const units = (Array.isArray(width) ? width : [width]).map((one) => Number(one).toLocaleString("en-US"));
  return `${units.join(" and ")} units`;
}

function wordsOf({ label, point }: Named, width: string): string {
  const raw = isRaw(label);
  const axes = labelOf(point, "");
  if (!axes && !raw) return label;
  const parts = Object.entries(point)
    .filter(([axis]) => axis !== "seed" && axis !== "protocol")
    .sort(([a], [b]) => place(a) - place(b))
    .map(([axis, value]): [string, string] => [axis, axisWords(axis, value)]);
  const before = parts.filter(([axis]) => !LAST.includes(axis)).map(([, words]) => words);
  const after = parts.filter(([axis]) => LAST.includes(axis)).map(([, words]) => words);
  // Where one name is that of two kinds of runs, the label ends with what tells them apart.
  const end = axes && label.includes(axes) ? label.slice(label.indexOf(axes) + axes.length) : "";
  const last = end.startsWith(" · ") ? `, ${end.slice(3)}` : end; // the protocol of a training
  return `${[...(raw ? ["pretrained features"] : []), ...before, ...(width ? [width] : []), ...after].join(", ")}${last}`;
}

/**
 * A name in words for the label of each group; a width that most do not have is part of it. No two are alike.
 * @param groups each label once
 */
export function namesOf(groups: Named[]): Map<string, string> {
  const counts = new Map<string, number>();
  for (const group of groups) {
    const width = widthOf(group);
    if (width) counts.set(width, (counts.get(width) ?? 0) + 1);
  }
  const usual = [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? "";
  const names = new Map<string, string>();
  for (const group of groups) {
    const width = widthOf(group);
    const words = wordsOf(group, width === usual ? "" : width);
    names.set(group.label, [...names.values()].includes(words) ? `${words} (${group.label})` : words);
  }
  return names;
}
