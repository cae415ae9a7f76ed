/** Makes a trainable network of a part of an ONNX graph. */
import { UserError } from "../../../runner/stage.ts";
import { floatOf, intOf, intsOf, textOf } from "../onnx/attributes.ts";
import type { Model, Node } from "../onnx/model.ts";
import { cut } from "./cut.ts";
import type { Pads, Pair, Step, Trainable, Weight } from "./steps.ts";
import { kernelFromOnnx, transpose, type Values, Weights, withConstants } from "./weights.ts";

/** The operators that can be trained through. */
const OPERATORS =
  "Add, AveragePool, BatchNormalization, Clip, Conv, Dropout, Flatten, Gemm, GlobalAveragePool, Identity, MatMul, MaxPool, ReduceMean, Relu, Reshape, Sum";

/** Builds the steps one by one, and knows who reads each tensor. */
class Importer {
  readonly steps: Step[] = [];
  readonly weights = new Map<string, Weight>();
  private readonly read: Weights;
  private readonly path: string;
  /** Tensors that are another under a second name. */
  private readonly aliases = new Map<string, string>();
  private readonly readers = new Map<string, number>();

  constructor({ graph }: Model, nodes: Node[], to: string, path: string) {
    this.read = new Weights(graph, path);
    this.path = path;
    for (const { input } of nodes)
      for (const name of new Set(input)) this.readers.set(name, (this.readers.get(name) ?? 0) + 1);
    this.readers.set(to, (this.readers.get(to) ?? 0) + 1);
  }

  add(node: Node): void {
    const { opType, input, output } = node;
    const [x, y] = [this.nameOf(input[0]), output[0]];
    switch (opType) {
      case "Conv":
        this.convolution(node, x, y);
        return;
      case "BatchNormalization":
        this.norm(node, x, y);
        return;
      case "Relu":
        this.clip(x, y, 0, null);
        return;
      case "Clip":
        this.clipOf(node, x, y);
        return;
      case "Add":
      case "Sum":
        this.sum(node, y);
        return;
      case "MaxPool":
      case "AveragePool":
        this.pool(node, x, y);
        return;
      case "GlobalAveragePool":
        this.steps.push({ op: "mean", x, y, flat: false });
        return;
      case "ReduceMean":
        this.mean(node, x, y);
        return;
      case "Gemm":
      case "MatMul":
        this.dense(node, x, y);
        return;
      case "Flatten":
      case "Reshape":
        this.flatten(node, x, y);
        return;
      case "Identity":
      case "Dropout":
        this.aliases.set(y, x);
        // Nodes that read the other name read this tensor.
        this.readers.set(x, (this.readers.get(x) ?? 1) - 1 + (this.readers.get(y) ?? 0));
        return;
      default:
        throw this.refusal(node, `there is no gradient for it. Operators that are known: ${OPERATORS}`);
    }
  }

  /** A tensor as a vector for each image. */
  vector(name: string): string {
    const made = this.steps.findLast(({ y }) => y === name);
    if (made?.op === "flatten" || made?.op === "dense" || (made?.op === "mean" && made.flat)) return name;
    this.steps.push({ op: "flatten", x: name, y: `${name}/vector` });
    return `${name}/vector`;
  }

  nameOf(name: string): string {
    return this.aliases.get(name) ?? name;
  }

  private refusal({ opType, output }: Node, why: string): UserError {
    return new UserError(
      `${this.path}: the operator ${opType} (tensor "${output[0]}") cannot be trained through: ${why}.`,
    );
  }

  private keep(name: string, { shape, values }: Values, trainable = true): string {
    // Two nodes may share weights that are folded differently: each has its own.
    let own = name;
    for (let copy = 2; this.weights.has(own); copy++) own = `${name}_${copy}`;
    this.weights.set(own, { name: own, shape, values, trainable });
    return own;
  }

  private zeros(name: string, length: number): string {
    return this.keep(name, { shape: [length], values: new Float32Array(length) });
  }

