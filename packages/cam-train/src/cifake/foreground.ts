import { area, side } from "./pictures.ts";

/** How a map becomes a mask; chosen by eye on 60 training pictures, before any detector was asked. */
const settings = {
  /** Which share of a picture's map counts as background before anything else does: its lowest. */
  background: 0.55,
  /** How much lies between a map's lowest and highest place, as log odds. */
  trust: 4,
  /** How much lies between the middle of a picture and the middle of an edge, as log odds: objects are rarely cut off. */
  centre: 2,
  /** How much lies between a colour that the whole border has and one that it lacks, as log odds. */
  edge: 3,
  /** How much all alike neighbours together count, as log odds. */
  agreement: 5,
  /** Alike: so near, in pixels, and of such colours, of 255. */
  near: 4,
  alike: 25,
  rounds: 5,
};

/** Around each pixel those within 2.8 · near, and exp(−distance² / 2 near²). */
const neighbours = Array.from({ length: area }, (_, i) => {
  const nearness = (at: number) => {
    const across = (i % side) - (at % side);
    const down = Math.floor(i / side) - Math.floor(at / side);
    return Math.exp((-0.5 * (across ** 2 + down ** 2)) / settings.near ** 2);
  };
  const at = Uint16Array.from({ length: area }, (_, j) => j).filter((j) => nearness(j) > 0.02);
  return { at, nearness: Float32Array.from(at, nearness) };
});

/** exp(−d / 2 alike²) by the squared difference d of two colours. */
const likenessBy = Float32Array.from({ length: 3 * 255 ** 2 + 1 }, (_, d) =>
  Math.exp((-0.5 * d) / settings.alike ** 2),
);

/**
 * A rough mask of a picture's object from a class activation map: pixels that are near and of like colour are pulled to one side,
 * as in weakly supervised segmentation. Mean field of a fully connected random field, each pixel's odds being
 *
 *   log odds[i] = own[i] + agreement · Σ_j k[i, j] · (2 q[j] − 1) / Σ_j k[i, j]
 *   own[i] = trust · (rank[i] − background) + centre · (2/3 − r[i]²) − edge · (b[i] − mean of b)
 *   k[i, j] = exp(−|place_i − place_j|² / 2 near² − |colour_i − colour_j|² / 2 alike²),   q = σ(log odds)
 *
 * where rank is the share of the map that is lower, since maps of a classifier mark an object's telling parts and not its whole,
 * r is 0 in the middle, 1 at the middle of an edge (2/3 is the mean of r²), and b is the mean likeness of colour to the border's
 * pixels. Source: Krähenbühl and Koltun 2011, arXiv:1210.5644, eq. 1-5; on maps: Kolesnikov and Lampert 2016, arXiv:1603.06098,
 * sec. 3; the border: Zhu et al. 2014, doi:10.1109/CVPR.2014.360.
 *
 * Where two things differ from the border the mask often has both, and of what is spread over the picture it has the middle.
 *
 * @param map [32 · 32]
 * @param picture [32, 32, 3]
 * @returns [32 · 32], 1 on the object
 */
export function foreground(map: Float32Array, picture: Uint8Array): Uint8Array {
  const { background, trust, centre, edge, agreement, rounds } = settings;
  const like = likeBorder(picture);
  const mean = like.reduce((a, b) => a + b, 0) / area;
  const own = ranks(map).map((rank, i) => {
    const [y, x] = [Math.floor(i / side), i % side].map((at) => (at + 0.5 - side / 2) / (side / 2));
    return trust * (rank - background) + centre * (2 / 3 - y! ** 2 - x! ** 2) - edge * (like[i]! - mean);
  });
  const kernel = neighbours.map((around, i) => {
    const alike = around.nearness.slice();
    let sum = 0;
    for (let n = 0; n < alike.length; n++) {
      alike[n]! *= likeness(picture, i, around.at[n]!);
      sum += alike[n]!;
    }
    return alike.map((value) => value / sum);
  });
  let odds = own;
  for (let round = 0; round < rounds; round++) {
    const leaning = odds.map((value) => Math.tanh(value / 2)); // 2 σ(value) − 1
    odds = own.map((value, i) => {
      const [{ at }, alike] = [neighbours[i]!, kernel[i]!];
      let sum = 0;
      for (let n = 0; n < at.length; n++) sum += alike[n]! * leaning[at[n]!]!;
      return value + agreement * sum;
    });
  }
  return Uint8Array.from(odds, (value) => Number(value > 0));
}

/** The share of values that are lower, each equal one counted half. */
function ranks(values: Float32Array): Float32Array {
  const sorted = values.slice().sort();
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  for (const [i, value] of sorted.entries()) {
    if (!first.has(value)) first.set(value, i);
    last.set(value, i);
  }
  return values.map((value) => (first.get(value)! + last.get(value)! + 1) / (2 * values.length));
}

/** b: how much each pixel's colour is like those of the outermost pixels, 0 … 1. */
function likeBorder(picture: Uint8Array): Float32Array {
  const border = Array.from({ length: area }, (_, i) => i).filter((i) => {
    const [y, x] = [Math.floor(i / side), i % side];
    return y === 0 || x === 0 || y === side - 1 || x === side - 1;
  });
  return Float32Array.from({ length: area }, (_, i) => {
    let sum = 0;
    for (const j of border) sum += likeness(picture, i, j);
    return sum / border.length;
  });
}

/** exp(−|colour_i − colour_j|² / 2 alike²) */
function likeness(picture: Uint8Array, i: number, j: number): number {
  const r = picture[3 * i]! - picture[3 * j]!;
  const g = picture[3 * i + 1]! - picture[3 * j + 1]!;
  const b = picture[3 * i + 2]! - picture[3 * j + 2]!;
  return likenessBy[r * r + g * g + b * b]!;
}
