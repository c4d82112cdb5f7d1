import { isNarrow, type NarrowType, numbersOfCodes } from "./narrow.ts";

/** Element types a tensor can have here; the names are ONNX Runtime's. */
export type DType =
  | NarrowType
  | "float32"
  | "float64"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool"
  | "string";

export type TypedArray =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

export type TensorData = TypedArray | string[];

/**
 * A dense, row-major array: `data.length` is the product of `shape`; `[]` is a scalar.
 * float16 and bfloat16 carry their bit patterns in a Uint16Array, bool one byte an element (0 or 1). The narrow types (narrow.ts)
 * lie in a Uint8Array as they do in files, of 4 bits two in a byte.
 */
export type Tensor = {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
};

/** Bytes an element takes, parts of one for what lies packed; undefined for strings, whose size varies. */
export const bytesPerElement: Readonly<Record<DType, number | undefined>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
  uint2: 0.25,
  int2: 0.25,
  uint4: 0.5,
  int4: 0.5,
  float4e2m1: 0.5,
  float8e4m3fn: 1,
  float8e4m3fnuz: 1,
  float8e5m2: 1,
  float8e5m2fnuz: 1,
  float8e8m0: 1,
  string: undefined,
};

/** Bytes that so many elements take together. */
export function byteLengthOf(dtype: Exclude<DType, "string">, count: number): number {
  return Math.ceil(count * bytesPerElement[dtype]!);
}

/** Types whose numbers a network computes in: a gradient flows through these. */
export function isReal(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64" || dtype === "float16" || dtype === "bfloat16";
}

const arrayOf: Readonly<
  Record<Exclude<DType, "string" | NarrowType>, new (buffer: ArrayBuffer, offset: number, length: number) => TypedArray>
> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint64: BigUint64Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** How many elements a shape holds; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Every position inside a shape, row-major. */
export function positionsOf(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (found, size) => found.flatMap((position) => Array.from({ length: size }, (_, at) => [...position, at])),
    [[]],
  );
}

/**
 * The elements behind little-endian `bytes`; of the narrow types the bytes themselves. A view where the bytes are aligned for
 * `dtype`, a copy where they are not.
 */
export function viewBytes(dtype: Exclude<DType, "string">, bytes: Uint8Array): TypedArray {
  if (isNarrow(dtype)) return bytes;
  const width = bytesPerElement[dtype] as number;
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new arrayOf[dtype](aligned.buffer as ArrayBuffer, aligned.byteOffset, Math.floor(bytes.byteLength / width));
}

/** The bytes behind a typed array, without copying. */
export function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

/** A float32 tensor; throws RangeError when the values don't fill the shape. */
export function float32(shape: readonly number[], values: ArrayLike<number>): Tensor {
  return filled("float32", shape, Float32Array.from(values));
}

/** A float64 tensor; throws RangeError when the values don't fill the shape. */
export function float64(shape: readonly number[], values: ArrayLike<number>): Tensor {
  return filled("float64", shape, Float64Array.from(values));
}

/** An int64 tensor from plain numbers; throws RangeError when the values don't fill the shape. */
export function int64(shape: readonly number[], values: readonly (number | bigint)[]): Tensor {
  return filled("int64", shape, BigInt64Array.from(values, toInt64));
}

/** Numbers near the ends of int64 ("to the end" in a Slice) are rounded up past it when they are read as doubles. */
export function toInt64(value: number | bigint): bigint {
  const big = BigInt(value);
  return big > 0x7fffffffffffffffn ? 0x7fffffffffffffffn : big;
}

/** A bool tensor, one byte an element; throws RangeError when the values don't fill the shape. */
export function bool(shape: readonly number[], values: readonly boolean[]): Tensor {
  return filled("bool", shape, Uint8Array.from(values, Number));
}

/** A tensor of zeros, or of `false`. */
export function zeros(dtype: Exclude<DType, "string">, shape: readonly number[]): Tensor {
  return { dtype, shape, data: viewBytes(dtype, new Uint8Array(byteLengthOf(dtype, sizeOf(shape)))) };
}

function filled(dtype: DType, shape: readonly number[], data: TypedArray): Tensor {
  if (data.length !== sizeOf(shape))
    throw new RangeError(`${data.length} values for a tensor of shape [${shape.join(", ")}]`);
  return { dtype, shape, data };
}

/** Row `index` of a tensor along its first axis, without copying. */
export function rowOf(tensor: Tensor, index: number): Tensor {
  const [rows = 1, ...shape] = tensor.shape;
  const stride = tensor.data.length / rows;
  const data = tensor.data as Exclude<TensorData, string[]>;
  return { dtype: tensor.dtype, shape, data: data.subarray(index * stride, (index + 1) * stride) as TypedArray };
}

/** The elements as plain numbers. */
export function numbersIn(tensor: Tensor): number[] {
  if (isNarrow(tensor.dtype)) return numbersOfCodes(tensor.dtype, tensor.data as Uint8Array, sizeOf(tensor.shape));
  const read = tensor.dtype === "float16" ? fromHalf : tensor.dtype === "bfloat16" ? fromBrain : Number;
  return Array.from(tensor.data as ArrayLike<number>, read);
}

/** The number that 16 bits of IEEE 754 half precision stand for. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** bfloat16 is the upper half of a float32. */
function fromBrain(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
}

/** A float32 tensor in half precision: the nearest number, halves to even; infinity beyond 65504. */
export function toHalf(tensor: Tensor): Tensor {
  const bits = new Uint32Array(Float32Array.from(tensor.data as Float32Array).buffer);
  return { dtype: "float16", shape: tensor.shape, data: Uint16Array.from(bits, halfBits) };
}

function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 and more, which is nearer to infinity than to the largest number.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2⁻¹⁴ the steps are 2⁻²⁴ wide: adding and taking away 0.5 in float32 rounds to exactly these.
  if (magnitude < 0x38800000) {
    const value = new Float32Array(Uint32Array.of(magnitude).buffer)[0]!;
    return sign | (new Uint32Array(Float32Array.of(value + 0.5).buffer)[0]! - 0x3f000000);
  }
  // 13 bits fall away; what is added makes ties even.
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}
