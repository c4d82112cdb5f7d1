import { expect, test } from "vitest";
import { foreground } from "./foreground.ts";
import { area, side } from "./pictures.ts";
import { disc, onDisc } from "./test-models.ts";

/** A map with one peak. */
const peak = (x: number, y: number) =>
  Float32Array.from({ length: area }, (_, i) =>
    Math.exp(-((((i % side) + 0.5 - x) ** 2 + (Math.floor(i / side) + 0.5 - y) ** 2) / 50)),
  );

function overlap(mask: Uint8Array, inside: (i: number) => boolean): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < area; i++) {
    if (mask[i] === 1 && inside(i)) both++;
    if (mask[i] === 1 || inside(i)) either++;
  }
  return both / either;
}

test("a map that lies on a part of a disc becomes the disc", () => {
  const centre = [14, 17] as const;
  const mask = foreground(peak(12, 15), disc(centre, [200, 40, 40], [60, 140, 60]));
  expect(overlap(mask, (i) => onDisc(centre, i))).toBeGreaterThan(0.95);
});

test("of what looks the same, the map chooses", () => {
  const [left, right] = [
    [8, 16],
    [24, 16],
  ] as const;
  const ground = [120, 120, 120] as const;
  const rgb = disc(left, [135, 120, 110], ground); // hardly to be seen
  const chosen = (x: number) => overlap(foreground(peak(x, 16), rgb), (i) => onDisc(left, i));
  expect(chosen(left[0])).toBeGreaterThan(2 * chosen(right[0]));
});

test("without colours and without a map there is the middle, and no more", () => {
  const mask = foreground(new Float32Array(area), new Uint8Array(3 * area).fill(90));
  expect(mask[0]).toBe(0);
  expect(mask[(area + side) / 2]).toBe(1);
  expect(mask).toEqual(mask.slice().reverse()); // as symmetric as what it was given
});
