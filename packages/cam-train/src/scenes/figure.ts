import { encodePicture, renderOverlay, sceneLabels, type Tensor, textPath, textWidth } from "@camkit/cam-core";
import { drawing, type Drawing as Figure, ink } from "../report/plot/svg.ts";
import type { Drawing } from "./drawings.ts";
import type { SceneMeasurement } from "./measure.ts";

/** One row of maps, of one model. */
export type MapRow = { readonly title: string; readonly detail: string; readonly measured: SceneMeasurement };

const cell = 132;
const gap = 8;
const left = 150;
const top = 34;
const size = 96;

/**
 * The same objects in the eyes of several models, one class beside the other: the first row shows the scenes with the object's
 * outline, each further one a model's maps. An object is the first of its class among the measured scenes: nothing is picked.
 */
export async function drawComparison(scenes: readonly Drawing[], rows: readonly MapRow[]): Promise<Figure> {
  const shown = sceneLabels.map((label, index) => {
    const scene = scenes.findIndex(({ classes }) => classes.includes(index + 1));
    return { label, index, scene, drawing: scenes[scene]! };
  });
  const parts: string[] = [];
  const column = (i: number) => left + i * (cell + gap);
  const line = (i: number) => top + i * (cell + gap);
  for (const [i, { label, index, drawing: scene }] of shown.entries()) {
    const width = textWidth(label, 13);
    parts.push(textPath(label, { x: column(i) + (cell - width) / 2, y: top - 12, size: 13, fill: ink.text }));
    parts.push(await image({ width: size, height: size, rgb: scene.image }, column(i), line(0)));
    parts.push(outline(scene.classes, index + 1, column(i), line(0)));
    for (const [r, { measured }] of rows.entries()) {
      const aim = measured.aims.find((each) => each.class === index && each.scene === shown[i]!.scene)!;
      const map = await renderOverlay({ width: size, height: size, rgb: scene.image }, unit(aim.map), {
        minSide: size,
      });
      parts.push(await image(map, column(i), line(r + 1)), outline(scene.classes, index + 1, column(i), line(r + 1)));
      const share = `${Math.round(100 * aim.energy)} %`;
      parts.push(tag(share, column(i), line(r + 1)));
    }
  }
  const said = [{ title: "scene", detail: "and the object’s outline" }, ...rows];
  for (const [r, { title, detail }] of said.entries()) {
    const y = line(r) + cell / 2;
    parts.push(textPath(title, { x: 12, y: y - 4, size: 15, weight: 600, fill: ink.text }));
    parts.push(textPath(detail, { x: 12, y: y + 14, size: 12, fill: ink.soft }));
  }
  const legend =
    "Grad-CAM of the class above, from none (the picture as it is) to the map’s highest value (bright); in the corner the share of its energy that lies inside the outline.";
  const height = line(said.length) + 24;
  parts.push(textPath(legend, { x: 12, y: height - 10, size: 13, fill: ink.soft }));
  return drawing(column(shown.length) + 4, height, "Maps of the same objects before and after training them", parts);
}

/** A map divided by its largest value. */
function unit({ shape, data, dtype }: Tensor): Tensor {
  const values = data as Float32Array;
  const highest = values.reduce((a, b) => Math.max(a, b), 1e-12);
  return { dtype, shape, data: values.map((value) => value / highest) };
}

async function image(picture: Parameters<typeof encodePicture>[0], x: number, y: number): Promise<string> {
  const bytes = Buffer.from(await encodePicture(picture)).toString("base64");
  return `<image x="${x}" y="${y}" width="${cell}" height="${cell}" href="data:image/png;base64,${bytes}"/>`;
}

/** The border of the pixels that show an object. */
function outline(classes: Uint8Array, code: number, x: number, y: number): string {
  const is = (row: number, column: number) =>
    row >= 0 && column >= 0 && row < size && column < size && classes[row * size + column] === code;
  let d = "";
  for (let row = 0; row <= size; row++)
    for (let column = 0; column <= size; column++) {
      if (is(row, column) !== is(row - 1, column)) d += `M${column} ${row}h1`;
      if (is(row, column) !== is(row, column - 1)) d += `M${column} ${row}v1`;
    }
  const place = `transform="translate(${x} ${y}) scale(${cell / size})"`;
  return `<path d="${d}" ${place} fill="none" stroke="#fff" stroke-width="0.9" stroke-linecap="square"/>`;
}

function tag(text: string, x: number, y: number): string {
  const width = textWidth(text, 12) + 8;
  const box = `<rect x="${x + cell - width}" y="${y + cell - 18}" width="${width}" height="18" fill="#000" fill-opacity="0.6"/>`;
  return box + textPath(text, { x: x + cell - width + 4, y: y + cell - 5, size: 12, fill: "#fff" });
}
