import { type Graph, type Initializer, opsetOf } from "../graph/graph.ts";
import { encode } from "./wire.ts";
import { graphProto, inside, modelProto, tensorHead } from "./write.ts";

/** A part of a file that is to be written: bytes, or bytes that lie in another file and are copied from there. */
export type Piece = Uint8Array | { readonly file: NonNullable<Initializer["file"]>; readonly byteLength: number };

export type PiecesOptions = {
  /** Weights go to a second file of this name, which lies beside the model. Default: they are inside. */
  readonly externalAs?: string | undefined;
};

/** Tensors of at least this size are pieces of their own, or lie in the second file. */
const large = 1024;
/** Where a tensor begins in the second file: at what processors and disks like. */
const alignment = 64;

/** The IR version that each opset came with; a file states at least that. */
const irVersions: readonly (readonly [opset: number, ir: number])[] = [
  [25, 13],
  [24, 12],
  [23, 11],
  [21, 10],
  [19, 9],
  [0, 8],
];

/**
 * A graph as a file to be passed on, in pieces: no weight is read or copied before it is written, so a model of any size is
 * exported in the memory that its structure needs. Protobuf's fields may come in any order, which is what makes it possible.
 */
export function modelPieces(graph: Graph, { externalAs }: PiecesOptions = {}): { model: Piece[]; data: Piece[] } {
  const weights = [...graph.initializers].filter(([, tensor]) => tensor.byteLength >= large);
  const apart = new Set(weights.map(([name]) => name));
  const small = new Map([...graph.initializers].filter(([name]) => !apart.has(name)));
  const parts: Piece[] = [encode("GraphProto", graphProto({ ...graph, initializers: small }, inside))];
  const data: Piece[] = [];
  for (const [name, tensor] of weights) {
    const offset = sizeOf(data);
    const place = externalAs === undefined ? undefined : { location: externalAs, offset };
    const head = encode("TensorProto", tensorHead(name, tensor, place));
    const contents = tensor.file ? { file: tensor.file, byteLength: tensor.byteLength } : tensor.bytes;
    if (place) {
      parts.push(field(initializerField, head.byteLength), head);
      data.push(contents, new Uint8Array((alignment - (tensor.byteLength % alignment)) % alignment));
    } else {
      const raw = field(rawDataField, tensor.byteLength);
      parts.push(field(initializerField, head.byteLength + raw.byteLength + tensor.byteLength), head, raw, contents);
    }
  }
  const known = irVersions.find(([opset]) => opsetOf(graph) >= opset)![1];
  const version = Math.max(known, graph.producer?.irVersion ?? 0);
  const around = encode("ModelProto", modelProto(graph, version));
  return { model: [around, field(graphField, sizeOf(parts)), ...parts], data };
}

/** How many bytes pieces take together. */
export function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
}

/** Field numbers in onnx.proto. */
const graphField = 7;
const initializerField = 5;
const rawDataField = 9;

/** What stands before `length` bytes of a field: its tag (wire type 2) and the length as a varint. */
function field(number: number, length: number): Uint8Array {
  const bytes = [number * 8 + 2];
  let rest = length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}
