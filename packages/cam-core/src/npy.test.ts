import { inflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { decodeNpy, encodeNpy } from "./npy.ts";
import { bool, type DType, float32, int64, type Tensor } from "./tensor.ts";

/**
 * numpy 2.4.6's own bytes: a record from name to base64, deflated. x = arange(6).reshape(2, 3):
 *   "<f*" np.save((x - 3) * 1.5) · "<i*" np.save(x - 3) · "<u*" np.save(x) · "bool" [True, False, True] · ">f4" [1.5, -2.25] ·
 *   ">i8" [1, -2] · ">u2" [258, 1] · "fortran" asfortranarray(arange(24).reshape(2, 3, 4)) int32 · "scalar" float64 7.5 ·
 *   "empty" zeros((0, 3)) · "v2" "v3" int16 [1, 2, 3] by format.write_array(version=) · and four that are no tensors.
 */
const golden = JSON.parse(
  inflateSync(
    Buffer.from(
      "eNrVV2uPmkAU/SvNft0mWHW72nSbzPDGx8oiKnxbBgVkAOsLsel/7zAortk0slYSehMnwwzgOdx7z73z6+77rHn37dOdX3sYDUfQBCqsA2kVmu" +
        "JobzTk8NkD4UA0akoSO0rd3KLwJTHGDzOrofjmJN2HojHe7U2N7Df6kTGBWNlHToeTVzLXW3RZ2JZZ4NzsByIAFA4AAEFMxrjbAplxYEAWVB48" +
        "3X3+RGi1CtBqVopWZlp8nIF5PrvPab6xgcMcp2xOu16AdlId2j/BDnAs6DYpS8DLGQ3vyyUaM9HfVYfGss1siYfUI/wCXvCTSsFnHhmGSYOMB8" +
        "A5BJNXQBr8WrVoENsyBzvkjJoOcjocaBWQBr9ZOVrUHpn39lYa+NPUyWcZ7c3lnJL0XaUUUZU5CPQD/Ms5JelJtQSd5hKXRiBUj15oFqBRq1xd" +
        "OuVQWntJ8U1NfxNcrQK0qlhu/5Yz3GlRzWdQPc8pK4rw5UIlX5FUvVWHrM20G3LOeBPP8RT7jwKNX3Bd41cSdIY2fDT0njIKBZQ8uE7JS6JwCq" +
        "pZLt/3lEoBeQuvk7fSAskBMIU+i5br5Wv4j62CjsIR7rIgRHXXRaKePhP1vNjpkWf6rL+SpdrNPcGd8psO7CnJaZhxai5zL3Q/vYZ6fitH9cKg" +
        "bTtdTK+hkb+ao708Soch3U+vIcr1Y4Ve8euylIPKrb/Y+xieqoc0nAaLdVLOIRKUJf8U+PY85xxYo7wSm6Dqz5GHvsosar0O5TANTDNoJ7akuB" +
        "Zub1Hwguk+b7qW1H8fuElcBmpIa3CcBc+2cYY+/r/QR9Z8itYXiyff+jh6rQT0h8MqVMZaLuFyPLbC0RpJ/mZS7xNc+saajFa2iF0UKu7U1Hqc" +
        "0E7McX9rhf0aEbi5rWhDLMdC9lygz4G9MUUhQYHwgJVnXYtZAfM9aCw0CQsdvcOvoBaLAhYdbg5Gvi3h2DTpO9jh3tM9wzveR/aFFuYfnof+kt" +
        "YVjZ6D2t1BQ9ONCNtYqpP/E1xM3onqQg2L8oaK0Hq5ueQJaHVY26X5u98FfRaRLwwipZ7FVibt2P6wp7wrPXXWvp0sZbOe7i5G1UC4ppLyJVXS" +
        "hUuLiHPqa1AULPB0d1lSe83q0Di6hAWDmND4/Qcoi0yc",
      "base64",
    ),
  ).toString(),
) as Record<string, string>;
const bytes = (name: string) => new Uint8Array(Buffer.from(golden[name] as string, "base64"));

const codes: [string, DType][] = [
  ["<f4", "float32"],
  ["<f8", "float64"],
  ["<i1", "int8"],
  ["<i2", "int16"],
  ["<i4", "int32"],
  ["<i8", "int64"],
  ["<u1", "uint8"],
  ["<u2", "uint16"],
  ["<u4", "uint32"],
  ["<u8", "uint64"],
];

describe("numpy's files", () => {
  test.each(codes)("%s reads as %s", (code, dtype) => {
    const tensor = decodeNpy(bytes(code));
    const values = [0, 1, 2, 3, 4, 5].map((x) => (code[1] === "f" ? (x - 3) * 1.5 : code[1] === "i" ? x - 3 : x));
    expect(tensor.dtype).toBe(dtype);
    expect(tensor.shape).toEqual([2, 3]);
    expect(Array.from(tensor.data as ArrayLike<number | bigint>, Number)).toEqual(values);
  });

  test("float16 keeps its bit patterns", () => {
    const tensor = decodeNpy(bytes("<f2"));
    expect(tensor.dtype).toBe("float16");
    // -4.5 = -(1 + 1/8) * 2^2: sign 1, exponent 15 + 2, fraction 128
    expect(Array.from(tensor.data as Uint16Array)).toEqual([0xc480, 0xc200, 0xbe00, 0x0000, 0x3e00, 0x4200]);
  });

  test("bool, scalar, empty, versions 2 and 3", () => {
    expect(decodeNpy(bytes("bool"))).toEqual(bool([3], [true, false, true]));
    expect(decodeNpy(bytes("scalar"))).toEqual({ dtype: "float64", shape: [], data: Float64Array.of(7.5) });
    expect(decodeNpy(bytes("empty"))).toEqual({ dtype: "float32", shape: [0, 3], data: new Float32Array() });
    for (const version of ["v2", "v3"])
      expect(decodeNpy(bytes(version))).toEqual({ dtype: "int16", shape: [3], data: Int16Array.of(1, 2, 3) });
  });

  test("big-endian elements are turned round", () => {
    expect(decodeNpy(bytes(">f4"))).toEqual(float32([2], [1.5, -2.25]));
    expect(decodeNpy(bytes(">i8"))).toEqual(int64([2], [1, -2]));
    expect(decodeNpy(bytes(">u2"))).toEqual({ dtype: "uint16", shape: [2], data: Uint16Array.of(258, 1) });
  });

  test("Fortran order comes back row-major", () => {
    const tensor = decodeNpy(bytes("fortran"));
    expect(tensor.shape).toEqual([2, 3, 4]);
    expect(Array.from(tensor.data as Int32Array)).toEqual(Array.from({ length: 24 }, (_, i) => i));
  });

  test("a view that isn't aligned in its buffer is read all the same", () => {
    const file = bytes("<f8");
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    expect(decodeNpy(shifted.subarray(3))).toEqual(decodeNpy(file));
  });
});

describe("what camkit writes", () => {
  test.each([...codes.map(([code]) => code), "<f2", "bool", "scalar", "empty"])(
    "%s: the bytes numpy.save writes",
    (name) => {
      expect(encodeNpy(decodeNpy(bytes(name)))).toEqual(bytes(name));
    },
  );

  test("a header too long for version 1 becomes version 2 and comes back", () => {
    const shape = new Array<number>(30_000).fill(1);
    const file = encodeNpy(float32(shape, [3]));
    expect(file[6]).toBe(2);
    expect(decodeNpy(file)).toEqual(float32(shape, [3]));
  });

  test("types NumPy lacks are refused", () => {
    const bfloat: Tensor = { dtype: "bfloat16", shape: [1], data: Uint16Array.of(0) };
    expect(() => encodeNpy(bfloat)).toThrow(/bfloat16 tensor can't be written/);
    expect(() => encodeNpy({ dtype: "string", shape: [1], data: ["a"] })).toThrow(/string tensor can't be written/);
  });
});

describe("refused by name", () => {
  test.each([
    ["object", /m\.npy: an object array \(pickled Python objects\) \(dtype '\|O'\)/],
    ["struct", /structured array/],
    ["text", /an array of text \(dtype '<U2'\)/],
    ["complex", /a complex array \(dtype '<c8'\)/],
  ])("%s", (name, message) => expect(() => decodeNpy(bytes(name), "m.npy")).toThrow(message));

  test.each([
    "__import__('os'); {'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
    "{{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape', 'shape': (2,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
  ])("a header that is more than its three entries: %s", (text) => {
    const header = new TextEncoder().encode(text);
    const file = Uint8Array.of(
      0x93,
      ...new TextEncoder().encode("NUMPY"),
      1,
      0,
      header.length,
      0,
      ...header,
      ...Array(8).fill(0),
    );
    expect(() => decodeNpy(file)).toThrow(/the .npy header can't be read/);
  });

  test("truncation, left-over bytes and foreign files say what was found", () => {
    const file = bytes("<f4");
    expect(() => decodeNpy(file.subarray(0, file.length - 1))).toThrow(
      /truncated .npy: the header says float32 \[2, 3\], 24 bytes of data, found 23/,
    );
    expect(() => decodeNpy(new Uint8Array([...file, 0, 0]))).toThrow(/bytes left over.*found 26/);
    expect(() => decodeNpy(file.subarray(0, 60))).toThrow(/truncated .npy: a header of 118 bytes, found 50/);
    expect(() => decodeNpy(file.subarray(0, 9))).toThrow(/truncated/);
    expect(() => decodeNpy(new Uint8Array())).toThrow(/found an empty file/);
    expect(() => decodeNpy(Uint8Array.of(0x50, 0x4b, 3, 4, 5, 6))).toThrow(/not a .npy file.*50 4b/);
    expect(() => decodeNpy(Uint8Array.of(...file.subarray(0, 6), 9, 0, 0, 0))).toThrow(/version 9/);
  });
});
