/**
 * ImageNet networks at full size with random weights, written as ONNX files piece by piece: for speed, memory and
 * the place of the features, not for results. Layers and names as the ONNX Model Zoo has them.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { random } from "../stages/shared/compute/random.ts";
import { field, graphHead, modelHead, node, value } from "../test/stages/extract/onnx-model.ts";

interface Weight {
  name: string;
  dims: number[];
  /** Values are uniform in [-scale, scale]; or all the same. */
  scale?: number;
  constant?: number;
}

/** A network while it grows: every layer takes the last tensor and gives the next. */
class Builder {
  readonly nodes: Uint8Array[] = [];
  readonly weights: Weight[] = [];
  private count = 0;

  private add(op: string, inputs: string[], attributes: Record<string, number | number[]> = {}): string {
    const output = `${op.toLowerCase()}${this.count++}`;
    this.nodes.push(node(op, inputs, [output], attributes));
    return output;
  }
  private weight(weight: Weight): string {
    this.weights.push(weight);
    return weight.name;
  }
  /** He's scale (2015), so that values neither die out nor blow up. */
  conv(
    from: string,
    inputs: number,
    outputs: number,
    kernel: number,
    stride = 1,
    bias = false,
    group = 1,
  ): string {
    const name = `conv${this.count}`;
    const dims = [outputs, inputs / group, kernel, kernel];
    const scale = Math.sqrt(6 / (dims[1] * kernel * kernel));
    const names = [this.weight({ name: `${name}_weight`, dims, scale })];
    if (bias) names.push(this.weight({ name: `${name}_bias`, dims: [outputs], constant: 0 }));
    const pad = kernel >> 1;
    return this.add("Conv", [from, ...names], {
      group,
      kernel_shape: [kernel, kernel],
      pads: [pad, pad, pad, pad],
      strides: [stride, stride],
    });
  }
  norm(from: string, channels: number, gain = 1): string {
    const name = `norm${this.count}`;
    const constants = Object.entries({ gamma: gain, beta: 0, mean: 0, variance: 1 }).map(([part, constant]) =>
      this.weight({ name: `${name}_${part}`, dims: [channels], constant }),
    );
    return this.add("BatchNormalization", [from, ...constants]);
  }
  dense(from: string, inputs: number, outputs: number): string {
    const name = `dense${this.count}`;
    const scale = Math.sqrt(6 / inputs);
    return this.add(
      "Gemm",
      [
        from,
        this.weight({ name: `${name}_weight`, dims: [outputs, inputs], scale }),
        this.weight({ name: `${name}_bias`, dims: [outputs], constant: 0 }),
      ],
      { transB: 1 },
    );
  }
  relu = (from: string) => this.add("Relu", [from]);
  relu6(from: string): string {
    const name = `clip${this.count}`;
    const limits = [0, 6].map((constant) => this.weight({ name: `${name}_${constant}`, dims: [], constant }));
    return this.add("Clip", [from, ...limits]);
  }
  sum = (a: string, b: string) => this.add("Add", [a, b]);
  dropout = (from: string) => this.add("Dropout", [from]);
  flatten = (from: string) => this.add("Flatten", [from]);
  mean = (from: string) => this.add("GlobalAveragePool", [from]);
  pool = (from: string, kernel: number) =>
    this.add("MaxPool", [from], {
      kernel_shape: [kernel, kernel],
      pads: kernel === 3 ? [1, 1, 1, 1] : [0, 0, 0, 0],
      strides: [2, 2],
    });
}

const BLOCK = 1 << 20;

/** Writes the model; weights are drawn once and repeated, since only their size matters here. */
function write(
  path: string,
  { nodes, weights }: Builder,
  output: string,
  images: number | string,
  { height = 224, width = 224, outputs = 1000 }: Partial<Record<string, number | string>> = {},
): void {
  const draw = random(1, "weights");
  const values = Float32Array.from({ length: BLOCK }, () => 2 * draw.float() - 1);
  const head = graphHead({
    nodes,
    inputs: [value("data", [images, 3, height, width])],
    outputs: [value(output, [images, outputs])],
  });
  // A tensor's own bytes: all but the last field's content, which is what `size` bytes will follow.
  const heads = weights.map(({ name, dims }) => {
    const size = 4 * dims.reduce((product, dim) => product * dim, 1);
    const tensor = Buffer.concat([
      ...dims.map((dim) => Buffer.concat([Buffer.from([8]), varint(dim)])),
      Buffer.from([16, 1]),
      field(8, name),
      Buffer.from([0x4a]),
      varint(size),
    ]);
    return { head: Buffer.concat([Buffer.from([0x2a]), varint(tensor.length + size), tensor]), size };
  });
  const length = heads.reduce((sum, one) => sum + one.head.length + one.size, head.length);
  const file = openSync(path, "w");
  writeSync(file, Buffer.concat([modelHead(), Buffer.from([0x3a]), varint(length), head]));
  for (const [index, { head: tensor, size }] of heads.entries()) {
    writeSync(file, tensor);
    const { scale = 0, constant } = weights[index];
    const block = values.map((one) => constant ?? one * scale);
    for (let left = size; left > 0; left -= 4 * BLOCK)
      writeSync(file, new Uint8Array(block.buffer, 0, Math.min(left, 4 * BLOCK)));
  }
  closeSync(file);
}

