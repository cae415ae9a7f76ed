/** A forward pass whose gradients are taken later: in between, values can be awaited. */
import * as tf from "@tensorflow/tfjs-core";

/** The part of tfjs's engine that records operations; its types keep it private. */
interface Recorder {
  state: { activeTape: object[] | null };
  startTape(): void;
  endTape(): void;
  gradients(
    forward: () => tf.Tensor,
    xs: tf.Tensor[],
    dy: tf.Tensor | null,
    allowNoGradients: boolean,
  ): { value: tf.Tensor; grads: (tf.Tensor | null)[] };
}
const recorder = tf.engine() as unknown as Recorder;

/** Runs work in a scope, which may await: the tensors that it leaves are disposed of. */
export async function scoped<T>(work: () => Promise<T>): Promise<T> {
  tf.engine().startScope();
  try {
    return await work();
  } finally {
    tf.engine().endScope();
  }
}

/** A forward pass on record. */
export interface Recorded<T extends tf.Tensor> {
  value: T;
  /**
   * The gradients of these tensors, undefined for one that the value does not depend on; once only.
   * @param dy of the value, in its shape
   */
  gradients(xs: tf.Tensor[], dy: tf.Tensor): (tf.Tensor | undefined)[];
}

/** Runs and records a forward pass. Its value belongs to the scope of the caller. */
export function record<T extends tf.Tensor>(forward: () => T): Recorded<T> {
  recorder.startTape();
  let value: T;
  try {
    value = tf.tidy(forward);
  } finally {
    recorder.endTape();
  }
  const { activeTape } = recorder.state;
  const again = () => {
    recorder.state.activeTape = activeTape; // the engine began an empty tape: this one takes its place
    return value;
  };
  return { value, gradients: (xs, dy) => defined(recorder.gradients(again, xs, dy, true).grads) };
}

/** A scalar and its gradients, undefined for a tensor that it does not depend on. */
export function gradientsOf<T extends tf.Scalar>(
  forward: () => T,
  xs: tf.Tensor[],
): { value: T; gradients: (tf.Tensor | undefined)[] } {
  const { value, grads } = recorder.gradients(forward, xs, null, true);
  return { value: value as T, gradients: defined(grads) };
}

const defined = (gradients: (tf.Tensor | null)[]) => gradients.map((gradient) => gradient ?? undefined);
