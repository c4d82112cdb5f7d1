import { encodeNpy } from "../../npy.ts";
import { float32, int64, type Tensor } from "../../tensor.ts";
import { rng } from "../rng.ts";
import { byteMutations } from "./mutations/bytes.ts";
import { pick } from "./mutations/mutation.ts";

const tensors: readonly Tensor[] = [
  float32([2, 3], [1, 2, 3, 4, 5, 6]),
  int64([4], [1, 2, 3, 4]),
  float32([], [7]),
  { dtype: "uint8", shape: [2, 2, 2], data: new Uint8Array(8) },
  { dtype: "float16", shape: [3, 0], data: new Uint16Array(0) },
];

/** What a header may say instead: each replaces one part of the text. */
const lies: readonly (readonly [RegExp, readonly string[]])[] = [
  [
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
  [
    /'[<|>=][a-z]\d'/,
    ["'|O'", "'<U8'", "'<c8'", "'<M8[ns]'", "'>f4'", "'>i8'", "'<f16'", "'|V4'", "'<f4,<i4'", "''", "[('a', '<f4')]"],
  ],
  [/False/, ["True", "Maybe", "1"]],
  [/'descr'/, ["'desc'", "'__proto__'", "''"]],
  [/'shape'/, ["'shape', 'shape'", "shape"]],
  [/\{/, ["", "{{", "__import__('os'); {"]],
];

/** Array file number `seed`: a header that lies, or bytes that are damaged without knowing what they mean. */
export function damagedArray(seed: number): { bytes: Uint8Array; story: string } {
  const random = rng(seed);
  const tensor = pick(random, tensors)!;
  const whole = encodeNpy(tensor).slice() as Uint8Array<ArrayBuffer>;
  if (random.int(3) === 0) {
    const kind = pick(random, Object.keys(byteMutations))!;
    return { bytes: byteMutations[kind]!(whole, random), story: `${tensor.dtype}: bytes ${kind}` };
  }
  const [pattern, texts] = pick(random, lies)!;
  const lie = pick(random, texts)!;
  return {
    bytes: withHeader(whole, (text) => text.replace(pattern, () => lie), random.int(8)),
    story: `header: ${lie.slice(0, 40)}`,
  };
}

/** The file with another header. `length`: 0 lies about the header's own length, 1 about the version; the rest is right. */
function withHeader(bytes: Uint8Array, change: (text: string) => string, length: number): Uint8Array {
  const start = 10 + new DataView(bytes.buffer, bytes.byteOffset).getUint16(8, true);
  const header = new TextEncoder().encode(change(new TextDecoder("latin1").decode(bytes.subarray(10, start))));
  const out = new Uint8Array(12 + header.length + bytes.length - start);
  out.set(bytes.subarray(0, 6));
  out[6] = length === 1 ? 9 : 2;
  new DataView(out.buffer).setUint32(8, length === 0 ? 0xfffffff0 : header.length, true);
  out.set(header, 12);
  out.set(bytes.subarray(start), 12 + header.length);
  return out;
}
