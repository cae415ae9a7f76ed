/** A vision transformer with drawn weights: as an ONNX file, and computed plainly in float64. */
import { random } from "../../../stages/shared/compute/random.ts";
import { modelOf, valueInfoOf } from "../../../stages/shared/onnx/build.ts";
import { Builder, type Name } from "../../../stages/shared/onnx/builder.ts";
import { encodeModel } from "../../../stages/shared/onnx/model.ts";

export interface Vit {
  side: number;
  patch: number;
  dim: number;
  heads: number;
  layers: number;
}

/** A matrix by rows. */
type Rows = number[][];

/** The weights, in the order in which a graph or a computation asks for them. */
function weightsOf({ side, patch, dim, layers }: Vit) {
  const draw = random(1, "vit");
  const values = (count: number, scale: number) =>
    Float32Array.from({ length: count }, () => scale * (draw.float() - 0.5));
  const matrix = (rows: number, columns: number) => values(rows * columns, 3 / Math.sqrt(rows));
  return {
    patches: matrix(3 * patch * patch, dim), // [dim, 3, patch, patch] in this order
    token: values(dim, 1),
    positions: values(((side / patch) ** 2 + 1) * dim, 1),
    layers: Array.from({ length: layers }, () => ({
      norms: [values(dim, 0.5).map((x) => 1 + x), values(dim, 0.5).map((x) => 1 + x)],
      queries: matrix(dim, dim),
      keys: matrix(dim, dim),
      values: matrix(dim, dim),
      joined: matrix(dim, dim),
      wide: matrix(dim, 4 * dim),
      narrow: matrix(4 * dim, dim),
    })),
    norm: values(dim, 0.5).map((x) => 1 + x),
  };
}

/** The ONNX file: `pixel_values` `[n, 3, side, side]` to `last_hidden_state` `[n, tokens, dim]`. */
export function vitFile(vit: Vit): Uint8Array {
  const { side, patch, dim, heads, layers } = vit;
  const weights = weightsOf(vit);
  const graph = new Builder();
  const tokens = (side / patch) ** 2;
  const normed = (x: Name, scale: Float32Array, name?: Name) =>
    graph.add(
      "LayerNormalization",
      [x, graph.weights([dim], scale), graph.weights([dim], new Float32Array(dim))],
      { axis: -1, epsilon: 1e-6 },
      name,
    );
  const times = (x: Name, values: Float32Array, rows = dim) =>
    graph.add("MatMul", [x, graph.weights([rows, values.length / rows], values)]);
  const split = (x: Name, perm: number[]) =>
    graph.add("Transpose", [graph.add("Reshape", [x, graph.integers([0, 0, heads, dim / heads])])], { perm });
  const kernel = graph.weights([dim, 3, patch, patch], weights.patches);
  const conv = graph.add("Conv", ["pixel_values", kernel], {
    strides: [patch, patch],
    kernel_shape: [patch, patch],
  });
  const flat = graph.add("Reshape", [conv, graph.integers([0, dim, tokens])]);
  const patches = graph.add("Transpose", [flat], { perm: [0, 2, 1] });
  // The class token for each image: nothing of its patches, and the token.
  const none = graph.add("Mul", [
    graph.add("ReduceMean", [patches], { axes: [1], keepdims: 1 }),
    graph.number(0),
  ]);
  const token = graph.add("Add", [none, graph.weights([1, 1, dim], weights.token)]);
  const joined = graph.add("Concat", [token, patches], { axis: 1 });
  let x = graph.add("Add", [joined, graph.weights([1, tokens + 1, dim], weights.positions)]);
  for (const layer of weights.layers.slice(0, layers)) {
    const seen = normed(x, layer.norms[0]);
    const [q, k, v] = [layer.queries, layer.keys, layer.values].map((own) => times(seen, own));
    const scores = graph.add("MatMul", [split(q, [0, 2, 1, 3]), split(k, [0, 2, 3, 1])]);
    const scaled = graph.add("Mul", [scores, graph.number(1 / Math.sqrt(dim / heads))]);
    const shares = graph.add("Softmax", [scaled], { axis: -1 });
    const mixed = graph.add("MatMul", [shares, split(v, [0, 2, 1, 3])]);
    const back = graph.add("Transpose", [mixed], { perm: [0, 2, 1, 3] });
    x = graph.add("Add", [x, times(graph.add("Reshape", [back, graph.integers([0, 0, dim])]), layer.joined)]);
    const wide = times(normed(x, layer.norms[1]), layer.wide);
    const gate = graph.add("Sigmoid", [graph.add("Mul", [wide, graph.number(1.702)])]);
    x = graph.add("Add", [x, times(graph.add("Mul", [wide, gate]), layer.narrow, 4 * dim)]);
  }
  normed(x, weights.norm, "last_hidden_state");
  const model = modelOf(
    {
      node: graph.node,
      initializer: graph.initializer,
      input: [valueInfoOf("pixel_values", ["n", 3, side, side])],
      output: [valueInfoOf("last_hidden_state", ["n", tokens + 1, dim])],
      name: "vit",
    },
    17,
  );
  return encodeModel(model);
}

