import { describe, expect, test } from "vitest";
import { narrow } from "../../../../stages/shared/artifacts/half.ts";
import { Tensor as Fed, InferenceSession } from "../../../../stages/shared/compute/onnxruntime.ts";
import { floatOf, intOf, intsOf, textOf } from "../../../../stages/shared/onnx/attributes.ts";
import { modelOf, nodeOf, valueInfoOf } from "../../../../stages/shared/onnx/build.ts";
import {
  decodeModel,
  encodeModel,
  inputsOf,
  type Model,
  opsetOf,
} from "../../../../stages/shared/onnx/model.ts";
import { floatsOf, integersOf, tensorOf } from "../../../../stages/shared/onnx/tensors.ts";

/** y = relu(a x + 1), of rows of two. */
const small = (): Model =>
  modelOf(
    {
      name: "small",
      node: [
        nodeOf("Gemm", ["x", "w", "b"], ["z"], { transB: 1, alpha: { float: 2 }, beta: 0.5 }),
        nodeOf("Relu", ["z"], ["y"]),
      ],
      initializer: [
        tensorOf("w", [2, 2], Float32Array.from([1, 0, 0, -1])),
        tensorOf("b", [2], Float32Array.from([2, 2])),
      ],
      input: [valueInfoOf("x", ["N", 2])],
      output: [valueInfoOf("y", ["N", 2])],
    },
    13,
    { purpose: "test" },
  );

const again = (model: Model) => decodeModel(encodeModel(model), "again.onnx");

test("a model is read as it was written, and its bytes are the same", () => {
  const model = again(small());
  expect(model.graph.node.map(({ opType, input, output }) => [opType, input, output])).toEqual([
    ["Gemm", ["x", "w", "b"], ["z"]],
    ["Relu", ["z"], ["y"]],
  ]);
  expect(model.metadataProps).toEqual([{ key: "purpose", value: "test" }]);
  expect(opsetOf(model)).toBe(13);
  expect(inputsOf(model.graph)).toMatchObject([valueInfoOf("x", ["N", 2])]);
  expect(floatsOf(model.graph.initializer[0])).toEqual(Float32Array.from([1, 0, 0, -1]));
  expect(Buffer.from(encodeModel(model))).toEqual(Buffer.from(encodeModel(small())));
});

test("onnxruntime computes the written graph", async () => {
  const session = await InferenceSession.create(encodeModel(again(small())));
  const { y } = await session.run({ x: new Fed("float32", Float32Array.from([3, -4, -5, 1]), [2, 2]) });
  expect([...(y.data as Float32Array)]).toEqual([7, 9, 0, 0]);
});

describe("attributes", () => {
  test("are read with their defaults", () => {
    const node = again(
      modelOf({
        node: [nodeOf("Odd", [], ["y"], { zero: 0, ratio: 0.5, list: [-1, 2 ** 40], text: "SAME_UPPER" })],
        initializer: [],
        input: [],
        output: [],
      }),
    ).graph.node[0];
    expect([intOf(node, "zero", 5), intOf(node, "absent", 5)]).toEqual([0, 5]);
    expect([floatOf(node, "ratio", 1), floatOf(node, "absent", 1)]).toEqual([0.5, 1]);
    expect([intsOf(node, "list"), intsOf(node, "absent")]).toEqual([[-1, 2 ** 40], undefined]);
    expect([textOf(node, "text", ""), textOf(node, "absent", "NOTSET")]).toEqual(["SAME_UPPER", "NOTSET"]);
  });
});

describe("tensors", () => {
  test("of every type are read as float32", () => {
    for (const values of [
      Float32Array.from([1, -2]),
      Float64Array.from([1, -2]),
      Int32Array.from([1, -2]),
      BigInt64Array.from([1n, -2n]),
      narrow(Float32Array.from([1, -2])),
    ])
      expect([...floatsOf(tensorOf("t", [2], values))]).toEqual([1, -2]);
    expect([...floatsOf(integersOf("shape", [0, -1]))]).toEqual([0, -1]);
    expect([...floatsOf({ name: "t", dims: [2], dataType: 1, floatData: [1, -2] })]).toEqual([1, -2]);
  });

  test("that cannot be read are refused in one line", () => {
    const whole = tensorOf("w", [2], Float32Array.from([1, 2]));
    expect(() => floatsOf({ ...whole, dims: [3] })).toThrow(/"w" has 2 values, but its shape \[3\] needs 3/);
    expect(() => floatsOf({ ...whole, dataLocation: 1 })).toThrow(/in another file/);
    expect(() => floatsOf({ ...whole, dataType: 8 })).toThrow(/type 8, but float32 is expected/);
  });
});

test("fields that are not looked into stay in the file", () => {
  const odd = { ...small(), functions: [Uint8Array.from([1, 2, 3])] };
  expect((again(odd) as typeof odd).functions.map((bytes) => [...bytes])).toEqual([[1, 2, 3]]);
});

test("a graph that is appended to a file is merged with the first", () => {
  const more = encodeModel({
    graph: { node: [], initializer: [], input: [], output: [valueInfoOf("z", ["N", 2])] },
  } as unknown as Model);
  const { graph } = decodeModel(Buffer.concat([encodeModel(small()), more]), "merged.onnx");
  expect(graph.output.map(({ name }) => name)).toEqual(["y", "z"]);
  expect(graph.node).toHaveLength(2);
});

test("a file that is no model is refused with its path", () => {
  expect(() => decodeModel(Buffer.from("no model"), "a.onnx")).toThrow(/^a\.onnx: /);
  expect(() => decodeModel(encodeModel(small()).subarray(0, 40), "b.onnx")).toThrow(
    /^b\.onnx: not a whole ONNX model \(.*Fetch it again\.$/,
  );
  expect(() => decodeModel(new Uint8Array(), "c.onnx")).toThrow("c.onnx: no ONNX model: it holds no graph.");
});
