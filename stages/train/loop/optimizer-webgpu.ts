/**
 * The optimizer of all weights on WebGPU: their values, gradients and moments in a few long arrays, so that a step takes
 * two shaders and not several for each weight.
 */
import * as tf from "@tensorflow/tfjs-core";
import { copyValues, gpu, type Part, runShader, type Shader } from "../../shared/compute/shader.ts";
import { FIRST_POWERS, nextPowers, numbersOf } from "../engine/adam.ts";
import { MOMENTUM } from "../engine/optimizer.ts";
import { GROUPS, membersOf, type Rates } from "./rates.ts";
import type { OptimizerOptions, SavedUpdater, Updater } from "./updater.ts";

/** Threads of a workgroup, and values of a block: a weight begins at a block, and has it for itself. */
const BLOCK = 256;
/** Workgroups that add up squares, and so the sums that they give. */
const SUMS = 256;
/** Bits of a block: whether it moves in this step, is of the backbone, decays. */
const [MOVES, OF_BACKBONE, DECAYS] = [1, 2, 4];

/** The sum of all values of `part`, at its first place. */
const TREE = `
      workgroupBarrier();
      for (var step = ${BLOCK / 2}; step > 0; step = step / 2) {
        if (i32(localIndex) < step) {
          part[localIndex] = part[localIndex] + part[localIndex + u32(step)];
        }
        workgroupBarrier();
      }`;

const SQUARES: Shader = {
  key: "squares",
  inputs: ["slopes", "blocks"],
  ints: ["size"],
  threads: BLOCK,
  code: `
    var<workgroup> part : array<f32, ${BLOCK}>;
    fn main(index : i32) {
      var sum = 0.0;
      for (var at = index; at < uniforms.size; at = at + ${BLOCK * SUMS}) {
        if ((i32(blocks[at / ${BLOCK}]) & ${MOVES}) != 0) { sum = sum + slopes[at] * slopes[at]; }
      }
      part[localIndex] = sum;
      ${TREE}
      if (localIndex == 0u) { result[index / ${BLOCK}] = part[0]; }
    }`,
};

/** The step of a weight: the moments follow the values in the array, each as long. */
const STEPS = {
  adam: `
      let first = result[uniforms.size + index] * uniforms.keep1 + slope * uniforms.take1;
      let second = result[2 * uniforms.size + index] * uniforms.keep2 + slope * slope * uniforms.take2;
      result[uniforms.size + index] = first;
      result[2 * uniforms.size + index] = second;
      let by = first / uniforms.rest1 / (sqrt(second / uniforms.rest2) + uniforms.least);`,
  sgd: `
      let by = result[uniforms.size + index] * uniforms.keep1 + slope;
      result[uniforms.size + index] = by;`,
};

/** @param clips whether the gradients are made shorter where all together are too long (Pascanu et al. 2013) */
const stepShader = (optimizer: keyof typeof STEPS, clips: boolean): Shader => ({
  key: `${optimizer}_${clips}`,
  inputs: ["slopes", "blocks", ...(clips ? ["squares"] : [])],
  floats: [...(clips ? ["longest"] : []), ...RATES, ...NUMBERS[optimizer]],
  ints: ["size"],
  threads: BLOCK,
  code: `
    ${clips ? `var<workgroup> part : array<f32, ${BLOCK}>;` : ""}
    fn main(index : i32) {
      ${clips ? `part[localIndex] = squares[localIndex];${TREE}` : ""}
      if (index >= uniforms.size) { return; }
      let block = i32(blocks[index / ${BLOCK}]);
      if ((block & ${MOVES}) == 0) { return; }
      let slope = slopes[index]${clips ? " * min(1.0, uniforms.longest / (sqrt(part[0]) + 1e-6))" : ""};
      ${STEPS[optimizer]}
      let backbone = (block & ${OF_BACKBONE}) != 0;
      let rate = select(uniforms.rateHead, uniforms.rateBackbone, backbone);
      let decay = select(uniforms.decayHead, uniforms.decayBackbone, backbone);
      let value = result[index] * select(1.0, decay, (block & ${DECAYS}) != 0);
      result[index] = value - by * rate;
    }`,
});
const RATES = ["rateHead", "rateBackbone", "decayHead", "decayBackbone"];
const NUMBERS = {
  adam: ["keep1", "take1", "keep2", "take2", "least", "rest1", "rest2"],
  sgd: ["keep1"],
};
/** Slots of a weight. */
const MOMENTS = { adam: 2, sgd: 1 };

