import type { DType } from "../tensor.ts";

/**
 * ONNX's element types by their number (TensorProto.DataType), each with our name where it is handled; complex numbers are
 * refused.
 */
const types: readonly (readonly [onnx: string, own?: DType])[] = [
  ["UNDEFINED"],
  ["FLOAT", "float32"],
  ["UINT8", "uint8"],
  ["INT8", "int8"],
  ["UINT16", "uint16"],
  ["INT16", "int16"],
  ["INT32", "int32"],
  ["INT64", "int64"],
  ["STRING", "string"],
  ["BOOL", "bool"],
  ["FLOAT16", "float16"],
  ["DOUBLE", "float64"],
  ["UINT32", "uint32"],
  ["UINT64", "uint64"],
  ["COMPLEX64"],
  ["COMPLEX128"],
  ["BFLOAT16", "bfloat16"],
  ["FLOAT8E4M3FN", "float8e4m3fn"],
  ["FLOAT8E4M3FNUZ", "float8e4m3fnuz"],
  ["FLOAT8E5M2", "float8e5m2"],
  ["FLOAT8E5M2FNUZ", "float8e5m2fnuz"],
  ["UINT4", "uint4"],
  ["INT4", "int4"],
  ["FLOAT4E2M1", "float4e2m1"],
  ["FLOAT8E8M0", "float8e8m0"],
  ["UINT2", "uint2"],
  ["INT2", "int2"],
];

const byName = new Map<DType, number>(types.flatMap(([, own], number) => (own ? [[own, number]] : [])));

/** Our name of an ONNX element type; undefined for one that isn't handled. */
export function dtypeFromOnnx(number: number): DType | undefined {
  return types[number]?.[1];
}

/** The number ONNX gives an element type. */
export function dtypeToOnnx(dtype: DType): number {
  return byName.get(dtype)!;
}

/** ONNX's own name of an element type number, for messages. */
export function onnxTypeName(number: number): string {
  return types[number]?.[0] ?? `type ${number}`;
}
