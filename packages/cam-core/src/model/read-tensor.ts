import { NotOnnxError } from "../errors.ts";
import { type Tensor, viewBytes } from "../tensor.ts";
import type { TensorProto } from "./proto.ts";
import { tensorOf } from "./read.ts";
import { decode } from "./wire.ts";

/**
 * A tensor from a `.pb` file: ONNX's TensorProto, as test data is stored. Throws NotOnnxError for other bytes,
 * UnsupportedModelError for element types that aren't handled.
 */
export function readTensorFile(bytes: Uint8Array, name: string): Tensor {
  let proto: TensorProto;
  try {
    proto = decode("TensorProto", bytes);
  } catch (cause) {
    throw new NotOnnxError(name, "the protobuf can't be parsed as a tensor", { cause });
  }
  const { dtype, shape, bytes: data, strings } = tensorOf(proto, name);
  return { dtype, shape, data: dtype === "string" ? [...strings!] : viewBytes(dtype, data) };
}