/** A weight in the arrays. */
interface Member {
  variable: tf.Variable;
  /** Its first place. */
  from: number;
  count: number;
  /** Of its blocks, but for whether it moves. */
  bits: number;
  /** The values that the arrays hold of it. */
  held?: object;
  /** Whether it has moments. */
  moved: boolean;
}

/** Values of the array that holds a weight: the weight's own, up to the end of its last block. */
const placesOf = ({ size }: tf.Variable): number => Math.ceil(size / BLOCK) * BLOCK;

/** Whether the values and moments of all weights fit into one array of this GPU. */
export function fitsOneBuffer(variables: tf.Variable[], optimizer: keyof typeof MOMENTS): boolean {
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu().device.limits;
  const places = variables.reduce((sum, variable) => sum + placesOf(variable), 0);
  return 4 * places * (1 + MOMENTS[optimizer]) <= Math.min(maxStorageBufferBindingSize, maxBufferSize);
}

const kept = (values: Float32Array): tf.Tensor1D => tf.keep(tf.tensor1d(values));

/** The arrays of some weights, and what moves them. */
class Arrays {
  readonly members: Member[];
  readonly size: number;
  private readonly moments: number;
  private readonly slopes: tf.Tensor1D;
  /** The values of all weights, then their moments, one array after the other. */
  private state: tf.Tensor1D;
  private blocks?: { moving: string; bits: tf.Tensor1D };

  constructor(variables: tf.Variable[], backbone: Set<tf.Variable>, decays: boolean, moments: number) {
    let from = 0;
    this.members = variables.map((variable) => {
      const own = backbone.has(variable) ? OF_BACKBONE : 0;
      // A bias, which has one dimension, does not decay.
      const bits = own | (decays && variable.rank > 1 ? DECAYS : 0);
      const member = { variable, from, count: variable.size, bits, moved: false };
      from += placesOf(variable);
      return member;
    });
    this.size = from;
    this.moments = moments;
    this.slopes = kept(new Float32Array(from));
    this.state = kept(new Float32Array(from * (1 + moments)));
  }

  /** Moves the weights that have a gradient. @param shader how @param floats its numbers */
  step(gradients: (tf.Tensor | undefined)[], shader: Shader, floats: number[], clips: boolean): void {
    const given = this.members.flatMap((member, at) => {
      const gradient = gradients[at];
      return gradient ? [{ member, gradient }] : [];
    });
    if (given.length === 0) return;
    const blocks = this.blocksOf(gradients);
    const at = (tensor: tf.TensorInfo, from = 0): Part => ({ tensor, at: from });
    // Values that something else changed since, as it does before the first step.
    const fresh = given.filter(({ member }) => member.held !== member.variable.dataId);
    copyValues([
      ...given.map(({ member: { from, count }, gradient }) => ({
        ...{ from: at(gradient), to: at(this.slopes, from), count },
      })),
      ...fresh.map(({ member: { variable, from, count } }) => ({
        ...{ from: at(variable), to: at(this.state, from), count },
      })),
    ]);
    const inputs: tf.TensorInfo[] = [this.slopes, blocks];
    const ints = [this.size];
    if (clips) inputs.push(runShader(SQUARES, { inputs, ints, groups: [SUMS] }, [SUMS]));
    runShader(shader, { inputs, ints, floats, groups: [this.size / BLOCK] }, this.state);
    if (clips) gpu().disposeData(inputs[2].dataId);
    // New tensors, for copies of a weight share the old one's.
    const made = given.map(({ member: { variable } }) => gpu().makeTensorInfo(variable.shape, "float32"));
    copyValues(
      given.map(({ member: { from, count } }, k) => ({ from: at(this.state, from), to: at(made[k]), count })),
    );
    for (const [k, { member }] of given.entries()) {
      member.variable.assign(tf.engine().makeTensorFromTensorInfo(made[k]));
      member.held = member.variable.dataId;
      member.moved = true;
    }
  }