/** A whole number as protobuf writes it. */
function varint(number: number): Buffer {
  const bytes: number[] = [];
  let left = number;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left & 127) | 128);
  return Buffer.from([...bytes, left]);
}

/** VGG16 (Simonyan & Zisserman 2015): 138 million weights, 553 MB. It takes one image at a time, as the zoo's does. */
export function writeVgg16(path: string): void {
  const net = new Builder();
  let at = "data";
  let channels = 3;
  for (const [filters, layers] of [
    [64, 2],
    [128, 2],
    [256, 3],
    [512, 3],
    [512, 3],
  ]) {
    for (let layer = 0; layer < layers; layer++) {
      at = net.relu(net.conv(at, channels, filters, 3, 1, true));
      channels = filters;
    }
    at = net.pool(at, 2);
  }
  at = net.flatten(at);
  for (const inputs of [512 * 7 * 7, 4096]) at = net.dropout(net.relu(net.dense(at, inputs, 4096)));
  write(path, net, net.dense(at, 4096, 1000), 1);
}

/**
 * ResNet v1 (He et al. 2016).
 * @param blocks of each of the four stages: [2, 2, 2, 2] is ResNet-18, [3, 4, 6, 3] with bottlenecks ResNet-50
 */
export function writeResNet(path: string, blocks: number[], bottleneck: boolean): void {
  const net = new Builder();
  let at = net.pool(net.relu(net.norm(net.conv("data", 3, 64, 7, 2), 64)), 3);
  let channels = 64;
  for (const [stage, count] of blocks.entries())
    for (let block = 0; block < count; block++) {
      const inner = 64 << stage;
      const outer = bottleneck ? 4 * inner : inner;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const layers: [number, number][] = bottleneck
        ? [
            [inner, 1],
            [inner, 3],
            [outer, 1],
          ]
        : [
            [inner, 3],
            [outer, 3],
          ];
      let branch = at;
      let inputs = channels;
      for (const [layer, [filters, kernel]] of layers.entries()) {
        const last = layer === layers.length - 1;
        branch = net.norm(
          net.conv(branch, inputs, filters, kernel, layer ? 1 : stride),
          filters,
          last ? 0.5 : 1,
        );
        if (!last) branch = net.relu(branch);
        inputs = filters;
      }
      const shortcut =
        stride === 1 && channels === outer ? at : net.norm(net.conv(at, channels, outer, 1, stride), outer);
      at = net.relu(net.sum(branch, shortcut));
      channels = outer;
    }
  write(path, net, net.dense(net.flatten(net.mean(at)), channels, 1000), "N", { height: "H", width: "W" });
}

/** Expansion, channels, blocks and first stride of MobileNetV2's bottlenecks. */
const BOTTLENECKS = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/**
 * MobileNetV2 1.0 (Sandler et al. 2018) without its classifier, batch norm folded, for images of any size.
 * @returns the name of its 1280 features
 */
export function writeMobileNetV2(path: string): string {
  const net = new Builder();
  let at = net.relu6(net.conv("data", 3, 32, 3, 2, true));
  let channels = 32;
  for (const [expansion, filters, blocks, first] of BOTTLENECKS)
    for (let block = 0; block < blocks; block++) {
      const inner = expansion * channels;
      const stride = block === 0 ? first : 1;
      const wide = expansion === 1 ? at : net.relu6(net.conv(at, channels, inner, 1, 1, true));
      const made = net.conv(
        net.relu6(net.conv(wide, inner, inner, 3, stride, true, inner)),
        inner,
        filters,
        1,
        1,
        true,
      );
      at = stride === 1 && channels === filters ? net.sum(at, made) : made;
      channels = filters;
    }
  const features = net.flatten(net.mean(net.relu6(net.conv(at, channels, 1280, 1, 1, true))));
  write(path, net, features, "N", { height: "H", width: "W", outputs: 1280 });
  return features;
}
