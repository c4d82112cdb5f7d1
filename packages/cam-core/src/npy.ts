import { InputError } from "./errors.ts";
import { bytesOf, bytesPerElement, type DType, sizeOf, type Tensor, type TypedArray, viewBytes } from "./tensor.ts";

/** NumPy's type codes for the dtypes both sides have. bfloat16 and strings have no fixed-width NumPy twin. */
const codeOf: Readonly<Partial<Record<DType, string>>> = {
  float64: "f8",
  float32: "f4",
  float16: "f2",
  int64: "i8",
  int32: "i4",
  int16: "i2",
  int8: "i1",
  uint64: "u8",
  uint32: "u4",
  uint16: "u2",
  uint8: "u1",
  bool: "b1",
};
const dtypeOf = Object.fromEntries(Object.entries(codeOf).map(([dtype, code]) => [code, dtype])) as Readonly<
  Record<string, Exclude<DType, "string"> | undefined>
>;

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "\x93NUMPY"

/** NumPy pads the header so that the data begins on a multiple of this, ready to be memory-mapped. */
const alignment = 64;

/**
 * A tensor as the bytes of a `.npy` file: version 1.0 (2.0 when the header needs it), little-endian, C order; byte for
 * byte what `numpy.save` writes. Throws InputError for bfloat16 and strings, which NumPy has no type code for.
 */
export function encodeNpy(tensor: Tensor): Uint8Array {
  const code = codeOf[tensor.dtype];
  if (code === undefined)
    throw new InputError(`a ${tensor.dtype} tensor can't be written as .npy: NumPy has no such type`, {
      hint: "Cast it to float32 first.",
    });
  const width = bytesPerElement[tensor.dtype] as number;
  const descr = `${width === 1 ? "|" : "<"}${code}`;
  const { shape } = tensor;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const version = text.length + 1 + 10 + alignment > 0xffff ? 2 : 1;
  const prefix = version === 1 ? 10 : 12;
  const header = Math.ceil((prefix + text.length + 1) / alignment) * alignment;
  const data = bytesOf(tensor.data as TypedArray);

  const out = new Uint8Array(header + data.length).fill(0x20, 0, header);
  out.set([...magic, version, 0]);
  const view = new DataView(out.buffer);
  if (version === 1) view.setUint16(8, header - prefix, true);
  else view.setUint32(8, header - prefix, true);
  out.set(new TextEncoder().encode(text), prefix);
  out[header - 1] = 0x0a;
  out.set(data, header);
  return out;
}

/**
 * The tensor in a `.npy` file: versions 1 to 3, either byte order, C or Fortran order (always handed back row-major and in
 * this machine's byte order). The data is a view into `bytes` where alignment allows, else a copy.
 *
 * Throws InputError for bytes that aren't .npy, object and structured arrays, types ONNX doesn't have (complex, text,
 * dates), and data shorter or longer than the header says. `source` names the file in the message.
 */
export function decodeNpy(bytes: Uint8Array, source = "array"): Tensor {
  const { descr, fortranOrder, shape, start } = readHeader(bytes, source);
  const [order, code] = [descr[0], descr.slice(1)];
  const dtype = dtypeOf[code];
  if (dtype === undefined || !"<>|=".includes(order ?? "")) throw unsupportedType(descr, source);

  const width = bytesPerElement[dtype] as number;
  const [expected, found] = [sizeOf(shape) * width, bytes.length - start];
  if (found !== expected)
    throw new InputError(
      `${source}: ${found < expected ? "truncated .npy" : "bytes left over after the array"}: the header says ${dtype} [${shape.join(", ")}], ${expected} bytes of data, found ${found}`,
      {
        hint:
          found < expected ? "Write or copy the file again." : "Save one array a file (numpy.save on a fresh file).",
      },
    );
  const raw = bytes.subarray(start, start + expected);
  const data = viewBytes(dtype, order === ">" ? swapped(raw, width) : raw);
  return { dtype, shape, data: fortranOrder ? rowMajor(data, shape) : data };
}

type Header = { descr: string; fortranOrder: boolean; shape: number[]; start: number };

