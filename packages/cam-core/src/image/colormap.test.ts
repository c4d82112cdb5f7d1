import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type ColormapName, colorIndex, colormap, colormapNames, defaultColormap } from "./colormap.ts";

/** matplotlib 3.11.2: colormaps[name](i, bytes=True) at 0, 31, 64, 128, 200, 255 ("gray" for grey). */
// biome-ignore format: one scale a line
const matplotlib: Record<ColormapName, number[][]> = {
  viridis: [[68, 1, 84], [71, 43, 122], [58, 82, 139], [32, 144, 140], [112, 206, 86], [253, 231, 36]],
  inferno: [[0, 0, 3], [31, 12, 71], [87, 15, 109], [187, 55, 84], [251, 157, 6], [252, 254, 164]],
  magma: [[0, 0, 3], [27, 16, 68], [80, 18, 123], [182, 54, 121], [253, 151, 104], [251, 252, 191]],
  cividis: [[0, 34, 77], [24, 55, 111], [67, 78, 107], [124, 123, 120], [196, 180, 104], [253, 231, 55]],
  turbo: [[48, 18, 59], [70, 104, 224], [40, 187, 235], [164, 252, 59], [244, 101, 22], [122, 4, 2]],
  jet: [[0, 0, 127], [0, 0, 255], [0, 128, 255], [124, 255, 121], [255, 118, 0], [127, 0, 0]],
  grey: [[0, 0, 0], [31, 31, 31], [64, 64, 64], [128, 128, 128], [200, 200, 200], [255, 255, 255]],
};

test.each(colormapNames)("%s: matplotlib's colours", (name) => {
  const { table } = colormap(name);
  expect(table).toHaveLength(768);
  expect([0, 31, 64, 128, 200, 255].map((i) => [...table.subarray(i * 3, i * 3 + 3)])).toEqual(matplotlib[name]);
});

test("jet's formula gives matplotlib's whole table", () => {
  const digest = createHash("sha256").update(colormap("jet").table).digest("hex");
  expect(digest).toBe("c1b7b97444ebebfc30a590ce3eada7cffefb868960c6c39fd4ed1ff7a40712e9");
});

/** CIELAB lightness (0..100) of an sRGB colour, D65: IEC 61966-2-1 and CIE 15. */
function lightness([r, g, b]: readonly number[]): number {
  const linear = [r!, g!, b!].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  const y = 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
  return y > 216 / 24389 ? 116 * Math.cbrt(y) - 16 : (24389 / 27) * y;
}
const lightnesses = (name: ColormapName) =>
  Array.from({ length: 256 }, (_, i) => lightness([...colormap(name).table.subarray(i * 3, i * 3 + 3)]));

describe("lightness", () => {
  const even = colormapNames.filter((name) => colormap(name).even);
  test("five scales claim to be even, the default among them", () => {
    expect(even).toEqual(["inferno", "magma", "viridis", "cividis", "grey"]);
    expect(even).toContain(defaultColormap);
  });

  test.each(even)("%s rises steadily", (name) => {
    const L = lightnesses(name);
    const steps = L.slice(1).map((value, i) => value - L[i]!);
    expect(Math.min(...steps)).toBeGreaterThan(-0.25); // 8-bit rounding
    expect(L.every((value, i) => i < 8 || value > L[i - 8]!)).toBe(true);
    expect(L[255]! - L[0]!).toBeGreaterThan(70);
  });

  test.each(colormapNames.filter((name) => !even.includes(name)))("%s does not", (name) => {
    const L = lightnesses(name);
    expect(L[255]!).toBeLessThan(Math.max(...L) - 30);
  });
});

test("a value picks one of 256 equal steps", () => {
  expect([0, 1 / 256 - 1e-9, 1 / 256, 0.5, 0.9999, 1].map(colorIndex)).toEqual([0, 0, 1, 128, 255, 255]);
  expect([-0.1, 1.1].map(colorIndex)).toEqual([0, 255]);
});
