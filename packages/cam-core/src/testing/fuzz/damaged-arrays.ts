import { encodeNpy } from "../../npy.ts";
import { float32, int64, type Tensor } from "../../tensor.ts";
import { rng } from "../rng.ts";
import { damagedAnyhow } from "./mutations/bytes.ts";
import { pick } from "./mutations/mutation.ts";

const tensors: readonly Tensor[] = [
  float32([2, 3], [1, 2, 3, 4, 5, 6]),
  int64([4], [1, 2, 3, 4]),
  float32([], [7]),
  { dtype: "uint8", shape: [2, 2, 2], data: new Uint8Array(8) },
  { dtype: "float16", shape: [3, 0], data: new Uint16Array(0) },
];

/** What a header may say instead: each replaces one part of the text. */
const lies: Readonly<Record<string, readonly [RegExp, readonly string[]]>> = {
  shape: [
    /\([^)]*\)/,
    [
      "(1099511627776,)",
      "(4294967296, 4294967296)",
      "(-2, 3)",
      "(2, 3",
      "()",
      "(1.5, 4)",
      "(9007199254740993,)",
      `(${"1, ".repeat(5000)})`,
      `(${"0, ".repeat(5000)}1)`,
      "(2, x)",
      "(1e3,)",
      "(0, 99999999999999999999999999)",
    ],
  ],
  type: [
    /'[<|>=][a-z]\d'/,
    ["'|O'", "'<U8'", "'<c8'", "'<M8[ns]'", "'>f4'", "'>i8'", "'<f16'", "'|V4'", "'<f4,<i4'", "''", "[('a', '<f4')]"],
  ],
  order: [/False/, ["True", "Maybe", "1"]],
  typeKey: [/'descr'/, ["'desc'", "'__proto__'", "''"]],
  shapeKey: [/'shape'/, ["'shape', 'shape'", "shape"]],
  dictionary: [/\{/, ["", "{{", "__import__('os'); {"]],
};

/** Lies about the header itself: how long it is, which version of the format. */
const prefixes: Readonly<Record<string, (view: DataView) => void>> = {
  headerLength: (view) => view.setUint32(8, 0xfffffff0, true),
  version: (view) => view.setUint8(6, 9),
};

export const arrayWays: readonly string[] = [...Object.keys(lies), ...Object.keys(prefixes)];

/** Array file number `seed`: a header that lies, or bytes that are damaged without knowing what they mean. */
export function damagedArray(seed: number): { bytes: Uint8Array; base: string; ways: readonly string[] } {
  const random = rng(seed);
  const tensor = pick(random, tensors)!;
  const base = `${tensor.dtype} [${tensor.shape}]`;
  const whole = encodeNpy(tensor).slice() as Uint8Array<ArrayBuffer>;
  if (random.int(3) === 0) {
    const { bytes, way } = damagedAnyhow(whole, random);
    return { bytes, base, ways: [way] };
  }
  const way = pick(random, arrayWays)!;
  const bytes = withHeader(whole, (text) => {
    const [pattern, texts = []] = lies[way] ?? [];
    const others = texts.map((lie) => text.replace(pattern!, () => lie)).filter((each) => each !== text);
    return pick(random, others) ?? text;
  });
  prefixes[way]?.(new DataView(bytes.buffer));
  return { bytes, base, ways: [way] };
}

/** The file with another header text, which it says the right length of. */
function withHeader(bytes: Uint8Array, change: (text: string) => string): Uint8Array<ArrayBuffer> {
  const start = 10 + new DataView(bytes.buffer, bytes.byteOffset).getUint16(8, true);
  const header = new TextEncoder().encode(change(new TextDecoder("latin1").decode(bytes.subarray(10, start))));
  const out = new Uint8Array(12 + header.length + bytes.length - start);
  out.set(bytes.subarray(0, 6));
  out[6] = 2;
  new DataView(out.buffer).setUint32(8, header.length, true);
  out.set(header, 12);
  out.set(bytes.subarray(start), 12 + header.length);
  return out;
}
