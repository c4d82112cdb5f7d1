import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { type Geometry, indexOf, length, positionOf, subtract, type Vec3 } from "../volume/geometry.ts";
import { classOf, drawThorax, type Thorax } from "./draw.ts";
import { leaning, thoraxGeometry } from "./grid.ts";

const grid = (seed: number, size = 128, slices = 48) => thoraxGeometry(seed, { size, slices });
const sha = (data: Int16Array | Float32Array | Uint8Array) =>
  createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex")
    .slice(0, 16);

/** Seed 7: ground-glass; seed 8: consolidation. */
const glass = drawThorax(7, { geometry: grid(7) });
const dense = drawThorax(8, { geometry: grid(8) });

/** Mean and count of the voxels that `chosen` takes. */
function mean({ volume }: Thorax, chosen: (at: number) => boolean): { hu: number; n: number } {
  let [sum, n] = [0, 0];
  for (let at = 0; at < volume.data.length; at++)
    if (chosen(at)) {
      sum += volume.data[at]!;
      n++;
    }
  return { hu: sum / n, n };
}

function centroids({ volume: { geometry }, lesionMask }: Thorax): { position: Vec3; ml: number }[] {
  const [, rows, columns] = geometry.shape;
  const sums = new Map<number, number[]>();
  lesionMask.forEach((number, at) => {
    if (number === 0) return;
    const sum = sums.get(number) ?? [0, 0, 0, 0];
    const k = Math.floor(at / (rows * columns));
    for (const [i, index] of [k, Math.floor(at / columns) % rows, at % columns, 1].entries()) sum[i]! += index;
    sums.set(number, sum);
  });
  const voxelMl = geometry.spacingMm.reduce((a, b) => a * b) / 1000;
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([, [k, i, j, n]]) => ({ position: positionOf(geometry, [k! / n!, i! / n!, j! / n!]), ml: n! * voxelMl }));
}

test("a mask's centroid and volume are those that are stated", () => {
  for (const thorax of [glass, dense]) {
    const found = centroids(thorax);
    expect(found.length).toBe(thorax.lesions.length);
    expect(found.length).toBeGreaterThan(0);
    for (const [n, { centreMm, volumeMl, diameterMm }] of thorax.lesions.entries()) {
      const offset = subtract(
        indexOf(thorax.volume.geometry, centreMm),
        indexOf(thorax.volume.geometry, found[n]!.position),
      );
      for (const voxels of offset) expect(Math.abs(voxels)).toBeLessThan(0.5);
      expect(Math.abs(found[n]!.ml / volumeMl - 1)).toBeLessThan(0.08); // voxels of 3 x 3 x 6 mm
      expect((Math.PI / 6) * diameterMm ** 3).toBeCloseTo(1000 * volumeMl, 6);
    }
  }
});

test("lesions lie in the lungs, the right lung is on the patient's right", () => {
  for (const { volume, lesionMask, lungMask } of [glass, dense]) {
    expect(lesionMask.every((number, at) => number === 0 || lungMask[at] !== 0)).toBe(true);
    const columns = volume.geometry.shape[2];
    const side = (lung: number) => {
      let [sum, n] = [0, 0];
      lungMask.forEach((value, at) => {
        if (value === lung) [sum, n] = [sum + (at % columns), n + 1];
      });
      return { column: sum / n, litres: (n * volume.geometry.spacingMm.reduce((a, b) => a * b)) / 1e6 };
    };
    expect(side(1).column).toBeLessThan(side(2).column - 20); // columns run to the patient's left
    for (const lung of [1, 2]) {
      expect(side(lung).litres).toBeGreaterThan(0.8);
      expect(side(lung).litres).toBeLessThan(4);
    }
  }
});

test("tissues have their densities", () => {
  const { lesionMask, lungMask, volume } = glass;
  const healthy = mean(glass, (at) => lungMask[at] !== 0 && lesionMask[at] === 0 && volume.data[at]! < -600);
  expect(healthy.hu).toBeGreaterThan(-900);
  expect(healthy.hu).toBeLessThan(-780);
  const opaque = mean(glass, (at) => lesionMask[at] !== 0);
  expect(opaque.hu).toBeGreaterThan(-680);
  expect(opaque.hu).toBeLessThan(-300);
  const solid = mean(dense, (at) => dense.lesionMask[at] !== 0);
  expect(solid.hu).toBeGreaterThan(-300); // edges and bronchi are in it
  expect(solid.hu).toBeLessThan(60);
  const air = mean(glass, (at) => volume.data[at]! < -985);
  expect(air.n / volume.data.length).toBeGreaterThan(0.2);
  const fat = mean(glass, (at) => volume.data[at]! > -130 && volume.data[at]! < -70);
  const soft = mean(glass, (at) => volume.data[at]! > 20 && volume.data[at]! < 80);
  const bone = mean(glass, (at) => volume.data[at]! > 330);
  for (const { n } of [fat, soft, bone]) expect(n / volume.data.length).toBeGreaterThan(0.004);
});

test("the same patient without lesions is the same patient", () => {
  const geometry = grid(7);
  const normal = drawThorax(7, { geometry, label: "normal" });
  expect(normal.lesions).toEqual([]);
  expect(normal.lesionMask.some((number) => number !== 0)).toBe(false);
  expect(sha(normal.lungMask)).toBe(sha(glass.lungMask));
  const [, rows, columns] = geometry.shape;
  // Beyond the soft edge and the reconstruction's blur nothing changed.
  const far = (at: number) => {
    const index: Vec3 = [Math.floor(at / (rows * columns)), Math.floor(at / columns) % rows, at % columns];
    const position = positionOf(geometry, index);
    return glass.lesions.every(({ centreMm, diameterMm }) => length(subtract(position, centreMm)) > 2.2 * diameterMm);
  };
  let compared = 0;
  for (let at = 0; at < normal.volume.data.length; at += 7)
    if (far(at)) {
      compared++;
      if (normal.volume.data[at] !== glass.volume.data[at]) expect.fail(`voxel ${at} differs`);
    }
  expect(compared).toBeGreaterThan(10_000);
});

