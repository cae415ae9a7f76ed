/** Tasks → jobs → arrays: which tasks share a job, and which jobs share one submission. */
import type { Task } from "../../plan/index.ts";

/** A job that the cluster has already: one element of an array. */
export interface Submitted {
  /** The array's job id, and the element's index. */
  job: string;
  index: number;
}

/** A job that is to be submitted: tasks that one machine runs, one after another or side by side. */
export interface Piece {
  /** The stage that opened it, and gives it its name. */
  stage: string;
  /** Its request to the cluster; tasks of another shape are in other pieces. */
  shape: string;
  tasks: Task[];
  /** Longer than the longest chain of pieces before it: a piece waits for lower levels only, so there is no circle. */
  level: number;
  /** The pieces that must have ended well before it may begin. */
  after: Set<Piece | Submitted>;
  /** Seconds of short tasks that still fit. */
  room: number;
}

export interface GroupOptions {
  /** Seconds of short tasks that one piece may hold. */
  group: number;
  /** The request of a task to the cluster, as one text. */
  shapeOf(task: Task): string;
  /** How long a task will take, in seconds; undefined when nothing is known. */
  secondsOf(task: Task): number | undefined;
  recipeOf(id: string): string;
}

const levelOf = (one: Piece | Submitted): number => ("level" in one ? one.level : 0);

/**
 * Puts tasks into pieces. A task that takes at most `group` seconds is short: it joins the piece that makes what it
 * needs, else a piece of the same stage and level, as long as there is room. Any other task opens a piece of its own.
 * @param tasks those to run, upstream before downstream; of two with one recipe, the first alone is placed
 * @param running recipe → the job that is making it already, one object a job
 */
export function group(tasks: Task[], running: Map<string, Submitted>, options: GroupOptions): Piece[] {
  const { recipeOf } = options;
  const makers = new Map<string, Piece | Submitted>(running);
  const pieces: Piece[] = [];
  const open = new Map<string, Piece>();
  for (const task of tasks) {
    const recipe = recipeOf(task.id);
    if (makers.has(recipe)) continue;
    const after = new Set<Piece | Submitted>();
    for (const reference of Object.values(task.inputs).flat()) {
      const maker = "id" in reference ? makers.get(recipeOf(reference.id)) : undefined;
      if (maker) after.add(maker);
    }
    const shape = options.shapeOf(task);
    const seconds = options.secondsOf(task);
    const short = seconds !== undefined && seconds <= options.group;
    const highest = Math.max(0, ...[...after].map(levelOf));
    const last = [...after].filter((one) => levelOf(one) === highest);
    const fits = (piece: Piece | Submitted | undefined): piece is Piece =>
      piece !== undefined && "level" in piece && piece.shape === shape && short && seconds <= piece.room;
    const shelf = JSON.stringify([task.stage, shape, highest + 1]);
    let piece: Piece;
    if (last.length === 1 && fits(last[0])) piece = last[0];
    else if (fits(open.get(shelf))) piece = open.get(shelf)!;
    else {
      piece = {
        stage: task.stage,
        shape,
        tasks: [],
        level: highest + 1,
        after: new Set(),
        room: options.group,
      };
      pieces.push(piece);
      if (short) open.set(shelf, piece);
    }
    piece.tasks.push(task);
    for (const one of after) if (one !== piece) piece.after.add(one);
    if (short) piece.room -= seconds;
    makers.set(recipe, piece);
  }
  for (const piece of pieces) {
    // A dependency of another dependency need not be listed: a report would name every job there is.
    const through = [...piece.after].flatMap((one) => ("level" in one ? [...one.after] : []));
    for (const one of through) piece.after.delete(one);
  }
  return pieces;
}

/** Pieces that are submitted together, each under its index. */
export interface JobArray {
  stage: string;
  shape: string;
  elements: Map<number, Piece>;
  /** The dependencies of all elements. */
  after: (Piece | Submitted)[];
  /** Each element waits, besides, for the one of the same index of this array, or of the array with this job id. */
  corresponding?: JobArray | string;
}

/** The place of a piece. */
export interface Place {
  array: JobArray;
  index: number;
}

const range = (pieces: Piece[]) => new Map(pieces.map((piece, index) => [index, piece]));

