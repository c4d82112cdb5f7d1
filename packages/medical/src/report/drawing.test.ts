import { colormap, readProvenance } from "@camkit/cam-core";
import { decodePicture } from "@camkit/cam-core/data";
import { expect, test } from "vitest";
import type { Geometry } from "../volume/geometry.ts";
import { bytesOfValues, greysOf, valueOfByte } from "./companding.ts";
import { chooseSlices, contactSheet } from "./contact-sheet.ts";
import { displaySize, drawSlice, fuse } from "./draw-plane.ts";
import { fusedPictures } from "./fused-picture.ts";
import { spritesOf } from "./sprites.ts";
import { statistics } from "./statistics.ts";
import { ballMap, ballVolume, spheres } from "./test-scan.ts";
import { displayView } from "./views.ts";
import { ctDisplay, greyOf, pictureDisplay, windowPresets } from "./window.ts";

test("a window's ends are black and white, its middle is grey, beyond is clipped", () => {
  expect([-2000, -1350, -600, 150, 3000].map((hu) => greyOf(hu, windowPresets.lung))).toEqual([0, 0, 128, 255, 255]);
  const { rgb, width, height } = drawSlice(ballVolume(), 0);
  expect([width, height]).toEqual([64, 48]);
  expect([...rgb.subarray(0, 3)]).toEqual([60, 60, 60]); // air, −1000: 350 / 1500 · 255 = 59.5
});

test("colours follow the map: none at 0, the table's mixed in from a half on, nothing below the threshold", () => {
  const grey = () => ({ width: 4, height: 1, rgb: new Uint8Array(12).fill(100) });
  const values = Float32Array.of(0, 0.25, 0.5, 1);
  const picture = grey();
  fuse(picture, values);
  expect([...picture.rgb.subarray(0, 3)]).toEqual([100, 100, 100]);
  const { table } = colormap("inferno");
  const mixed = (row: number, a: number) => [0, 1, 2].map((c) => Math.round(100 + (table[row * 3 + c]! - 100) * a));
  expect([...picture.rgb.subarray(3, 6)]).toEqual(mixed(64, 0.3)); // smoothstep(0.5) = 0.5, of 0.6
  expect([...picture.rgb.subarray(6, 9)]).toEqual(mixed(128, 0.6));
  expect([...picture.rgb.subarray(9, 12)]).toEqual(mixed(255, 0.6));
  const cut = grey();
  fuse(cut, values, 0.5);
  expect([...cut.rgb.subarray(3, 6)]).toEqual([100, 100, 100]);
  expect([...cut.rgb.subarray(6)]).toEqual([...picture.rgb.subarray(6)]);
});

test("pixels come out square: a millimetre is as long down as across", () => {
  const { geometry } = ballVolume(); // 20 slices of 4 mm, 48 rows of 2 mm, 64 columns of 1.5 mm
  expect(displaySize(displayView(geometry, "axial"), geometry, 96)).toEqual({ width: 96, height: 96 });
  expect(displaySize(displayView(geometry, "coronal"), geometry, 96)).toEqual({ width: 96, height: 80 });
});

test("a picture for plain viewers: whole pixels, text where it belongs, each slice its own number", async () => {
  const draw = await fusedPictures(ballVolume(), ballMap(), { title: "ball 0.93", detail: "grad-cam" });
  const [a, b, again] = [await draw(10), await draw(11), await draw(10)];
  expect(a).toMatchObject({ width: 384, height: 288, place: { left: 0, top: 0, scale: 6 } });
  expect(again.rgb).toEqual(a.rgb);
  const bright = (picture: typeof a, x0: number, y0: number, x1: number, y1: number) => {
    let n = 0;
    for (let y = y0; y < y1; y++)
      for (let x = x0; x < x1; x++)
        if (picture.rgb[(y * 384 + x) * 3]! > 200 && picture.rgb[(y * 384 + x) * 3 + 2]! > 200) n++;
    return n;
  };
  expect(bright(a, 0, 0, 120, 24)).toBeGreaterThan(50); // the title
  expect(bright(a, 250, 268, 384, 288)).toBeGreaterThan(50); // research use only
  const label = ({ rgb }: typeof a) => rgb.subarray(262 * 384 * 3, 286 * 384 * 3).filter((_, i) => (i / 3) % 384 < 200);
  expect(label(a)).not.toEqual(label(b));
  // The map's centre is hot, in the colours' order red > green > blue.
  const { at } = spheres.lesion;
  const centre = ((at[1] * 6 + 3) * 384 + at[2] * 6 + 3) * 3;
  const hot = await draw(at[0]);
  expect(hot.rgb[centre]! - hot.rgb[centre + 2]!).toBeGreaterThan(40);
});