  private blocksOf(gradients: (tf.Tensor | undefined)[]): tf.Tensor1D {
    const moving = this.members.map((_, at) => (gradients[at] ? 1 : 0)).join("");
    if (this.blocks?.moving !== moving) {
      tf.dispose(this.blocks?.bits ?? []);
      const bits = new Float32Array(this.size / BLOCK);
      for (const [at, { from, count, bits: own }] of this.members.entries())
        bits.fill(own | (gradients[at] ? MOVES : 0), from / BLOCK, Math.ceil((from + count) / BLOCK));
      this.blocks = { moving, bits: kept(bits) };
    }
    return this.blocks.bits;
  }

  /** The moments of the weights that have some, by their places. */
  async read(): Promise<Map<number, Float32Array[]>> {
    const values = (await this.state.data()) as Float32Array;
    return new Map(
      this.members.flatMap(({ from, count, moved }, at) => {
        const own = Array.from({ length: this.moments }, (_, k) => {
          const start = (k + 1) * this.size + from;
          return values.slice(start, start + count);
        });
        return moved ? [[at, own]] : [];
      }),
    );
  }

  /** Takes other moments. */
  write(moments: Map<number, Float32Array[]>): void {
    const values = new Float32Array(this.size * (1 + this.moments));
    for (const [at, member] of this.members.entries()) {
      const own = moments.get(at);
      for (const [k, part] of (own ?? []).entries()) values.set(part, (k + 1) * this.size + member.from);
      member.moved = own !== undefined;
      member.held = undefined;
    }
    tf.dispose(this.state);
    this.state = kept(values);
  }

  dispose(): void {
    tf.dispose([this.slopes, this.state, ...(this.blocks ? [this.blocks.bits] : [])]);
  }
}

/** The optimizers of some weights on WebGPU, see `updater`. */
export function gpuUpdater(
  variables: tf.Variable[],
  { optimizer, weightDecay = 0, clip }: OptimizerOptions,
  backbone: tf.Variable[],
): Updater {
  const groups = membersOf(variables, backbone);
  const arrays = new Arrays(variables, new Set(backbone), weightDecay > 0, MOMENTS[optimizer]);
  const shader = stepShader(optimizer, clip !== undefined);
  let powers = optimizer === "adam" ? FIRST_POWERS : [];
  return {
    update(gradients, rates: Rates) {
      const numbers = optimizer === "adam" ? numbersOf(powers) : [MOMENTUM];
      const [head, other] = GROUPS.map((group) => rates[group]);
      const decays = [head, other].map((rate) => 1 - rate * weightDecay);
      const floats = [...(clip === undefined ? [] : [clip]), head, other, ...decays, ...numbers];
      tf.tidy(() => arrays.step(gradients, shader, floats, clip !== undefined));
      if (optimizer === "adam") powers = nextPowers(powers);
    },
    async save(): Promise<SavedUpdater> {
      const moments = await arrays.read();
      return groups.map(({ members }) => ({
        numbers: powers,
        slots: members.flatMap(({ at }): [number, Float32Array[]][] =>
          moments.has(at) ? [[at, moments.get(at)!]] : [],
        ),
      }));
    },
    restore(saved) {
      powers = saved[0].numbers;
      arrays.write(new Map(saved.flatMap(({ slots }) => slots)));
    },
    dispose: () => arrays.dispose(),
  };
}