  private convolution(node: Node, x: string, y: string): void {
    const kernel = this.read.get(node.input[1]);
    if (kernel.shape.length !== 4) throw this.refusal(node, "its kernel is not of two dimensions");
    const [out, perGroup, height, width] = kernel.shape;
    const groups = intOf(node, "group", 1);
    const depthwise = groups > 1 && perGroup === 1;
    const strides = (intsOf(node, "strides") ?? [1, 1]) as Pair;
    const dilations = (intsOf(node, "dilations") ?? [1, 1]) as Pair;
    if (dilations.some((step) => step !== 1)) throw this.refusal(node, "it is dilated");
    this.steps.push({
      ...{ op: "convolution", x, y, strides, dilations, groups, depthwise, activation: "linear" },
      pads: this.padsOf(node, [height, width]),
      kernel: this.keep(node.input[1], kernelFromOnnx(kernel, depthwise ? groups : undefined)),
      bias: node.input[2]
        ? this.keep(node.input[2], this.read.get(node.input[2]))
        : this.zeros(`${y}_bias`, out),
    });
  }

  /** @throws UserError where the pads depend on the image's size */
  private padsOf(node: Node, kernel: Pair): Pads {
    const auto = textOf(node, "auto_pad", "NOTSET");
    const strides = intsOf(node, "strides") ?? [1, 1];
    if (auto !== "NOTSET" && auto !== "VALID" && strides.some((step) => step !== 1))
      throw this.refusal(node, `its pads are "${auto}" with strides, which depends on the image's size`);
    if (auto === "NOTSET") return (intsOf(node, "pads") ?? [0, 0, 0, 0]) as Pads;
    if (auto === "VALID") return [0, 0, 0, 0];
    const [high, low] = [kernel.map((side) => side >> 1), kernel.map((side) => (side - 1) >> 1)];
    return (auto === "SAME_UPPER" ? [...low, ...high] : [...high, ...low]) as Pads;
  }

  /** The step that made a tensor, if nothing else reads it: it may be changed. */
  private makerOf(x: string): Step | undefined {
    const last = this.steps.findLast(({ y }) => y === x);
    return this.readers.get(x) === 1 ? last : undefined;
  }

  /** y = scale x + shift, by channel: folded into the layer before it, or by itself and frozen. */
  private norm(node: Node, x: string, y: string): void {
    const [gamma, beta, mean, variance] = node.input.slice(1, 5).map((name) => this.read.get(name).values);
    const epsilon = floatOf(node, "epsilon", 1e-5);
    const scale = gamma.map((factor, c) => factor / Math.sqrt(variance[c] + epsilon));
    const shift = beta.map((offset, c) => offset - mean[c] * scale[c]);
    const before = this.makerOf(x);
    if ((before?.op !== "convolution" && before?.op !== "dense") || before.activation !== "linear") {
      const of = (name: string, values: Float32Array) =>
        this.keep(`${y}_${name}`, { shape: [values.length], values }, false);
      this.steps.push({ op: "scale", x, y, scale: of("scale", scale), shift: of("shift", shift) });
      return;
    }
    const [kernel, bias] = [before.kernel, before.bias].map((name) => this.weights.get(name)!);
    const channels = scale.length;
    // The output's channels come last, also where they are split in two axes.
    kernel.values = kernel.values.map((value, i) => value * scale[i % channels]);
    bias.values = bias.values.map((value, c) => value * scale[c] + shift[c]);
    before.y = y;
  }

  private clipOf(node: Node, x: string, y: string): void {
    const limit = (index: number, name: string, otherwise: number) => {
      const given = node.input[index];
      if (given && !this.read.has(given)) throw this.refusal(node, "its limits are computed");
      return given ? this.read.get(given).values[0] : floatOf(node, name, otherwise);
    };
    const [low, high] = [limit(1, "min", -Infinity), limit(2, "max", Infinity)];
    this.clip(x, y, low > -3e38 ? low : null, high < 3e38 ? high : null);
  }

  private clip(x: string, y: string, low: number | null, high: number | null): void {
    const before = this.makerOf(x);
    const activation = low !== 0 ? undefined : high === null ? "relu" : high === 6 ? "relu6" : undefined;
    const fused = before && (before.op === "convolution" || before.op === "dense") && activation;
    if (fused && before.activation === "linear") {
      before.activation = activation;
      before.y = y;
    } else this.steps.push({ op: "clip", x, y, low, high });
  }