test("slices for a sheet: those with most of the map, not side by side, and others evenly over the scan", () => {
  const shares = Array.from({ length: 60 }, (_, k) => Math.exp(-(((k - 20) / 4) ** 2)));
  const chosen = chooseSlices(shares, 10);
  expect(chosen).toHaveLength(10);
  expect(new Set(chosen.map(({ index }) => index)).size).toBe(10);
  expect(chosen.map(({ index }) => index)).toEqual(chosen.map(({ index }) => index).toSorted((a, b) => a - b));
  const ranked = chosen.filter(({ rank }) => rank !== undefined).toSorted((a, b) => a.rank! - b.rank!);
  expect(ranked.map(({ index }) => index)).toEqual([20, 18, 22, 16, 24]);
  expect(chosen[0]!.index).toBeLessThan(10);
  expect(chosen.at(-1)!.index).toBeGreaterThan(50);
  expect(chooseSlices([0, 0, 0], 10).map(({ index, rank }) => [index, rank])).toEqual([
    [0, undefined],
    [1, undefined],
    [2, undefined],
  ]);
});

test("a contact sheet is a picture with its provenance inside", async () => {
  const [volume, map] = [ballVolume(), ballMap()];
  const bytes = await contactSheet(volume, map, statistics(map, undefined, { threshold: 0.5 }), {
    title: "Ball",
    detail: "grad-cam",
    across: 3,
    down: 2,
    provenance: { software: "camkit" },
  });
  expect(await readProvenance(bytes)).toEqual({ software: "camkit" });
  const { width, height } = await decodePicture(bytes);
  expect([width, height]).toEqual([2 * 24 + 3 * 300 + 2 * 6, 84 + 2 * (300 + 26 + 6) + 64]);
});

test("a byte holds HU as finely as the window needs", () => {
  const bytes = bytesOfValues(ctDisplay);
  const step = (hu: number) => Math.abs(valueOfByte(ctDisplay, bytes[hu + 32768]!) - hu);
  for (const [from, to, most] of [
    [-1350, -160, 6.2],
    [-160, 240, 1.8],
    [240, 1300, 11.3],
  ] as const)
    for (let hu = from; hu <= to; hu++) expect(step(hu)).toBeLessThanOrEqual(most);
  expect([bytes[0], bytes[65535]]).toEqual([0, 255]);
  // Black and white of the mediastinal window are where they should be.
  const greys = greysOf(ctDisplay, windowPresets.mediastinum);
  expect([greys[bytes[-160 + 32768]!], greys[bytes[240 + 32768]!]]).toEqual([0, 255]);
  // A radiograph's values are bytes already.
  expect([...bytesOfValues(pictureDisplay).subarray(32768, 32768 + 256)]).toEqual(
    Array.from({ length: 256 }, (_, i) => i),
  );
});

test("the page's pictures show the scan and the map that were put in", async () => {
  const [volume, map] = [ballVolume(), ballMap()];
  const sprites = await spritesOf(volume, map, ctDisplay);
  expect(sprites).toMatchObject({ shape: [20, 48, 64], mapShape: [48, 64], tiles: 8 });
  expect([sprites.slices.length, sprites.mapSheets.length]).toEqual([20, 3]);
  const { at } = spheres.lesion;
  const slice = await decodePicture(Buffer.from(sprites.slices[at[0]]!, "base64"));
  const huAt = (r: number, c: number) => valueOfByte(ctDisplay, slice.rgb[3 * (r * 64 + c)]!);
  for (const [r, c, hu] of [
    [2, 2, -1000], // air
    [24, 32, 0], // between the lungs
    [24, 45, -850], // left lung
    [at[1], at[2], 40], // the ball
  ] as const)
    expect(Math.abs(huAt(r, c) - hu)).toBeLessThan(25);
  const sheet = await decodePicture(Buffer.from(sprites.mapSheets[Math.floor(at[0] / 8)]!, "base64"));
  const tile = (at[0] % 8) * 48;
  const shown = (r: number, c: number) => sheet.rgb[((tile + r) * 64 + c) * 3]! / 255;
  const values = new Float32Array(48 * 64);
  map.slice(at[0], values);
  for (const [r, c] of [
    [at[1], at[2]],
    [at[1] + 4, at[2] - 3],
    [2, 60],
  ] as const)
    expect(Math.abs(shown(r, c) - values[r * 64 + c]!)).toBeLessThan(0.03);
});

test("a scan larger than a page may be is shown smaller, its proportions kept", async () => {
  const geometry: Geometry = { ...ballVolume().geometry, shape: [2, 700, 1400] };
  const volume = { geometry, data: new Int16Array(2 * 700 * 1400) };
  const { shape, mapShape } = await spritesOf(volume, { geometry, slice: (_, into) => into.fill(0) }, ctDisplay);
  expect(shape).toEqual([2, 256, 512]);
  expect(mapShape).toEqual([64, 128]);
});
