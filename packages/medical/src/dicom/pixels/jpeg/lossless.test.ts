import { Context, NativeCodecs } from "dcmjs-codecs";
import { describe, expect, test } from "vitest";
import { encodeLossless, type LosslessOptions } from "../../../../test/lossless-encoder.ts";
import { PixelFault } from "../limits.ts";
import { decodeLossless } from "./lossless.ts";

await NativeCodecs.initializeAsync();

/** Rough enough that every category of differences occurs, up to the 16th. */
const noise = (count: number, precision: number) =>
  Uint16Array.from({ length: count }, (_, i) => {
    const value = Math.imul(i * i + 7 * i + 3, 2654435761) >>> (32 - precision);
    return i % 7 === 0 ? value : (i * 3) & ((1 << precision) - 1);
  });

const [rows, columns] = [21, 33];
const predictors = [1, 2, 3, 4, 5, 6, 7];

describe("what another encoder writes comes back", () => {
  const cases = predictors.flatMap((predictor) =>
    [16, 12, 8].flatMap((bits) => [0, 2].map((pointTransform) => ({ predictor, bits, pointTransform }))),
  );
  test.each(cases)(
    "predictor $predictor, $bits bits, shifted by $pointTransform",
    ({ predictor, bits, pointTransform }) => {
      const samples = noise(rows * columns, bits);
      const context = new Context({
        width: columns,
        height: rows,
        bitsAllocated: bits === 8 ? 8 : 16,
        bitsStored: bits,
        samplesPerPixel: 1,
        pixelRepresentation: 0,
        planarConfiguration: 0,
        photometricInterpretation: "MONOCHROME2",
        decodedBuffer: bits === 8 ? Uint8Array.from(samples) : new Uint8Array(samples.buffer),
      });
      const encoded = NativeCodecs.encodeJpeg(context, { lossy: false, predictor, pointTransform });
      const decoded = decodeLossless(encoded.getEncodedBuffer()!);
      expect(decoded.frame).toMatchObject({ rows, columns, precision: bits });
      expect(Array.from(decoded.samples)).toEqual(
        Array.from(samples, (value) => (value >> pointTransform) << pointTransform),
      );
    },
  );
});

describe("what none of them writes comes back, too", () => {
  const base: LosslessOptions = { rows, columns, precision: 16, predictor: 1 };
  const cases: [string, LosslessOptions][] = [
    ...predictors.map((predictor): [string, LosslessOptions] => [
      `restart markers every 2 rows, predictor ${predictor}`,
      { ...base, predictor, restartRows: 2 },
    ]),
    ["more than eight restart intervals, one row each", { ...base, predictor: 4, restartRows: 1 }],
    ["2 bits", { ...base, precision: 2, predictor: 7 }],
    ["15 bits", { ...base, precision: 15, predictor: 5 }],
    ["three components", { ...base, precision: 8, components: 3, predictor: 6 }],
    ["three components with restart markers", { ...base, precision: 12, components: 3, predictor: 2, restartRows: 5 }],
    ["one column", { ...base, columns: 1, predictor: 4 }],
    ["one pixel", { ...base, rows: 1, columns: 1 }],
  ];
  test.each(cases)("%s", (_, options) => {
    const samples = noise(options.rows * options.columns * (options.components ?? 1), options.precision);
    expect(Array.from(decodeLossless(encodeLossless(samples, options)).samples)).toEqual(Array.from(samples));
  });

  test("a difference of 32768, which has no sign", () => {
    const samples = Uint16Array.of(0, 32768, 0, 32768, 65535, 32767);
    const stream = encodeLossless(samples, { rows: 1, columns: 6, precision: 16, predictor: 1 });
    expect(Array.from(decodeLossless(stream).samples)).toEqual(Array.from(samples));
  });

  // The test's own encoder is checked, too: another decoder reads it.
  test("and another decoder agrees", () => {
    const samples = noise(rows * columns, 16);
    const context = new Context({
      width: columns,
      height: rows,
      bitsAllocated: 16,
      bitsStored: 16,
      samplesPerPixel: 1,
      pixelRepresentation: 0,
      planarConfiguration: 0,
      photometricInterpretation: "MONOCHROME2",
      encodedBuffer: encodeLossless(samples, { ...base, predictor: 5, restartRows: 4 }),
    });
    const bytes = NativeCodecs.decodeJpeg(context).getDecodedBuffer()!;
    expect(Array.from(new Uint16Array(bytes.buffer, bytes.byteOffset, rows * columns))).toEqual(Array.from(samples));
  });
});

describe("damage is named", () => {
  const stream = encodeLossless(noise(rows * columns, 16), {
    rows,
    columns,
    precision: 16,
    predictor: 4,
    restartRows: 3,
  });

  test("cut off, anywhere", () => {
    for (let length = 0; length < stream.length - 2; length += 7)
      expect(() => decodeLossless(stream.subarray(0, length)), `${length} bytes`).toThrow(PixelFault);
    expect(() => decodeLossless(stream.subarray(0, 800))).toThrow(/ends at row \d+ of 21/);
  });

  test("another kind of JPEG", () => {
    const other = stream.slice();
    other[other.indexOf(0xc3)] = 0xc0;
    expect(() => decodeLossless(other)).toThrow("isn't lossless with Huffman codes: its frame is SOF0, not SOF3");
  });

  test("random bytes changed: an answer or a PixelFault, nothing else", () => {
    for (let seed = 1; seed < 400; seed++) {
      const bytes = stream.slice();
      for (let k = 0; k < 3; k++) bytes[(seed * (40503 + 977 * k)) % bytes.length] = (seed * 31 + k) & 255;
      try {
        expect(decodeLossless(bytes).samples.length).toBeGreaterThanOrEqual(0);
      } catch (cause) {
        expect(cause).toBeInstanceOf(PixelFault);
      }
    }
  });
});
