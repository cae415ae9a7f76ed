import { describe, expect, it } from "vitest";
import { UserError } from "../../../../runner/stage.ts";
import { featureTensor, outputOf, readGraph } from "../../../../stages/shared/onnx/outline.ts";
import { field, model, node, tinyNetwork, value, weight } from "../../extract/onnx-model.ts";
import { put, scratch } from "../scratch.ts";

const folder = scratch();
/** The graph of a model, read from a file of this name. */
const graphOf = (bytes: Uint8Array, name = "a.onnx") => readGraph(put(folder, name, bytes).path);
const tiny = { kernel: new Float32Array(27 * 4), bias: new Float32Array(4), filters: 4 };

describe("readGraph", () => {
  it("reads nodes, weights, inputs and outputs", () => {
    const graph = graphOf(tinyNetwork(tiny));
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Conv", "Relu", "GlobalAveragePool", "Flatten", "Gemm"]);
    expect(graph.nodes[0]).toEqual({ op: "Conv", inputs: ["data", "kernel", "bias"], outputs: ["maps"] });
    expect([graph.inputs, graph.outputs]).toEqual([["data"], ["scores"]]);
    expect([...graph.weights]).toEqual(["kernel", "bias", "dense", "offset"]);
  });

  it("does not take weights for inputs, as old files list them", () => {
    const old = model({
      nodes: [node("MatMul", ["data", "w"], ["out"])],
      weights: [weight("w", [1, 1], new Float32Array(1))],
      inputs: [value("data", [1, 1]), value("w", [1, 1])],
      outputs: [value("out", [1, 1])],
    });
    expect(graphOf(old).inputs).toEqual(["data"]);
  });

  it("passes over fields it does not know, of every wire type", () => {
    // Field 1000 as a number, as 8 bytes, as 4 bytes and as text.
    const unknown = [
      [0xc0, 0x3e, 0xff, 0xff, 0x03],
      [0xc1, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8],
      [0xc5, 0x3e, 1, 2, 3, 4],
    ].map((bytes) => Uint8Array.from(bytes));
    const graph = graphOf(Buffer.concat([...unknown, field(1000, "text"), tinyNetwork(tiny)]));
    expect(graph.nodes).toHaveLength(5);
  });

  it("names a file that is truncated or something else", () => {
    const whole = tinyNetwork(tiny);
    for (const length of [1, 20, whole.length >> 1, whole.length - 1])
      expect(() => graphOf(whole.subarray(0, length), "cut.onnx")).toThrow(
        /cut\.onnx: not a whole ONNX model \(a message ends too soon\)/,
      );
    expect(() => graphOf(new Uint8Array(), "empty.onnx")).toThrow("empty.onnx: no ONNX model");
    expect(() => graphOf(Buffer.from("<html>not found</html>"), "page.onnx")).toThrow(UserError);
  });
});

describe("featureTensor", () => {
  const dense = (op: string, inputs: string[]) => ({ op, inputs, outputs: ["out"] });
  const graph = (nodes: ReturnType<typeof dense>[]) => ({
    inputs: ["data"],
    outputs: ["out"],
    nodes,
    weights: new Set(["w1", "w2"]),
  });

  it("is what enters the last fully connected layer", () => {
    expect(featureTensor(graphOf(tinyNetwork(tiny)), "a")).toBe("flat");
    const vgg = [
      dense("Gemm", ["a", "w1"]),
      dense("Relu", ["b"]),
      dense("Gemm", ["c", "w2"]),
      dense("Softmax", ["d"]),
    ];
    expect(featureTensor(graph(vgg), "a")).toBe("c");
  });

  it("is not what enters a product of two computed tensors", () => {
    const attention = [dense("MatMul", ["a", "w1"]), dense("MatMul", ["b", "c"])];
    expect(featureTensor(graph(attention), "a")).toBe("a");
  });

  it("is missed with a clear line", () => {
    expect(() => featureTensor(graph([dense("Conv", ["data", "w1"])]), "net.onnx")).toThrow(
      /^net\.onnx: no fully connected layer .* \("features"\)/,
    );
  });
});

describe("outputOf", () => {
  it("adds an output when it is appended", () => {
    const whole = tinyNetwork(tiny);
    expect(graphOf(Buffer.concat([whole, outputOf("flat")])).outputs).toEqual(["scores", "flat"]);
    expect(outputOf("flat").length).toBeLessThan(16);
    const long = "t".repeat(300);
    expect(graphOf(Buffer.concat([whole, outputOf(long)])).outputs).toEqual(["scores", long]);
  });
});
