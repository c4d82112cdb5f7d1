import type { Capsule } from "./anatomy.ts";

/** A plane of voxels in the patient's frame, mm: pixel (row i, column j) lies at origin + i·row + j·column. */
export type Plane = {
  readonly rows: number;
  readonly columns: number;
  readonly origin: readonly [number, number, number];
  /** Steps, mm, not unit vectors. */
  readonly row: readonly [number, number, number];
  readonly column: readonly [number, number, number];
  readonly normal: readonly [number, number, number];
  /** The smaller of both steps. */
  readonly pixelMm: number;
};

/** Rows and columns, both included, that a ball about a position may reach; undefined where the plane misses it. */
export type Box = { readonly top: number; readonly bottom: number; readonly left: number; readonly right: number };

export function boxOf(plane: Plane, center: readonly number[], radius: number): Box | undefined {
  const { origin, row, column, normal, rows, columns } = plane;
  const [x, y, z] = [center[0]! - origin[0], center[1]! - origin[1], center[2]! - origin[2]];
  const above = x * normal[0] + y * normal[1] + z * normal[2];
  if (above > radius || above < -radius) return undefined;
  const reach = Math.sqrt(radius * radius - above * above);
  const perRow = row[0] * row[0] + row[1] * row[1] + row[2] * row[2];
  const perColumn = column[0] * column[0] + column[1] * column[1] + column[2] * column[2];
  const i = (x * row[0] + y * row[1] + z * row[2]) / perRow;
  const j = (x * column[0] + y * column[1] + z * column[2]) / perColumn;
  const [di, dj] = [reach / Math.sqrt(perRow), reach / Math.sqrt(perColumn)];
  const box = {
    top: Math.max(0, Math.ceil(i - di)),
    bottom: Math.min(rows - 1, Math.floor(i + di)),
    left: Math.max(0, Math.ceil(j - dj)),
    right: Math.min(columns - 1, Math.floor(j + dj)),
  };
  return box.top <= box.bottom && box.left <= box.right ? box : undefined;
}

/** `mix`: covers what was there. `brighter`, `darker`: only where that is brighter or darker than what was there. */
export type Mode = "mix" | "brighter" | "darker";

/**
 * Draws capsules that cross the plane, each pixel by the share that they cover. One thinner than a pixel covers at most as much
 * of it as its cross section has. `extra` mm are added to the radii; `hu` replaces the capsules' own.
 */
export function paintCapsules(
  hu: Float32Array,
  plane: Plane,
  capsules: readonly Capsule[],
  mode: Mode,
  { extra = 0, value }: { extra?: number; value?: number } = {},
): void {
  const { origin, row, column, normal, columns, pixelMm } = plane;
  for (const capsule of capsules) {
    const { a, b } = capsule;
    const thick = Math.max(capsule.ra, capsule.rb) + extra;
    const margin = Math.max(thick, 0.5 * pixelMm) + 0.5 * pixelMm;
    const ha = (a[0] - origin[0]) * normal[0] + (a[1] - origin[1]) * normal[1] + (a[2] - origin[2]) * normal[2];
    const hb = (b[0] - origin[0]) * normal[0] + (b[1] - origin[1]) * normal[1] + (b[2] - origin[2]) * normal[2];
    if ((ha > margin && hb > margin) || (ha < -margin && hb < -margin)) continue;
    // Only the part of the axis within reach of the plane.
    let [from, to] = [0, 1];
    if (ha !== hb) {
      const s = [(margin - ha) / (hb - ha), (-margin - ha) / (hb - ha)];
      from = Math.max(0, Math.min(s[0]!, s[1]!));
      to = Math.min(1, Math.max(s[0]!, s[1]!));
    }
    const [ux, uy, uz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
    const middle = (from + to) / 2;
    const length2 = ux * ux + uy * uy + uz * uz;
    const half = (Math.sqrt(length2) * (to - from)) / 2 + margin;
    const box = boxOf(plane, [a[0] + middle * ux, a[1] + middle * uy, a[2] + middle * uz], half);
    if (!box) continue;
    const target = value ?? capsule.hu;
    for (let i = box.top; i <= box.bottom; i++) {
      let px = origin[0] + i * row[0] + box.left * column[0] - a[0];
      let py = origin[1] + i * row[1] + box.left * column[1] - a[1];
      let pz = origin[2] + i * row[2] + box.left * column[2] - a[2];
      for (let at = i * columns + box.left; at <= i * columns + box.right; at++) {
        let s = length2 > 0 ? (px * ux + py * uy + pz * uz) / length2 : 0;
        s = s < 0 ? 0 : Math.min(s, 1);
        const [dx, dy, dz] = [px - s * ux, py - s * uy, pz - s * uz];
        const d2 = dx * dx + dy * dy + dz * dz;
        px += column[0];
        py += column[1];
        pz += column[2];
        if (d2 >= margin * margin) continue;
        const radius = capsule.ra + (capsule.rb - capsule.ra) * s + extra;
        if (radius <= 0) continue;
        const drawn = Math.max(radius, 0.5 * pixelMm);
        let cover = (drawn - Math.sqrt(d2)) / pixelMm + 0.5;
        if (cover <= 0) continue;
        if (cover > 1) cover = 1;
        if (drawn > radius) cover *= (radius * radius) / (drawn * drawn);
        const next = hu[at]! + (target - hu[at]!) * cover;
        if (mode === "mix" || (mode === "brighter" ? next > hu[at]! : next < hu[at]!)) hu[at] = next;
      }
    }
  }
}
