/** How well a map lies on the object that it explains. */
export type Aim = {
  /** Whether the map's largest value lies on the object (the pointing game, without tolerance). */
  readonly hit: boolean;
  /** The share of the map's sum that lies on the object; 0 for a map that is 0 everywhere. */
  readonly energy: number;
  /** The object's share of the picture: what a blind guess hits, and what an even map has of its energy. */
  readonly chance: number;
};

/**
 * Judges a map by an object's mask, both [h, w] of one size; the map is >= 0. Of equal maxima the first counts.
 * Sources: Zhang et al. 2016, arXiv:1608.00507, sec. 4.2 (pointing game); Wang et al. 2020, arXiv:1910.01279, eq. 8 (energy).
 */
export function aimOf(map: Float32Array, mask: Uint8Array): Aim {
  let [peak, inside, all, area] = [0, 0, 0, 0];
  for (let i = 0; i < map.length; i++) {
    const value = map[i]!;
    if (value > map[peak]!) peak = i;
    all += value;
    if (mask[i] === 1) {
      inside += value;
      area++;
    }
  }
  return { hit: all > 0 && mask[peak] === 1, energy: all > 0 ? inside / all : 0, chance: area / mask.length };
}

/**
 * A map [rows, columns] at the size of a picture: bilinear between the centres of cells, constant outside the outermost, as
 * maps are shown (ONNX Resize linear half_pixel; torch.interpolate with align_corners=False).
 */
export function enlarge(map: Float32Array, rows: number, columns: number, height: number, width: number): Float32Array {
  const down = neighbours(rows, height);
  const across = neighbours(columns, width);
  const out = new Float32Array(height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [v, h] = [down.share[y]!, across.share[x]!];
      const line = (row: number) =>
        map[row * columns + across.first[x]!]! * (1 - h) + map[row * columns + across.second[x]!]! * h;
      out[y * width + x] = line(down.first[y]!) * (1 - v) + line(down.second[y]!) * v;
    }
  return out;
}

/** The two cells between whose centres each pixel's centre lies, and how far it is towards the second. */
function neighbours(cells: number, pixels: number) {
  const at = Array.from({ length: pixels }, (_, i) => Math.max(0, ((i + 0.5) * cells) / pixels - 0.5));
  return {
    first: at.map((position) => Math.min(cells - 1, Math.floor(position))),
    second: at.map((position) => Math.min(cells - 1, Math.floor(position) + 1)),
    share: at.map((position) => position - Math.floor(position)),
  };
}
