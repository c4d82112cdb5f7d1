import { encodePicture, type Provenance as Facts, type Picture } from "@camkit/cam-core";
import { positionOf } from "../volume/geometry.ts";
import type { Volume, VoxelMap } from "../volume/volume.ts";
import { displaySize, drawPlane, fuse, mapPlane, resized } from "./draw-plane.ts";
import { disclaimer, fusedPictures } from "./fused-picture.ts";
import { burn, burnColorBar, type StampText, stampOf } from "./stamp.ts";
import type { MapStatistics } from "./statistics.ts";
import { displayView, type View, viewNames } from "./views.ts";
import { type WindowHu, windowPresets } from "./window.ts";

export type ContactSheetOptions = {
  readonly title: string;
  /** Under the title: model, method, layer. */
  readonly detail: string;
  readonly windowHu?: WindowHu;
  /** A radiograph, which is a sheet by itself. */
  readonly isProjection?: boolean;
  /** Pictures in a row. Default 5 */
  readonly across?: number;
  /** Rows of pictures. The first begins with the planes through the map's maximum. Default 4 */
  readonly down?: number;
};

/** Pixels of a cell, and between cells. */
const cell = 300;
/** Of the line under a cell's picture. */
const caption = 26;
const gap = 6;
const margin = 24;
const head = 84;
const foot = 64;

/**
 * A scan and its map on one sheet: the three planes through the map's maximum (the scan's middle, where there is none), then the
 * slices that hold most of the map beside others evenly over the scan, in their order. `found` comes from `statistics`.
 */
export async function drawContactSheet(
  volume: Volume,
  map: VoxelMap,
  found: Pick<MapStatistics, "massPerSlice" | "peak">,
  { isProjection = false, across = 5, down = 4, ...options }: ContactSheetOptions,
): Promise<Picture> {
  if (isProjection) return (await fusedPictures(volume, map, { ...options, isProjection }))(0);
  const { title, detail, windowHu = windowPresets.lung } = options;
  const axial = displayView(volume.geometry, "axial");
  const isEmpty = !(found.peak.value > 0); // nowhere is its maximum
  const planes = viewNames.map((name) => {
    const view = displayView(volume.geometry, name);
    const index = isEmpty ? Math.floor(volume.geometry.shape[view.fixed] / 2) : found.peak.index[view.fixed];
    return { view, index, text: `${name}, through the ${isEmpty ? "middle" : "maximum"}` };
  });
  const shares = sharesAlong(map, axial, found.massPerSlice);
  const chosen = chooseSlices(shares, across * down - planes.length);
  const cells = [
    ...planes,
    ...chosen.map(({ index, rank }) => ({
      view: axial,
      index,
      text: `${index + 1} · ${alongMm(volume, axial, index).toFixed(0)} mm${rank === undefined ? "" : ` · ${percent(shares[index]!)} of the map`}`,
    })),
  ];
  const rowCount = Math.ceil(cells.length / across);
  const width = 2 * margin + across * cell + (across - 1) * gap;
  const height = head + rowCount * (cell + caption + gap) + foot;
  const sheet: Picture = { width, height, rgb: new Uint8Array(width * height * 3).fill(13) };
  for (const [i, { view, index, text }] of cells.entries()) {
    const [left, top] = [margin + (i % across) * (cell + gap), head + Math.floor(i / across) * (cell + caption + gap)];
    place(sheet, await drawCell(volume, map, view, index, windowHu, text), left, top);
  }
  burn(sheet, await stampOf(width, head, headTexts(title, detail)));
  const note = `${disclaimer}. Window ${windowHu[0]} to ${windowHu[1]} HU. Colour: the map, from its least to its greatest value in this scan.`;
  burn(sheet, await stampOf(width, foot, [{ text: note, x: margin, y: 40, size: 16 }]), 0, height - foot);
  await drawScale(sheet, { left: width - margin - 22, top: head - 66, width: 10, height: 48 });
  return sheet;
}

