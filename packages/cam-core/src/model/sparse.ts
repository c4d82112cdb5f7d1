import type { ByteSource } from "./source.ts";

/**
 * A model file taken apart without reading its weights: the protobuf's structure is walked, and what a large TensorProto
 * holds as raw_data is left where it lies. Each part is a message of its own, for `wire.ts` to read.
 */
export type SparseModel = {
  /** ModelProto without its graph. */
  readonly model: Uint8Array;
  /** GraphProto without its large initializers; undefined where the model has no graph. */
  readonly graph: Uint8Array | undefined;
  /** TensorProto of each large initializer, without raw_data, and where in the file that is. */
  readonly tensors: readonly { readonly proto: Uint8Array; readonly offset: number; readonly length: number }[];
};

/** Field numbers in onnx.proto. */
const graphField = 7;
const initializerField = 5;
const rawDataField = 9;

/** Initializers of at least this size are left in place. */
const large = 1024;

/** Throws RangeError when a field reaches beyond the message it is in: a truncated or damaged file, or no protobuf. */
export function splitModel(source: ByteSource): SparseModel {
  const reader = new Reader(source);
  const model: Uint8Array[] = [];
  const graph: Uint8Array[] = [];
  const tensors: SparseModel["tensors"][number][] = [];
  let hasGraph = false;
  for (const field of fieldsOf(reader, 0, source.size)) {
    if (field.number !== graphField || field.wire !== 2) {
      model.push(reader.copy(field.start, field.end));
      continue;
    }
    hasGraph = true;
    for (const part of fieldsOf(reader, field.body, field.end)) {
      const tensor =
        part.number === initializerField && part.wire === 2 && part.end - part.body >= large
          ? sparseTensor(reader, part.body, part.end)
          : undefined;
      if (tensor) tensors.push(tensor);
      else graph.push(reader.copy(part.start, part.end));
    }
  }
  return { model: join(model), graph: hasGraph ? join(graph) : undefined, tensors };
}

/** A TensorProto without its raw data; undefined where the elements are stored another way. */
function sparseTensor(reader: Reader, start: number, end: number): SparseModel["tensors"][number] | undefined {
  const rest: Uint8Array[] = [];
  let raw: Field | undefined;
  for (const field of fieldsOf(reader, start, end)) {
    if (field.number === rawDataField && field.wire === 2) raw = field;
    else if (field.end - field.start >= large) return undefined;
    else rest.push(reader.copy(field.start, field.end));
  }
  return raw && { proto: join(rest), offset: raw.body, length: raw.end - raw.body };
}

/** A field of a message: tag from `start`, contents from `body` to `end`. */
type Field = {
  readonly number: number;
  readonly wire: number;
  readonly start: number;
  readonly body: number;
  readonly end: number;
};

function* fieldsOf(reader: Reader, from: number, to: number): Generator<Field> {
  for (let at = from; at < to; ) {
    const tag = reader.varint(at);
    const wire = tag.value & 7;
    const number = Math.floor(tag.value / 8);
    const [body, end] = extent(reader, wire, tag.next);
    if (number === 0 || end > to) throw new RangeError(`field ${number} at byte ${at} reaches to ${end}, beyond ${to}`);
    yield { number, wire, start: at, body, end };
    at = end;
  }
}

/** Where a field's contents begin and end, by wire type: varint, 64 bits, length-delimited, 32 bits. */
function extent(reader: Reader, wire: number, at: number): readonly [number, number] {
  switch (wire) {
    case 0:
      return [at, reader.varint(at).next];
    case 1:
      return [at, at + 8];
    case 2: {
      const length = reader.varint(at);
      return [length.next, length.next + length.value];
    }
    case 5:
      return [at, at + 4];
    default:
      throw new RangeError(`wire type ${wire} at byte ${at} is none that protobuf has`);
  }
}

/** Reads ahead in blocks, so that walking many small fields costs few reads. */
class Reader {
  readonly #source: ByteSource;
  #block: Uint8Array = new Uint8Array(0);
  #from = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  #byte(at: number): number {
    if (at < this.#from || at >= this.#from + this.#block.byteLength) {
      if (at >= this.#source.size) throw new RangeError(`the file ends at byte ${this.#source.size}, within a field`);
      this.#from = at;
      this.#block = this.#source.read(at, Math.min(16384, this.#source.size - at));
    }
    return this.#block[at - this.#from]!;
  }

  varint(at: number): { value: number; next: number } {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte(at + i);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return { value, next: at + i + 1 };
      scale *= 128;
    }
    throw new RangeError(`the number at byte ${at} is longer than 10 bytes`);
  }

  copy(start: number, end: number): Uint8Array {
    const inside = start >= this.#from && end <= this.#from + this.#block.byteLength;
    return inside ? this.#block.slice(start - this.#from, end - this.#from) : this.#source.read(start, end - start);
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
