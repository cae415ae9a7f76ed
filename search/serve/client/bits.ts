/** A code as a picture: a row of cells, tall for 1 and low for 0; those that differ from another code have a colour. */

const SVG = "http://www.w3.org/2000/svg";
/** Cells in a row. */
const COLUMNS = 32;
/** Of a cell in units of the picture. */
const [WIDTH, HEIGHT, LOW] = [10, 20, 6];

/** Bit j is bit j mod 8, the lowest first, of byte j / 8. */
const bitOf = (code: string, bit: number): number => {
  const byte = Number.parseInt(code.slice(2 * (bit >> 3), 2 * (bit >> 3) + 2), 16);
  return (byte >> (bit & 7)) & 1;
};

const path = (cells: [x: number, y: number, height: number][], kind: string): SVGPathElement => {
  const element = document.createElementNS(SVG, "path");
  element.setAttribute("class", kind);
  const box = ([x, y, height]: [number, number, number]) => `M${x} ${y}h${WIDTH - 2}v${height}h${2 - WIDTH}z`;
  element.setAttribute("d", cells.map(box).join(""));
  return element;
};

/**
 * Draws a code.
 * @param code hexadecimal; @param other the code it is compared with
 */
export function drawBits(code: string, bits: number, other?: string): SVGElement {
  const cells: Record<"one" | "zero" | "differ", [number, number, number][]> = {
    one: [],
    zero: [],
    differ: [],
  };
  let differing = 0;
  for (let bit = 0; bit < bits; bit++) {
    const value = bitOf(code, bit);
    const height = value ? HEIGHT - 4 : LOW;
    const x = (bit % COLUMNS) * WIDTH;
    const y = Math.floor(bit / COLUMNS) * HEIGHT + (HEIGHT - 4 - height);
    const differs = other !== undefined && bitOf(other, bit) !== value;
    differing += Number(differs);
    cells[differs ? "differ" : value ? "one" : "zero"].push([x, y, height]);
  }
  const svg = document.createElementNS(SVG, "svg");
  const [width, height] = [Math.min(bits, COLUMNS) * WIDTH, Math.ceil(bits / COLUMNS) * HEIGHT];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("class", "bits");
  svg.setAttribute("role", "img");
  svg.setAttribute(
    "aria-label",
    other === undefined ? `a code of ${bits} bits` : `a code of ${bits} bits, ${differing} of them differ`,
  );
  svg.append(path(cells.zero, "zero"), path(cells.one, "one"), path(cells.differ, "differ"));
  return svg;
}
