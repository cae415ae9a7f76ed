/**
 * The gradients of PReLU in one pass each over WebAssembly's memory, with the bytes of tfjs's, which compares, multiplies
 * and selects in turn.
 */
import * as tf from "@tensorflow/tfjs-core";
import {
  advance,
  again,
  END,
  functionsIn,
  get,
  I32,
  LOOP,
  loadVector,
  MULTIPLY,
  moduleOf,
  set,
  storeVector,
  V128,
  words,
} from "../../shared/compute/assembler.ts";
import { addressOf, type Heap, memoryHere } from "../../shared/compute/heap.ts";

const VECTOR = 16;
const [GREATER, WITHOUT, SELECT] = [0x44, 0x4f, 0x52].map((code) => [0xfd, code]);
const ZERO = [0xfd, 0x0c, ...Array<number>(VECTOR).fill(0)];
const [X, DY, ALPHA, TO, ROWS, FOURS] = [0, 1, 2, 3, 4, 5];
const [AT, LEFT, SLOPE] = [6, 7, 8];
const positive = [...loadVector(X), ...ZERO, ...GREATER];

/** A pass over rows, each beside the same alphas. */
const pass = (value: number[]) => [
  ...[2, 2, I32, 1, V128],
  ...LOOP,
  ...[...get(ALPHA), ...set(AT), ...get(FOURS), ...set(LEFT)],
  ...LOOP,
  ...[...loadVector(DY), ...set(SLOPE), ...get(TO), ...value, ...storeVector()],
  ...[X, DY, AT, TO].flatMap((address) => advance(address, VECTOR)),
  ...[...again(LEFT), END, ...again(ROWS), END, END],
];
/** to = dy where x > 0, else dy alpha */
const ofX = pass([...get(SLOPE), ...get(SLOPE), ...loadVector(AT), ...MULTIPLY, ...positive, ...SELECT]);
/** to = 0 where x > 0, else dy x */
const ofAlpha = pass([...get(SLOPE), ...loadVector(X), ...MULTIPLY, ...positive, ...WITHOUT]);

const MODULE = moduleOf({ x: { takes: words(6), body: ofX }, a: { takes: words(6), body: ofAlpha } });

type Pass = (x: number, dy: number, alpha: number, to: number, rows: number, fours: number) => void;
type Passes = Record<"x" | "a", Pass>;
const known = new WeakMap<WebAssembly.Memory, Passes | undefined>();

/** The passes on the backend that is at work; undefined where that is not WebAssembly with vectors. */
function passesHere(): Passes | undefined {
  const memory = memoryHere();
  if (memory && !known.has(memory)) known.set(memory, functionsIn(memory, MODULE) as Passes | undefined);
  return memory && known.get(memory);
}

/** The gradients; undefined where tfjs is to compute them. */
function gradients(dy: tf.Tensor, [x, alpha]: tf.Tensor[]): ReturnType<tf.GradFunc> | undefined {
  const passes = passesHere();
  const axes = x.rank - alpha.rank;
  const first = alpha.shape.findIndex((length) => length !== 1); // those before it are shared
  const beside =
    first >= 0 && alpha.shape.slice(first).every((length, k) => length === x.shape[axes + first + k]);
  if (!passes || axes < 0 || !beside || alpha.size % 4 !== 0 || x.size === 0) return undefined;
  if ([dy, x, alpha].some(({ dtype }) => dtype !== "float32")) return undefined;
  const run = (pass: Pass) => {
    const heap = tf.backend() as unknown as Heap;
    const to = heap.makeOutput(x.shape, "float32");
    const [ofX, ofY, ofAlpha, at] = [x, dy, alpha, to].map((one) => addressOf(heap, one));
    pass(ofX, ofY, ofAlpha, at, x.size / alpha.size, alpha.size / 4);
    return tf.engine().makeTensorFromTensorInfo(to);
  };
  return {
    x: () => run(passes.x),
    alpha: () => {
      const slopes = run(passes.a);
      const shared = tf.broadcast_util.getReductionAxes(alpha.shape, dy.shape);
      return tf.reshape(shared.length > 0 ? tf.sum(slopes, shared) : slopes, alpha.shape);
    },
  };
}

/** tfjs's own gradient, kept beside ours: several bundles may share tfjs. */
const OWN = Symbol.for("deephash.prelu");

/** Puts the gradients before those of tfjs; again and again without harm. */
export function putPreluGradient(): void {
  const config = tf.getGradient("Prelu") as (tf.GradConfig & { [OWN]?: tf.GradFunc }) | undefined;
  if (!config) return;
  config[OWN] ??= config.gradFunc;
  const own = config[OWN];
  config.gradFunc = (dy, saved, attrs) => gradients(dy as tf.Tensor, saved) ?? own(dy, saved, attrs);
}