/**
 * Puts pieces into arrays, in the order in which they can be submitted: those that others wait for first. Pieces of one stage, shape and level share an array
 * where they wait for the same, or each for its own element of one other array.
 * @param size how many elements an array may have
 */
export function arrays(pieces: Piece[], size: number): { found: JobArray[]; placeOf: Map<Piece, Place> } {
  const found: JobArray[] = [];
  const placeOf = new Map<Piece, Place>();
  const keep = (array: JobArray) => {
    found.push(array);
    for (const [index, piece] of array.elements) placeOf.set(piece, { array, index });
  };
  const standsAt = (one: Piece | Submitted) =>
    "level" in one ? placeOf.get(one) : { array: one.job, index: one.index };
  const names = new Map<Piece | Submitted, number>();
  const nameOf = (one: Piece | Submitted) => {
    if (!names.has(one)) names.set(one, names.size);
    return names.get(one)!;
  };
  const shelves = new Map<string, Piece[]>();
  for (const piece of pieces) {
    const shelf = JSON.stringify([piece.level, piece.stage, piece.shape]);
    if (!shelves.get(shelf)?.push(piece)) shelves.set(shelf, [piece]);
  }
  const inOrder = [...shelves.values()].sort(([a], [b]) => a.level - b.level);
  for (const shelf of inOrder) {
    const [{ stage, shape }] = shelf;
    const alike = new Map<string, Piece[]>();
    for (const piece of shelf) {
      const waits = [...piece.after]
        .map(nameOf)
        .sort((a, b) => a - b)
        .join();
      if (!alike.get(waits)?.push(piece)) alike.set(waits, [piece]);
    }
    if (alike.size === shelf.length && shelf.length > 1) {
      // Each waits for something else: perhaps for its own element of one array, beside the common dependencies.
      const common = [...shelf[0].after].filter((one) => shelf.every(({ after }) => after.has(one)));
      const own = shelf.map(({ after }) => [...after].filter((one) => !common.includes(one)));
      const places = own.map((rest) => (rest.length === 1 ? standsAt(rest[0]) : undefined));
      const byArray = new Map<JobArray | string, Map<number, Piece>>();
      if (places.every((place) => place !== undefined)) {
        for (const [at, piece] of shelf.entries()) {
          const { array, index } = places[at]!;
          byArray.set(array, (byArray.get(array) ?? new Map()).set(index, piece));
        }
        for (const [corresponding, elements] of byArray)
          keep({ stage, shape, elements, after: common, corresponding });
        continue;
      }
    }
    for (const same of alike.values())
      for (let from = 0; from < same.length; from += size) {
        const part = same.slice(from, from + size);
        keep({ stage, shape, elements: range(part), after: [...part[0].after] });
      }
  }
  return { found, placeOf };
}

/** More ids than this make a word too long for a command line: then whole arrays are waited for. */
const MANY_IDS = 1000;

/** "0-3,7" for 0, 1, 2, 3 and 7. */
export function ranges(indices: Iterable<number>): string {
  const runs: [from: number, to: number][] = [];
  for (const index of [...indices].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && index === last[1] + 1) last[1] = index;
    else runs.push([index, index]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join();
}

/**
 * The value of `sbatch --dependency` for an array; "" when it waits for nothing.
 * @param jobOf the job id of an array that was submitted before
 */
export function dependency(
  array: JobArray,
  placeOf: Map<Piece, Place>,
  jobOf: Map<JobArray, string>,
): string {
  const ids: string[] = [];
  const wanted = new Map<JobArray, Set<number>>();
  for (const one of array.after)
    if ("level" in one) {
      const { array: maker, index } = placeOf.get(one)!;
      wanted.set(maker, (wanted.get(maker) ?? new Set()).add(index));
    } else ids.push(`${one.job}_${one.index}`);
  for (const [maker, indices] of wanted) {
    const job = jobOf.get(maker)!;
    if (indices.size === maker.elements.size || array.after.length > MANY_IDS) ids.push(job);
    else for (const index of indices) ids.push(`${job}_${index}`);
  }
  const { corresponding: own } = array;
  const corresponding = own && `aftercorr:${typeof own === "string" ? own : jobOf.get(own)}`;
  return [corresponding, ids.length ? `afterok:${ids.join(":")}` : undefined].filter(Boolean).join();
}
