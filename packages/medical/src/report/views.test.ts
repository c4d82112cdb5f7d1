import { expect, test } from "vitest";
import { type Geometry, positionOf, type Vec3 } from "../volume/geometry.ts";
import { drawPlane, mapPlane } from "./draw-plane.ts";
import { displayView, lettersOf, nativeView, viewNames, walkOf } from "./views.ts";

const axial: Geometry = {
  shape: [5, 6, 7],
  spacingMm: [2, 1, 1],
  originMm: [0, 0, 0],
  directions: [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ],
};
/** Slices to the head to feet, rows to the front, columns to the right: everything the other way round. */
const turned: Geometry = {
  ...axial,
  directions: [
    [0, 0, -1],
    [0, -1, 0],
    [-1, 0, 0],
  ],
};
/** A sagittal series: slices to the left, rows to the feet, columns to the back. */
const sagittal: Geometry = {
  ...axial,
  directions: [
    [1, 0, 0],
    [0, 0, -1],
    [0, 1, 0],
  ],
};

test.each([
  ["axial", axial],
  ["turned", turned],
  ["sagittal", sagittal],
])("%s scans hang alike: seen from the feet, from the front, from the left", (_, geometry) => {
  const letters = viewNames.map((name) => Object.values(displayView(geometry, name).letters).join(" "));
  // left right top bottom
  expect(letters).toEqual(["R L A P", "R L H F", "A P H F"]);
});

test("a slice as it lies in the file has the letters of its own directions", () => {
  expect(Object.values(nativeView(turned).letters)).toEqual(["L", "R", "P", "A"]);
  expect(Object.values(nativeView(sagittal).letters)).toEqual(["A", "P", "H", "F"]);
});

test("oblique directions have two letters, the stronger first", () => {
  expect(lettersOf([0.8, 0.6, 0])).toBe("LP");
  expect(lettersOf([-0.5, 0, 0.866])).toBe("HR");
  expect(lettersOf([0.1, -0.99, 0.1])).toBe("A");
});

test.each([
  ["axial", axial],
  ["turned", turned],
  ["sagittal", sagittal],
])("%s: a voxel's pixel lies where the patient says, in volume and map alike", (_, geometry) => {
  const at: Vec3 = [3, 1, 4];
  const [, rows, columns] = geometry.shape;
  const data = new Int16Array(5 * 6 * 7).fill(-1000);
  data[(at[0] * rows + at[1]) * columns + at[2]] = 1000;
  const map = {
    geometry,
    slice: (k: number, into: Float32Array) => {
      into.fill(0);
      if (k === at[0]) into[at[1] * columns + at[2]] = 1;
    },
  };
  for (const name of viewNames) {
    const view = displayView(geometry, name);
    const index = at[view.fixed];
    const { rgb, width } = drawPlane({ geometry, data }, view, index, [-1000, 1000]);
    const pixel = rgb.indexOf(255) / 3;
    expect(mapPlane(map, view, index).indexOf(1)).toBe(pixel);
    // From the first pixel to this one the patient's axes grow as the view says.
    const walk = walkOf(view, geometry.shape, index);
    const indexAt = (i: number): Vec3 => [
      Math.floor(i / (rows * columns)),
      Math.floor(i / columns) % rows,
      i % columns,
    ];
    const from = positionOf(geometry, indexAt(walk.offset));
    const to = positionOf(geometry, at);
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const axes = { axial: [0, 1, 1, 1], coronal: [0, 2, 1, -1], sagittal: [1, 2, 1, -1] }[name] as [
      number,
      number,
      number,
      number,
    ];
    const mm = (axis: { axis: 0 | 1 | 2 }) => geometry.spacingMm[axis.axis];
    expect(to[axes[0]]! - from[axes[0]]!).toBeCloseTo(x * mm(view.right) * axes[2], 9);
    expect(to[axes[1]]! - from[axes[1]]!).toBeCloseTo(y * mm(view.down) * axes[3], 9);
  }
});