/** The same as the bytes of a PNG. */
export async function contactSheet(
  ...[volume, map, found, { provenance, ...options }]: [
    Volume,
    VoxelMap,
    Pick<MapStatistics, "massPerSlice" | "peak">,
    ContactSheetOptions & { readonly provenance?: Facts },
  ]
): Promise<Uint8Array> {
  const sheet = await drawContactSheet(volume, map, found, options);
  return encodePicture(sheet, provenance === undefined ? {} : { provenance });
}

/** The share of the map in each axial plane; where these aren't the array's slices, there is none to tell. */
function sharesAlong(map: VoxelMap, { fixed }: View, massPerSlice: readonly number[]): readonly number[] {
  return fixed === 0 ? massPerSlice : new Array<number>(map.geometry.shape[fixed]).fill(0);
}

/**
 * Half of them those with most of the map, neighbours left out, since they show the same; the others evenly over the scan. All in
 * order; `rank` counts the former from 1.
 */
export function chooseSlices(
  shares: readonly number[],
  count: number,
): { readonly index: number; readonly rank: number | undefined }[] {
  const wanted = Math.min(count, shares.length);
  const apart = Math.max(1, Math.round(shares.length / (3 * wanted)));
  const ranked: number[] = [];
  const byShare = shares.map((share, index) => ({ share, index })).filter(({ share }) => share > 0);
  for (const { index } of byShare.sort((a, b) => b.share - a.share || a.index - b.index))
    if (ranked.length < Math.floor(wanted / 2) && ranked.every((other) => Math.abs(other - index) >= apart))
      ranked.push(index);
  const rest = [...shares.keys()].filter((index) => !ranked.includes(index));
  const places = wanted - ranked.length;
  const even = Array.from({ length: places }, (_, i) => rest[Math.round(((i + 0.5) * rest.length) / places - 0.5)]!);
  return [...ranked, ...even]
    .sort((a, b) => a - b)
    .map((index) => ({ index, rank: ranked.includes(index) ? ranked.indexOf(index) + 1 : undefined }));
}

async function drawCell(
  volume: Volume,
  map: VoxelMap,
  view: View,
  index: number,
  windowHu: WindowHu,
  text: string,
): Promise<Picture> {
  const picture = drawPlane(volume, view, index, windowHu);
  fuse(picture, mapPlane(map, view, index));
  const shown = resized(picture, displaySize(view, volume.geometry, cell));
  const height = cell + caption;
  const out: Picture = { width: cell, height, rgb: new Uint8Array(cell * height * 3) };
  place(out, shown, Math.floor((cell - shown.width) / 2), Math.floor((cell - shown.height) / 2));
  const texts: StampText[] = [
    { text, x: 8, y: cell + 18, size: 14 },
    { text: view.letters.left, x: 6, y: cell / 2 + 5, size: 13, weight: 600 },
    { text: view.letters.top, x: cell / 2, y: 16, size: 13, weight: 600, anchor: "middle" },
  ];
  burn(out, await stampOf(cell, height, texts));
  return out;
}

function place(onto: Picture, { width, height, rgb }: Picture, left: number, top: number): void {
  for (let y = 0; y < height; y++)
    onto.rgb.set(rgb.subarray(y * width * 3, (y + 1) * width * 3), ((y + top) * onto.width + left) * 3);
}

const headTexts = (title: string, detail: string): StampText[] => [
  { text: title, x: margin, y: 42, size: 26, weight: 600 },
  { text: detail, x: margin, y: 68, size: 16 },
];

async function drawScale(
  sheet: Picture,
  box: { left: number; top: number; width: number; height: number },
): Promise<void> {
  burnColorBar(sheet, box);
  const texts: StampText[] = [
    { text: "1", x: 16, y: 10, size: 13, anchor: "end" },
    { text: "0", x: 16, y: box.height, size: 13, anchor: "end" },
  ];
  burn(sheet, await stampOf(18, box.height + 4, texts), box.left - 18 - 6, box.top);
}

function alongMm({ geometry }: Volume, { fixed }: View, index: number): number {
  const at = [0, 0, 0].map((_, axis) => (axis === fixed ? index : 0)) as unknown as readonly [number, number, number];
  const position = positionOf(geometry, at);
  return geometry.directions[fixed].reduce((sum, d, axis) => sum + d * position[axis]!, 0);
}

const percent = (share: number) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
