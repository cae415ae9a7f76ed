/** The DAG that a report rests on, stage by stage: how many instances, how many were there already, time, memory. */
import type { UpstreamRun } from "../../../runner/stage.ts";
import { type Block, cell, figureCell, heading, type Table, text } from "../document/document.ts";

/** All instances of one stage. */
export interface StageNode {
  stage: string;
  /** Stages whose outputs it takes. */
  from: string[];
  instances: number;
  hits: number;
  /** Of all its runs. */
  seconds: number;
  /** Of the largest run. */
  peakMegabytes: number;
  /** Its column: one more than that of the last stage it rests on. */
  layer: number;
}

/** The stages, each after those it rests on. */
export function stageNodes(upstream: UpstreamRun[]): StageNode[] {
  const stageOf = new Map(upstream.map(({ id, stage }) => [id, stage]));
  const nodes = new Map<string, StageNode>();
  for (const { stage, from, hit, seconds, peakMegabytes } of upstream) {
    const makers = from.flatMap((id) => stageOf.get(id) ?? []);
    const node = nodes.get(stage) ?? {
      stage,
      from: [],
      instances: 0,
      hits: 0,
      seconds: 0,
      peakMegabytes: 0,
      layer: 0,
    };
    nodes.set(stage, node);
    node.from = [...new Set([...node.from, ...makers])];
    node.instances++;
    node.hits += hit ? 1 : 0;
    node.seconds += seconds;
    node.peakMegabytes = Math.max(node.peakMegabytes, peakMegabytes);
  }
  // Some instances of a stage may rest on others of it: what comes to a stage from a later one does not move it.
  const placed = new Map<string, number>();
  for (const node of nodes.values()) {
    node.layer = Math.max(0, ...node.from.map((maker) => (placed.get(maker) ?? -1) + 1));
    placed.set(node.stage, node.layer);
  }
  return [...nodes.values()];
}

/** Sizes of the drawing, in its own units. */
const BOX = { width: 168, height: 58, across: 62, down: 22, margin: 8 };

const escaped = (words: string) => words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** 0.4 s, 12 s, 3 min 20 s */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

const counted = ({ instances, hits }: StageNode) =>
  `${instances} run${instances === 1 ? "" : "s"}, ${hits} there already`;
const megabytes = (value: number) => (value ? `${value} MB` : "–");

/** The drawing: columns from left to right, an arrow for each use, in the page's own colours. */
export function dagDrawing(nodes: StageNode[]): string {
  const columns: StageNode[][] = [];
  for (const node of nodes) {
    columns[node.layer] ??= [];
    columns[node.layer].push(node);
  }
  const tallest = Math.max(...columns.map(({ length }) => length));
  const height = tallest * (BOX.height + BOX.down) - BOX.down + 2 * BOX.margin;
  const width = columns.length * (BOX.width + BOX.across) - BOX.across + 2 * BOX.margin;
  const places = new Map<string, { x: number; y: number }>();
  for (const [layer, column] of columns.entries()) {
    // A stage is near the stages of its inputs.
    const wish = ({ from }: StageNode) => {
      const known = from.flatMap((maker) => places.get(maker)?.y ?? []);
      return known.reduce((sum, y) => sum + y, 0) / (known.length || 1);
    };
    const sorted = layer ? column.toSorted((a, b) => wish(a) - wish(b)) : column;
    const top = (height - sorted.length * (BOX.height + BOX.down) + BOX.down) / 2;
    for (const [row, { stage }] of sorted.entries())
      places.set(stage, {
        x: BOX.margin + layer * (BOX.width + BOX.across),
        y: top + row * (BOX.height + BOX.down),
      });
  }
  const middle = BOX.height / 2;
  const arrows = nodes.flatMap(({ stage, from }) =>
    from.map((maker) => {
      const [a, b] = [places.get(maker)!, places.get(stage)!];
      const [x1, y1, x2, y2] = [a.x + BOX.width, a.y + middle, b.x - 7, b.y + middle];
      const bend = (x2 - x1) / 2;
      return `<path d="M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}" marker-end="url(#arrow)"/>`;
    }),
  );
  const boxes = nodes.map((node) => {
    const { x, y } = places.get(node.stage)!;
    const line = (words: string, at: number, weight = "") =>
      `<text x="${x + 10}" y="${y + at}"${weight}>${escaped(words)}</text>`;
    const dash = node.hits === node.instances ? ' stroke-dasharray="4 3"' : "";
    return `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"${dash}/>${line(node.stage, 18, ' font-weight="600"')}${line(counted(node), 34)}${line(`${duration(node.seconds)}, ${megabytes(node.peakMegabytes)}`, 50)}`;
  });
  return `<svg class="dag" role="img" aria-label="The stages and what they take from each other; the table below has the same." viewBox="0 0 ${width} ${height}" width="${width}" xmlns="http://www.w3.org/2000/svg"><defs><marker id="arrow" viewBox="0 0 8 8" refX="2" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs><g fill="none" stroke="currentColor" stroke-opacity="0.5">${arrows.join("")}</g><g fill="none" stroke="currentColor">${boxes.map((box) => box.replaceAll("<text", '<text fill="currentColor" stroke="none" font-size="12"')).join("")}</g></svg>`;
}

/** The same as a table. */
function dagTable(nodes: StageNode[]): Table {
  return {
    kind: "table",
    caption:
      "Every stage that the report rests on: its runs, how many of them were in the store already, the seconds of all runs when they were made, and the memory of the largest.",
    columns: [
      { title: "stage" },
      { title: "takes from" },
      { title: "runs", number: true },
      { title: "there already", number: true },
      { title: "seconds", number: true },
      { title: "peak memory, MB", number: true },
    ],
    rows: nodes.map(({ stage, from, instances, hits, seconds, peakMegabytes }) => [
      cell(stage),
      cell(from.join(", ") || "nothing"),
      figureCell(instances, 0),
      figureCell(hits, 0),
      figureCell(seconds, 1),
      peakMegabytes ? figureCell(peakMegabytes, 0) : { text: "–", sort: 0 },
    ]),
  };
}

/** The section of stages; nothing where none came before. */
export function dagBlocks(upstream: UpstreamRun[]): Block[] {
  if (upstream.length === 0) return [];
  const nodes = stageNodes(upstream);
  const hits = upstream.filter(({ hit }) => hit).length;
  const seconds = upstream.reduce((sum, run) => sum + run.seconds, 0);
  return [
    heading(2, "The stages behind the report"),
    text(
      `${upstream.length} runs of ${nodes.length} stages, ${hits} of them in the store already when the report was made. All of them together took ${duration(seconds)} when they were made; those that ran side by side are counted in full. A dashed box: nothing of the stage had to run.`,
    ),
    { kind: "drawing", svg: dagDrawing(nodes) },
    dagTable(nodes),
  ];
}
