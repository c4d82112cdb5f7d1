import { encodePicture, renderOverlay, resample, textPath } from "@camkit/cam-core";
import { type Drawing, drawing, ink } from "../report/plot/svg.ts";
import type { Evidence } from "./evidence.ts";
import { objects } from "./objects.ts";
import { area, type Pictures, pictureAt, side, verdicts } from "./pictures.ts";

const scale = 3;
const cell = side * scale;
const gap = 6;

/** What a row of examples shows: pictures of a label that got a verdict. */
const rows = [
  { label: 0, verdict: 0, title: "generated, called FAKE" },
  { label: 1, verdict: 1, title: "photographs, called REAL" },
  { label: 0, verdict: 1, title: "generated, called REAL" },
  { label: 1, verdict: 0, title: "photographs, called FAKE" },
] as const;

/**
 * Verdicts, right and wrong, each with its map and the outline of the rough mask. Of each kind the first of every kind of object,
 * in the order in which the pictures were drawn: nothing is picked.
 */
export async function drawExamples(pictures: Pictures, { verdicts: reached, masks, maps }: Evidence): Promise<Drawing> {
  const left = 12;
  const parts: string[] = [];
  let y = 12;
  for (const { label, verdict, title } of rows) {
    const all = Array.from({ length: pictures.count }, (_, i) => i);
    const fitting = all.filter((i) => pictures.labels[i] === label && reached[i] === verdict);
    const shown = objects.map((_, object) => fitting.find((i) => pictures.objects[i] === object));
    parts.push(textPath(title, { x: left, y: y + 14, size: 15, weight: 600, fill: ink.text }));
    parts.push(
      textPath(`${fitting.length} of ${pictures.count}`, { x: left + 240, y: y + 14, size: 13, fill: ink.soft }),
    );
    y += 24;
    for (const [slot, i] of shown.entries()) {
      if (i === undefined) continue;
      const x = left + slot * (cell + gap);
      const picture = { width: side, height: side, rgb: pictureAt(pictures, i) };
      const map = {
        dtype: "float32",
        shape: [side, side],
        data: maps.slice(i * area, (i + 1) * area),
      } as const;
      parts.push(
        await image(picture, x, y),
        await image(await renderOverlay(picture, map, { minSide: cell }), x, y + cell),
        outline(masks.subarray(i * area, (i + 1) * area), x, y + cell),
      );
    }
    y += 2 * cell + 12;
  }
  const said =
    "Below each picture Grad-CAM for the verdict, from none (the picture as it is) to its highest value (bright); in white the outline of the rough mask.";
  parts.push(textPath(said, { x: left, y: y + 12, size: 13, fill: ink.soft }));
  const width = 2 * left + objects.length * (cell + gap) - gap;
  return drawing(width, y + 28, `Verdicts ${verdicts.join(" and ")} of a detector, with maps and masks`, parts);
}

/** The first pictures with the outlines of their masks, to look at: how good are they? */
export async function drawMasks(pictures: Pictures, masks: Uint8Array, count = 50): Promise<Drawing> {
  const columns = 10;
  const parts: string[] = [];
  const shown = Math.min(count, pictures.count);
  for (let i = 0; i < shown; i++) {
    const [x, y] = [12 + (i % columns) * (cell + gap), 12 + Math.floor(i / columns) * (cell + gap)];
    const rgb = pictureAt(pictures, i);
    parts.push(await image({ width: side, height: side, rgb }, x, y));
    parts.push(outline(masks.subarray(i * area, (i + 1) * area), x, y));
  }
  const size = (cells: number) => 24 + cells * (cell + gap) - gap;
  return drawing(size(columns), size(Math.ceil(shown / columns)), "Rough masks of objects", parts);
}

/** A picture of 32 × 32 in squares, or one that is large already. */
async function image(picture: Parameters<typeof encodePicture>[0], x: number, y: number): Promise<string> {
  const { width, height, rgb } = picture;
  const samples = { width, height, channels: 3, data: rgb };
  const large =
    width === cell
      ? picture
      : {
          width: cell,
          height: cell,
          rgb: resample(samples, { width: cell, height: cell, kernel: "nearest", antialias: false }).data,
        };
  const bytes = Buffer.from(await encodePicture(large)).toString("base64");
  return `<image x="${x}" y="${y}" width="${cell}" height="${cell}" href="data:image/png;base64,${bytes}"/>`;
}

/** The border of a mask, white on black so that it shows on any ground. */
function outline(mask: Uint8Array, x: number, y: number): string {
  const on = (row: number, column: number) =>
    row >= 0 && column >= 0 && row < side && column < side && mask[row * side + column] === 1;
  let d = "";
  for (let row = 0; row <= side; row++)
    for (let column = 0; column <= side; column++) {
      if (on(row, column) !== on(row - 1, column)) d += `M${column} ${row}h1`;
      if (on(row, column) !== on(row, column - 1)) d += `M${column} ${row}v1`;
    }
  const line = (color: string, width: number) =>
    `<path d="${d}" transform="translate(${x} ${y}) scale(${scale})" fill="none" stroke="${color}" stroke-width="${width}" stroke-linecap="square"/>`;
  return line("#000", 1) + line("#fff", 0.45);
}