const norm = (x: Rows, scale: Float32Array): Rows =>
  x.map((row) => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    return row.map((value, d) => (scale[d] * (value - mean)) / Math.sqrt(variance + 1e-6));
  });
const product = (x: Rows, w: Float32Array): Rows => {
  const columns = w.length / x[0].length;
  return x.map((row) =>
    Array.from({ length: columns }, (_, c) =>
      row.reduce((sum, value, d) => sum + value * w[d * columns + c], 0),
    ),
  );
};
const sum = (a: Rows, b: Rows): Rows => a.map((row, i) => row.map((value, d) => value + b[i][d]));

/** The tokens of one image. @param image `[3, side, side]` */
export function vitTokens(vit: Vit, image: ArrayLike<number>): Rows {
  const { side, patch, dim, heads, layers } = vit;
  const weights = weightsOf(vit);
  const across = side / patch;
  const patches: Rows = Array.from({ length: across * across }, (_, at) =>
    Array.from({ length: dim }, (_, d) => {
      let value = 0;
      for (let c = 0, w = d * 3 * patch * patch; c < 3; c++)
        for (let i = 0; i < patch; i++)
          for (let j = 0; j < patch; j++, w++) {
            const row = Math.floor(at / across) * patch + i;
            value += weights.patches[w] * image[(c * side + row) * side + (at % across) * patch + j];
          }
      return value;
    }),
  );
  let x = [[...weights.token], ...patches].map((row, t) =>
    row.map((value, d) => value + weights.positions[t * dim + d]),
  );
  const width = dim / heads;
  for (const layer of weights.layers.slice(0, layers)) {
    const seen = norm(x, layer.norms[0]);
    const [q, k, v] = [layer.queries, layer.keys, layer.values].map((own) => product(seen, own));
    const mixed = x.map((_, t) =>
      Array.from({ length: heads }, (_, head) => {
        const own = (row: number[]) => row.slice(head * width, (head + 1) * width);
        const scores = k.map(
          (key) => own(key).reduce((all, value, d) => all + value * own(q[t])[d], 0) / Math.sqrt(width),
        );
        const grown = scores.map((score) => Math.exp(score - Math.max(...scores)));
        const total = grown.reduce((all, value) => all + value, 0);
        return own(v[0]).map((_, d) => v.reduce((all, row, s) => all + (grown[s] / total) * own(row)[d], 0));
      }).flat(),
    );
    x = sum(x, product(mixed, layer.joined));
    const wide = product(norm(x, layer.norms[1]), layer.wide);
    const gated = wide.map((row) => row.map((value) => value / (1 + Math.exp(-1.702 * value))));
    x = sum(x, product(gated, layer.narrow));
  }
  return norm(x, weights.norm);
}
