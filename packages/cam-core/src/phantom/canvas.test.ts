import { expect, test } from "vitest";
import { createCanvas, develop, draw, fill, type Placement, visibleMask } from "./canvas.ts";
import { type ShapeName, shapes } from "./shapes.ts";

const upright = { cos: 1, sin: 0 };
const turned = { cos: 0.8, sin: 0.6 }; // a 3-4-5 triangle: exact
const count = (mask: Uint8Array): number => mask.reduce((sum, value) => sum + value, 0);

// Areas on paper, for circumradius 1.
const areas: Record<ShapeName, number> = {
  disc: Math.PI * 0.9 ** 2,
  ring: Math.PI * (0.81 - 0.25),
  triangle: (3 * Math.sqrt(3)) / 4,
  square: 1.4 ** 2,
  hexagon: (3 * Math.sqrt(3)) / 2,
  cross: 4 * 0.92 * 2 * 0.3 - 4 * 0.3 ** 2,
  bar: 4 * 0.94 * 0.28,
  // ten triangles between a tip (1), a notch (0.5) and the centre, 36° apart
  star: 10 * 0.5 * 0.5 * Math.sin(Math.PI / 5),
  // two right triangles tip-tangent-centre, and what of the circle they leave
  drop: 0.64 * Math.sqrt(1.34 ** 2 - 0.64 ** 2) + 0.64 ** 2 * (Math.PI - Math.acos(0.64 / 1.34)),
};

test.each(Object.entries(areas))("%s covers the area geometry gives it", (name, area) => {
  const canvas = createCanvas(64);
  fill(canvas, () => [0, 0, 0]);
  const place: Placement = { x: 31.3, y: 32.6, radius: 25, turn: turned };
  draw(canvas, shapes[name as ShapeName], () => [255, 255, 255], place, 1);
  const pixels = area * 25 ** 2;
  // The picture's brightness is the anti-aliased area (1/16 pixel steps along the outline only): within 0.5 %.
  const image = develop(canvas, () => 0);
  const bright = image.reduce((sum, value) => sum + value, 0) / 3 / 255;
  expect(Math.abs(bright - pixels) / pixels).toBeLessThan(0.005);
  // The mask decides whole pixels: within 1.5 %.
  expect(Math.abs(count(visibleMask(canvas, 1)) - pixels) / pixels).toBeLessThan(0.015);
});

test("what a later shape hides is not in the mask, and no pixel is in two", () => {
  const canvas = createCanvas(32);
  fill(canvas, () => [0, 0, 0]);
  const half = { x: 16, y: 16, radius: 10, turn: upright };
  draw(canvas, shapes.square, () => [255, 0, 0], half, 1); // columns 9 … 22
  draw(canvas, shapes.square, () => [0, 255, 0], { ...half, x: 23.5 }, 2); // from column 16.5 on
  const [under, over] = [visibleMask(canvas, 1), visibleMask(canvas, 2)];
  for (let i = 0; i < under.length; i++) expect(under[i]! + over[i]!).toBeLessThanOrEqual(1);
  // 14 × 14 pixels whole; of columns 9 … 22 the right ones, from 16.5, are hidden. Column 16 is half and half:
  // its sample right of the centre shows the upper square.
  expect(count(under)).toBe(7 * 14);
  expect(count(over)).toBe(14 * 14);
});

test("a turn is anticlockwise as seen", () => {
  const canvas = createCanvas(32);
  fill(canvas, () => [0, 0, 0]);
  // The drop's tip points up; a quarter turn anticlockwise points it left.
  draw(canvas, shapes.drop, () => [255, 255, 255], { x: 16, y: 16, radius: 14, turn: { cos: 0, sin: 1 } }, 1);
  const mask = visibleMask(canvas, 1);
  const inColumn = (column: number): number => count(mask.filter((_, at) => at % 32 === column));
  expect(inColumn(4)).toBeLessThan(6); // 2.5 from the tip at x = 2: 2 * 0.544 * 2.5 = 2.7 high
  expect(inColumn(25)).toBeGreaterThan(12); // through the round end
});
