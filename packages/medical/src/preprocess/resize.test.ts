import { expect, test } from "vitest";
import { bilinearTaps, resizePlane } from "./resize.ts";

/** a[i] = (7919 · i mod 101) / 100, [11, 13]. */
const plane = Float32Array.from({ length: 143 }, (_, i) => ((i * 7919) % 101) / 100);

function resized(height: number, width: number): Float32Array {
  const out = new Float32Array(height * width);
  const taps = { down: bilinearTaps(11, height), across: bilinearTaps(13, width) };
  resizePlane(plane, 13, taps, new Float32Array(11 * width), out);
  return out;
}

/** Pillow 13.0.0: Image.fromarray(a, mode="F").resize((5, 4), Image.BILINEAR). */
const shrunk = [
  [0.477636, 0.483131, 0.523143, 0.509893, 0.455537],
  [0.521717, 0.461687, 0.541457, 0.485672, 0.529294],
  [0.484306, 0.496914, 0.501481, 0.47754, 0.458778],
  [0.530506, 0.523816, 0.524444, 0.451392, 0.536463],
];
/** The same with (10, 15): rows 3 and 4, columns 2 to 7. */
const mixed = [
  [0.60097, 0.348216, 0.747875, 0.635062, 0.624522, 0.381475],
  [0.33497, 0.453459, 0.652312, 0.5395, 0.329405, 0.564364],
];

test("a shrunk plane is Pillow's", () => {
  const out = resized(4, 5);
  for (const [i, value] of shrunk.flat().entries()) expect(out[i]).toBeCloseTo(value, 5);
});

test("rows enlarged, columns shrunk: Pillow's", () => {
  const out = resized(15, 10);
  for (const [r, row] of mixed.entries())
    for (const [c, value] of row.entries()) expect(out[(r + 3) * 10 + c + 2]).toBeCloseTo(value, 5);
});

test("a part is the part of the whole", () => {
  const whole = bilinearTaps(11, 6);
  const part = bilinearTaps(11, 6, 2, 3);
  expect([...part.starts]).toEqual([...whole.starts.subarray(2, 5)]);
  expect([...part.weights]).toEqual([...whole.weights.subarray(2 * whole.width, 5 * whole.width)]);
});
