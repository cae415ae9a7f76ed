/** Weights of an ONNX graph, and how kernels are laid out there and here. */
import { UserError } from "../../../runner/stage.ts";
import { ATTRIBUTE, type Graph, type Tensor } from "../onnx/model.ts";
import { floatsOf } from "../onnx/tensors.ts";

/** A tensor's shape and values. */
export interface Values {
  shape: number[];
  values: Float32Array;
}

/** A graph whose constants are weights, too. */
export function withConstants(graph: Graph): Graph {
  const constants = graph.node.flatMap(({ opType, output: [name], attribute }) => {
    const value = opType === "Constant" && attribute?.find(({ type }) => type === ATTRIBUTE.tensor)?.t;
    return value ? [{ ...value, name }] : [];
  });
  const names = new Set(constants.map(({ name }) => name));
  return {
    ...graph,
    initializer: [...graph.initializer, ...constants],
    node: graph.node.filter(({ output }) => !names.has(output[0])),
  };
}

/** Reads the weights of a graph by their names. */
export class Weights {
  private readonly tensors: Map<string, Tensor>;
  private readonly path: string;

  constructor(graph: Graph, path: string) {
    this.tensors = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
    this.path = path;
  }

  has(name: string | undefined): boolean {
    return name !== undefined && this.tensors.has(name);
  }

  /** @throws UserError when the tensor has no fixed values */
  get(name: string | undefined): Values {
    const tensor = name === undefined ? undefined : this.tensors.get(name);
    if (!tensor)
      throw new UserError(
        `${this.path}: the weights "${name}" are computed from others, but only fixed ones can be trained.`,
      );
    return { shape: tensor.dims, values: floatsOf(tensor) };
  }

  /** The values as plain numbers; undefined where the tensor is not there or is computed. */
  numbers(name: string | undefined): number[] | undefined {
    return this.has(name) ? [...this.get(name).values] : undefined;
  }
}

/** Moves the axes of a tensor: axis k of the result is axis `order[k]` of the tensor. */
export function transpose({ shape, values }: Values, order: number[]): Values {
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, length) => product * length, 1),
  );
  const lengths = order.map((axis) => shape[axis]);
  const steps = order.map((axis) => strides[axis]);
  const out = new Float32Array(values.length);
  const at = lengths.map(() => 0);
  for (let i = 0, from = 0; i < out.length; i++) {
    out[i] = values[from];
    for (let axis = lengths.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++at[axis] < lengths[axis]) break;
      from -= at[axis] * steps[axis];
      at[axis] = 0;
    }
  }
  return { shape: lengths, values: out };
}

/**
 * A kernel as ONNX has it, `[out, in / groups, height, width]`, as tfjs takes it.
 * @param channels of the input, where each is by itself: `[height, width, in, out / in]`
 */
export function kernelFromOnnx(kernel: Values, channels?: number): Values {
  const turned = transpose(kernel, [2, 3, 1, 0]); // [height, width, in / groups, out]
  if (channels === undefined) return turned;
  const [out, , height, width] = kernel.shape;
  return { ...turned, shape: [height, width, channels, out / channels] };
}

/** The other way round. */
export function kernelToOnnx({ shape, values }: Values, depthwise: boolean): Values {
  const [height, width, channels, out] = shape;
  const stored = depthwise ? [height, width, 1, channels * out] : shape;
  return transpose({ shape: stored, values }, [3, 2, 0, 1]);
}