/** The header is a Python dict literal with exactly three keys, in any order. */
function readHeader(bytes: Uint8Array, source: string): Header {
  if (magic.some((byte, i) => bytes[i] !== byte))
    throw new InputError(
      `${source}: not a .npy file: expected it to begin with "\\x93NUMPY", found ${quoteBytes(bytes)}`,
      {
        hint:
          bytes[0] === 0x50 && bytes[1] === 0x4b
            ? "This looks like a .npz archive: save one array with numpy.save."
            : "Write it with numpy.save.",
      },
    );
  const version = bytes[6] ?? 0;
  const prefix = version === 1 ? 10 : 12;
  if (version < 1 || version > 3) throw new InputError(`${source}: .npy version ${version}; 1, 2 and 3 are known`);
  if (bytes.length < prefix)
    throw new InputError(`${source}: truncated .npy: ${bytes.length} bytes end inside the preamble`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = prefix + length;
  if (bytes.length < start)
    throw new InputError(`${source}: truncated .npy: a header of ${length} bytes, found ${bytes.length - prefix}`);

  const text = new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(bytes.subarray(prefix, start)).trim();
  if (/'descr'\s*:\s*\[/.test(text))
    throw new InputError(`${source}: a structured array (several fields an element) is not a tensor`, {
      hint: "Save one field at a time: numpy.save(path, array['field']).",
    });
  const entries = [/'descr'\s*:\s*'([^']*)'/, /'fortran_order'\s*:\s*(True|False)/, /'shape'\s*:\s*\(([\d\sL,]*)\)/];
  const [descr, fortran, tuple] = entries.map((entry) => entry.exec(text)?.[1]);
  const rest = entries.reduce((left, entry) => left.replace(entry, ""), text);
  if (descr === undefined || fortran === undefined || tuple === undefined || !/^\{[\s,]*\}$/.test(rest))
    throw new InputError(`${source}: the .npy header can't be read: ${text.slice(0, 120)}`, {
      hint: "Expected {'descr': …, 'fortran_order': …, 'shape': …}.",
    });
  const shape = tuple
    .split(",")
    .map((dim) => dim.trim())
    .filter((dim) => dim !== "")
    .map((dim) => Number.parseInt(dim, 10)); // Python 2 wrote 3L
  return { descr, fortranOrder: fortran === "True", shape, start };
}

const refusedKinds: Readonly<Record<string, [what: string, hint: string]>> = {
  O: ["an object array (pickled Python objects)", "Save numbers: array.astype('float32')."],
  U: ["an array of text", "Save numbers, or a .json list of strings."],
  S: ["an array of byte strings", "Save numbers."],
  c: ["a complex array", "Save its real and imaginary parts, or its magnitude."],
  M: ["an array of dates", "Save numbers: array.astype('int64')."],
  m: ["an array of durations", "Save numbers: array.astype('int64')."],
  V: ["an array of raw records", "Save numbers."],
};

function unsupportedType(descr: string, source: string): InputError {
  const kind = descr.replace(/^[<>|=]/, "")[0] ?? "";
  const [what, hint] = refusedKinds[kind] ?? [
    "an array of an unknown type",
    `Known: ${Object.values(codeOf).join(", ")}.`,
  ];
  return new InputError(`${source}: ${what} (dtype '${descr}') is not a tensor`, { hint });
}

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += width)
    for (let j = 0; j < width; j++) out[i + j] = bytes[i + width - 1 - j] as number;
  return out;
}

/** Column-major elements (first axis fastest) laid out row-major (last axis fastest). */
function rowMajor(data: TypedArray, shape: readonly number[]): TypedArray {
  const out = data.slice() as TypedArray;
  const strides: number[] = []; // of each axis in the column-major source
  shape.reduce((stride, dim) => {
    strides.push(stride);
    return stride * dim;
  }, 1);
  const index = new Array<number>(shape.length).fill(0);
  for (let to = 0, from = 0; to < out.length; to++) {
    out[to] = data[from] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      from += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

function quoteBytes(bytes: Uint8Array): string {
  return bytes.length === 0
    ? "an empty file"
    : [...bytes.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
