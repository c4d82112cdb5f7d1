import type { Drawn } from "./compose.ts";
import { field, fieldCount } from "./fields.ts";
import type { Plane } from "./plane.ts";
import type { Scene } from "./scene.ts";

/** Distances are evaluated this far apart, mm, and interpolated: their surfaces are smooth. */
const coarseMm = 5;

/** Fills a plane with all that the fields describe: air, table, the body's layers and organs, the lungs' tissue. */
export function paintTissues({ anatomy, fields }: Scene, plane: Plane, { hu, lung, skin }: Drawn): void {
  const { rows, columns, origin, row, column, pixelMm } = plane;
  const perMm = 1 / pixelMm;
  const stride = Math.max(1, Math.round(coarseMm / pixelMm));
  const nRows = Math.ceil((rows - 1) / stride) + 1;
  const nColumns = Math.ceil((columns - 1) / stride) + 1;
  const coarse = new Float64Array(nRows * nColumns * fieldCount);
  for (let i = 0, at = 0; i < nRows; i++)
    for (let j = 0; j < nColumns; j++, at += fieldCount) {
      const u = i * stride;
      const v = j * stride;
      const x = origin[0] + u * row[0] + v * column[0];
      const y = origin[1] + u * row[1] + v * column[1];
      fields(x, y, origin[2] + u * row[2] + v * column[2], coarse, at);
    }
  const line = new Float64Array(nColumns * fieldCount);
  for (let i = 0; i < rows; i++) {
    const top = Math.min(nRows - 2, Math.floor(i / stride));
    const below = i / stride - top;
    const a = top * nColumns * fieldCount;
    const b = a + nColumns * fieldCount;
    for (let at = 0; at < line.length; at++) line[at] = coarse[a + at]! * (1 - below) + coarse[b + at]! * below;
    for (let j = 0; j < columns; j++) {
      const left = Math.min(nColumns - 2, Math.floor(j / stride));
      const right = j / stride - left;
      const l = left * fieldCount;
      const at = i * columns + j;
      const depth = between(line, l + field.skin, right);
      skin[at] = depth;
      lung[at] = between(line, l + field.lung, right);
      if (depth < -pixelMm) hu[at] = airHu(anatomy.tableY, plane, i, j);
      else {
        const inLung = cover(lung[at]!, perMm);
        let value = inLung < 1 ? bodyHu(line, l, right, perMm, anatomy.bloodHu) : 0;
        if (inLung > 0) value += (lungHu(line, l, right, perMm) - value) * inLung;
        hu[at] = value;
      }
    }
  }
}

/** A field between two points of the coarse line. */
function between(line: Float64Array, at: number, right: number): number {
  return line[at]! * (1 - right) + line[at + fieldCount]! * right;
}

/** The share of a pixel inside a surface at this depth, mm. */
export function cover(depth: number, perMm: number): number {
  const share = depth * perMm + 0.5;
  return share < 0 ? 0 : Math.min(share, 1);
}

/** From the skin inwards; each layer covers the one before. */
function bodyHu(line: Float64Array, l: number, right: number, perMm: number, bloodHu: number): number {
  let hu = -1000;
  const skin = between(line, l + field.skin, right);
  hu += (30 - hu) * cover(skin, perMm);
  hu += (-103 - hu) * cover(skin - 1.8, perMm);
  const mottle = between(line, l + field.mottle, right);
  const muscle = between(line, l + field.muscle, right);
  hu += (52 + 14 * mottle - hu) * cover(muscle, perMm);
  const sheet = 0.1 - Math.abs(mottle + 0.1); // about 2 mm thin
  if (sheet > 0) hu += (-70 - hu) * Math.min(1, 14 * sheet) * cover(muscle - 4, perMm);
  const cavity = between(line, l + field.cavity, right);
  if (cavity * perMm <= -0.5) return hu;
  const abdomen = between(line, l + field.abdomen, right);
  hu += (-92 - hu) * cover(cavity - 1.2, perMm); // the fat of the mediastinum
  hu += (-98 - hu) * cover(Math.min(abdomen, cavity), perMm);
  if (abdomen < 6) hu += (48 - hu) * cover(2.2 - Math.abs(abdomen - 1.6), perMm) * cover(cavity, perMm); // diaphragm
  hu += (57 + 6 * mottle - hu) * cover(between(line, l + field.liver, right), perMm);
  hu += (46 + 5 * mottle - hu) * cover(between(line, l + field.spleen, right), perMm);
  hu += (-960 - hu) * cover(between(line, l + field.gas, right), perMm);
  const heart = Math.min(between(line, l + field.heart, right), 3 - abdomen);
  return hu + (0.8 * bloodHu + 12 + 5 * mottle - hu) * cover(heart, perMm);
}

/** The lungs' tissue, with their fissures: thinner than most pixels, so they are faint. */
function lungHu(line: Float64Array, l: number, right: number, perMm: number): number {
  const major = Math.abs(between(line, l + field.major, right));
  const minor = Math.abs(between(line, l + field.minor, right));
  const fissure = cover(0.45 - Math.min(major, minor), perMm) * Math.min(1, 0.9 * perMm);
  return between(line, l + field.tissue, right) + 190 * fissure;
}

/** Around the body: air, and the table's two shells. */
function airHu(tableY: number, { origin, row, column }: Plane, i: number, j: number): number {
  const x = origin[0] + i * row[0] + j * column[0];
  const y = origin[1] + i * row[1] + j * column[1];
  const below = y - tableY + (x * x) / 1100 - 1;
  if (below < 0 || below > 42 || x > 215 || x < -215) return -1000;
  return below < 2 || below > 39.5 ? -310 : -960;
}
