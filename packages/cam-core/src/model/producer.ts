import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";

/** Who wrote an .onnx file, and in which version of the format. Empty strings where the file doesn't say. */
export type Producer = { readonly name: string; readonly version: string; readonly irVersion: number };

/** The producer named in the bytes of an .onnx file that `readModel` accepts. */
export function producerOf(bytes: Uint8Array): Producer {
  const model = fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  return { name: model.producerName, version: model.producerVersion, irVersion: Number(model.irVersion) };
}