test("a seed gives the same bytes, on any machine", () => {
  expect([classOf(6), classOf(7), classOf(8), classOf(-1)]).toEqual([
    "normal",
    "ground-glass",
    "consolidation",
    "consolidation",
  ]);
  const [volume, lesions] = [sha(dense.volume.data), sha(dense.lesionMask)];
  expect({ volume, lesions }).toMatchInlineSnapshot(`
    {
      "lesions": "7e29ca56717cfa9c",
      "volume": "1d8d14598ddce441",
    }
  `);
});

test("an oblique grid shows the same patient at the same positions", () => {
  const flat = thoraxGeometry(8, { size: 128, slices: 100 });
  const options = { noise: 0, thicknessMm: 1 };
  const straight = drawThorax(8, { ...options, geometry: flat });
  const oblique: Geometry = leaning(
    { ...flat, shape: [24, 128, 128], originMm: positionOf(flat, [40, 0, 0]) },
    0.18,
    -0.12,
  );
  const turned = drawThorax(8, { ...options, geometry: oblique });
  const [agreement, lungs] = compared(straight, turned);
  expect(agreement).toBeGreaterThan(0.97); // correlation of HU, the one linear between the other's voxels
  expect(lungs).toBeGreaterThan(0.985); // share of voxels whose lung is the same
  for (const [n, { centreMm }] of turned.lesions.entries()) expect(centreMm).toEqual(straight.lesions[n]!.centreMm);
});

/** Correlation of HU and share of equal lung labels, at the second one's voxels that lie within the first one's grid. */
function compared(first: Thorax, second: Thorax): [number, number] {
  const [from, to] = [first.volume.geometry, second.volume.geometry];
  const [slices, rows, columns] = from.shape;
  const a: number[] = [];
  const b: number[] = [];
  let same = 0;
  for (let k = 0; k < to.shape[0]; k += 3)
    for (let i = 1; i < rows; i += 2)
      for (let j = 1; j < columns; j += 2) {
        const index = indexOf(from, positionOf(to, [k, i, j]));
        const [z, y, x] = index.map(Math.floor) as [number, number, number];
        if (z < 0 || y < 0 || x < 0 || z >= slices - 1 || y >= rows - 1 || x >= columns - 1) continue;
        let hu = 0;
        for (let corner = 0; corner < 8; corner++) {
          const [c, d, e] = [corner >> 2, (corner >> 1) & 1, corner & 1];
          const weight =
            (c ? index[0]! - z : 1 - index[0]! + z) *
            (d ? index[1]! - y : 1 - index[1]! + y) *
            (e ? index[2]! - x : 1 - index[2]! + x);
          hu += weight * first.volume.data[((z + c) * rows + y + d) * columns + x + e]!;
        }
        a.push(hu);
        const at = (k * rows + i) * columns + j;
        b.push(second.volume.data[at]!);
        const nearest = index.map(Math.round) as [number, number, number];
        if (first.lungMask[(nearest[0] * rows + nearest[1]) * columns + nearest[2]] === second.lungMask[at]) same++;
      }
  const average = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [ma, mb] = [average(a), average(b)];
  const covariance = average(a.map((value, n) => (value - ma) * (b[n]! - mb)));
  return [
    covariance / Math.sqrt(average(a.map((v) => (v - ma) ** 2)) * average(b.map((v) => (v - mb) ** 2))),
    same / a.length,
  ];
}

test("a thick slice is the mean of thin ones", () => {
  const base = grid(7, 128, 48);
  const at = 20;
  const one = (thicknessMm: number, asideMm: number) => {
    const originMm = positionOf(base, [at + asideMm / base.spacingMm[0], 0, 0]);
    return drawThorax(7, { geometry: { ...base, shape: [1, 128, 128], originMm }, thicknessMm, noise: 0 }).volume.data;
  };
  const thick = one(4.8, 0);
  const thin = [-1.6, 0, 1.6].map((aside) => one(1, aside));
  for (let p = 0; p < thick.length; p++) {
    const average = (thin[0]![p]! + thin[1]![p]! + thin[2]![p]!) / 3;
    if (Math.abs(thick[p]! - average) > 1.01) expect.fail(`pixel ${p}: ${thick[p]} and ${average}`);
  }
  // And that isn't the thin slice itself.
  expect(thick.filter((hu, p) => Math.abs(hu - thin[1]![p]!) > 50).length).toBeGreaterThan(100);
});

test("a seed's own grid is a scanner's", () => {
  const seen = new Set<number>();
  for (let seed = 0; seed < 60; seed++) {
    const { shape, spacingMm } = thoraxGeometry(seed);
    expect(shape.slice(1)).toEqual([512, 512]);
    expect(shape[0]).toBeGreaterThanOrEqual(40);
    expect(shape[0]).toBeLessThanOrEqual(300);
    expect(spacingMm[1]).toBeGreaterThanOrEqual(0.6);
    expect(spacingMm[1]).toBeLessThanOrEqual(0.9);
    seen.add(spacingMm[0]);
  }
  expect(seen.size).toBeGreaterThan(6);
});
