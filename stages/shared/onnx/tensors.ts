/** The values of ONNX tensors as typed arrays. */
import { UserError } from "../../../runner/stage.ts";
import { widen } from "../artifacts/half.ts";
import { ELEMENT, type Tensor } from "./model.ts";

/** Arrays whose values a tensor takes as they are. Uint16Array: the bits of float16. */
export type Values = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint16Array;

const typeOf = (values: Values): number => {
  if (values instanceof Float32Array) return ELEMENT.float32;
  if (values instanceof Float64Array) return ELEMENT.float64;
  if (values instanceof Int32Array) return ELEMENT.int32;
  return values instanceof Uint16Array ? ELEMENT.float16 : ELEMENT.int64;
};

/** Makes a tensor, whose type is that of the array. It holds a view of the values. */
export const tensorOf = (name: string, dims: readonly number[], values: Values): Tensor => ({
  name,
  dims: [...dims],
  dataType: typeOf(values),
  rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});

/** Makes a tensor of int64, as shapes and axes are. */
export const integersOf = (name: string, values: readonly number[]): Tensor =>
  tensorOf(name, [values.length], BigInt64Array.from(values, BigInt));

/** How the raw bytes of a type are read, by {@link ELEMENT}. */
const READERS: Record<number, (bytes: ArrayBuffer) => ArrayLike<number | bigint>> = {
  [ELEMENT.float16]: (bytes) => widen(new Uint16Array(bytes)),
  [ELEMENT.float32]: (bytes) => new Float32Array(bytes),
  [ELEMENT.float64]: (bytes) => new Float64Array(bytes),
  [ELEMENT.int32]: (bytes) => new Int32Array(bytes),
  [ELEMENT.int64]: (bytes) => new BigInt64Array(bytes),
};

/** The values that a tensor holds as a list of numbers; float16 has its bits there. */
function listed({ dataType, floatData, int32Data, int64Data, doubleData }: Tensor): Float32Array {
  if (dataType === ELEMENT.float16) return widen(Uint16Array.from(int32Data ?? []));
  const list = [floatData, int32Data, int64Data, doubleData].find((one) => one?.length);
  return Float32Array.from(list ?? []);
}

/**
 * The values of a tensor, in row-major order, as float32.
 * @throws UserError when they are in another file, or of a type that is not read, or too few
 */
export function floatsOf(tensor: Tensor): Float32Array {
  const { name, dims, dataType, rawData, dataLocation } = tensor;
  const read = READERS[dataType];
  if (dataLocation === 1)
    throw new UserError(
      `the ONNX tensor "${name}" has its values in another file. Save the model as one file.`,
    );
  if (!read)
    throw new UserError(
      `the ONNX tensor "${name}" has elements of type ${dataType}, but float32 is expected.`,
    );
  const size = dims.reduce((product, length) => product * length, 1);
  const values = rawData?.length
    ? // Copied, because raw bytes may begin at any place of the file.
      Float32Array.from(read(new Uint8Array(rawData).buffer) as ArrayLike<number>, Number)
    : listed(tensor);
  if (values.length !== size)
    throw new UserError(
      `the ONNX tensor "${name}" has ${values.length} values, but its shape [${dims.join(", ")}] needs ${size}.`,
    );
  return values;
}