  private sum(node: Node, y: string): void {
    const fixed = node.input.filter((name) => this.read.has(name));
    const moving = node.input.filter((name) => !this.read.has(name)).map((name) => this.nameOf(name));
    if (fixed.length === 1 && moving.length === 1) {
      // The bias of a MatMul, or of a convolution.
      const before = this.makerOf(moving[0]);
      const { values, shape } = this.read.get(fixed[0]);
      const bias = before && "bias" in before ? this.weights.get(before.bias)! : undefined;
      if (!before || !bias || !("activation" in before) || before.activation !== "linear")
        throw this.refusal(node, "it adds fixed values to what no layer made");
      if (bias.values.length !== values.length)
        throw this.refusal(node, `it adds values of the shape [${shape.join(", ")}]`);
      bias.values = bias.values.map((value, c) => value + values[c]);
      before.y = y;
      return;
    }
    if (moving.length !== 2 || fixed.length > 0) throw this.refusal(node, "it does not add two tensors");
    this.steps.push({ op: "add", x: moving[0], other: moving[1], y });
  }

  private pool(node: Node, x: string, y: string): void {
    const kernel = intsOf(node, "kernel_shape") as Pair;
    if ((intsOf(node, "dilations") ?? []).some((step) => step !== 1))
      throw this.refusal(node, "it is dilated");
    if (intOf(node, "ceil_mode", 0)) throw this.refusal(node, "it rounds up (ceil_mode)");
    this.steps.push({
      ...{ op: node.opType === "MaxPool" ? "max" : "average", x, y, kernel },
      strides: (intsOf(node, "strides") ?? [1, 1]) as Pair,
      pads: this.padsOf(node, kernel),
      countPads: intOf(node, "count_include_pad", 0) === 1,
    });
  }

  private mean(node: Node, x: string, y: string): void {
    const axes = intsOf(node, "axes") ?? this.read.numbers(node.input[1]) ?? [];
    const places = axes.map((axis) => (axis < 0 ? axis + 4 : axis)).sort();
    if (String(places) !== "2,3") throw this.refusal(node, "it is not the mean over height and width");
    this.steps.push({ op: "mean", x, y, flat: intOf(node, "keepdims", 1) === 0 });
  }

  private dense(node: Node, x: string, y: string): void {
    const { opType, input } = node;
    const flipped = opType === "Gemm" && intOf(node, "transB", 0) === 1;
    const [alpha, beta] = ["alpha", "beta"].map((name) => floatOf(node, name, 1));
    if (opType === "Gemm" && intOf(node, "transA", 0)) throw this.refusal(node, "it reads columns (transA)");
    const read = this.read.get(input[1]);
    if (read.shape.length !== 2) throw this.refusal(node, "its weights are no matrix");
    const { shape, values } = flipped ? transpose(read, [1, 0]) : read;
    const bias = opType === "Gemm" && input[2] ? this.read.get(input[2]) : undefined;
    if (bias && bias.values.length !== shape[1]) throw this.refusal(node, "its bias has another length");
    this.steps.push({
      ...{ op: "dense", x, y, activation: "linear" },
      kernel: this.keep(input[1], { shape, values: values.map((value) => alpha * value) }),
      bias: bias
        ? this.keep(input[2], { shape: [shape[1]], values: bias.values.map((value) => beta * value) })
        : this.zeros(`${y}_bias`, shape[1]),
    });
  }

  /** A reshape whose shape is computed makes a vector of each image: nothing else is made of the batch's length. */
  private flatten(node: Node, x: string, y: string): void {
    const shape = node.opType === "Reshape" ? this.read.numbers(node.input[1]) : undefined;
    if (node.opType === "Flatten" ? intOf(node, "axis", 1) !== 1 : shape && shape.length !== 2)
      throw this.refusal(
        node,
        `it makes no vector of each image (${shape ?? `axis ${intOf(node, "axis", 1)}`})`,
      );
    this.steps.push({ op: "flatten", x, y });
  }
}

/**
 * Makes a trainable network of the part between two tensors of a backbone. Batch norm is frozen: folded into the
 * convolution before it, whose kernel and bias train.
 * @param from the tensor that enters, or `input` for the whole network
 * @param to the tensor that comes out: where it holds images, as vectors
 * @param path of the file, for messages
 * @throws UserError when the network cannot be cut there, or has operators that cannot be trained through
 */
export function importTrainable(model: Model, from: string, to: string, path: string): Trainable {
  const graph = withConstants(model.graph);
  const part = cut({ ...model, graph }, from, to, path);
  const importer = new Importer({ ...model, graph }, part.nodes, to, path);
  for (const node of part.nodes) importer.add(node);
  return {
    from: part.from,
    to: importer.vector(importer.nameOf(to)),
    steps: importer.steps,
    weights: [...importer.weights.values()],
  };
}
