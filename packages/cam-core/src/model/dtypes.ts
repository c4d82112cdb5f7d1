import { TensorProto_DataType as T } from "onnx-buf";
import type { DType } from "../tensor.ts";

/** ONNX's element type numbers and our names for them; types without a row here (complex, float8, int4) are refused. */
const table: readonly (readonly [DType, T])[] = [
  ["float32", T.FLOAT],
  ["float64", T.DOUBLE],
  ["float16", T.FLOAT16],
  ["bfloat16", T.BFLOAT16],
  ["int64", T.INT64],
  ["int32", T.INT32],
  ["int16", T.INT16],
  ["int8", T.INT8],
  ["uint64", T.UINT64],
  ["uint32", T.UINT32],
  ["uint16", T.UINT16],
  ["uint8", T.UINT8],
  ["bool", T.BOOL],
  ["string", T.STRING],
];

const byNumber = new Map<number, DType>(table.map(([name, number]) => [number, name]));
const byName = new Map<DType, T>(table);

/** Our name of an ONNX element type; undefined for one that isn't handled. */
export function dtypeFromOnnx(number: number): DType | undefined {
  return byNumber.get(number);
}

/** The number ONNX gives an element type. */
export function dtypeToOnnx(dtype: DType): T {
  return byName.get(dtype)!;
}

/** ONNX's own name of an element type number, for messages. */
export function onnxTypeName(number: number): string {
  return T[number] ?? `type ${number}`;
}
