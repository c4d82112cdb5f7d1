import type { Vec3 } from "../../volume/geometry.ts";

/** One connected part: its cells, and where it lies. */
export type Component = {
  readonly label: number;
  readonly cells: number;
  readonly centre: Vec3;
  readonly low: Vec3;
  readonly high: Vec3;
};

/** Parts of a mask that touch face to face, largest first; `labels` is 0 outside, else the part's label. */
export function components(mask: Uint8Array, shape: Vec3): { labels: Int32Array; parts: Component[] } {
  const labels = new Int32Array(mask.length);
  const parts: Component[] = [];
  const queue = new Int32Array(mask.length);
  for (let seed = 0; seed < mask.length; seed++) {
    if (!mask[seed] || labels[seed]) continue;
    const label = parts.length + 1;
    labels[seed] = label;
    queue[0] = seed;
    let end = 1;
    const sum: [number, number, number] = [0, 0, 0];
    const low: [number, number, number] = [...shape];
    const high: [number, number, number] = [-1, -1, -1];
    for (let head = 0; head < end; head++) {
      const cell = queue[head]!;
      const at = indexIn(shape, cell);
      for (let axis = 0; axis < 3; axis++) {
        sum[axis]! += at[axis]!;
        if (at[axis]! < low[axis]!) low[axis] = at[axis]!;
        if (at[axis]! > high[axis]!) high[axis] = at[axis]!;
      }
      eachNeighbour(shape, cell, (next) => {
        if (!mask[next] || labels[next]) return;
        labels[next] = label;
        queue[end++] = next;
      });
    }
    const centre: Vec3 = [sum[0] / end, sum[1] / end, sum[2] / end];
    parts.push({ label, cells: end, centre, low, high });
  }
  return { labels, parts: parts.sort((a, b) => b.cells - a.cells) };
}

/** Labels grown through a mask, face by face, each cell to the label that reaches it first, at most `steps` far. */
export function grown(seeds: Uint8Array, mask: Uint8Array, shape: Vec3, steps = Number.POSITIVE_INFINITY): Uint8Array {
  const out = seeds.slice();
  let front: number[] = [];
  for (let cell = 0; cell < out.length; cell++) if (out[cell]) front.push(cell);
  for (let step = 0; step < steps && front.length > 0; step++) {
    const next: number[] = [];
    for (const cell of front)
      eachNeighbour(shape, cell, (at) => {
        if (!mask[at] || out[at]) return;
        out[at] = out[cell]!;
        next.push(at);
      });
    front = next;
  }
  return out;
}

export function indexIn([, rows, columns]: Vec3, cell: number): Vec3 {
  const slice = Math.floor(cell / (rows * columns));
  const row = Math.floor(cell / columns) - slice * rows;
  return [slice, row, cell % columns];
}

function eachNeighbour(shape: Vec3, cell: number, visit: (cell: number) => void): void {
  const [slice, row, column] = indexIn(shape, cell);
  const [slices, rows, columns] = shape;
  if (slice > 0) visit(cell - rows * columns);
  if (slice < slices - 1) visit(cell + rows * columns);
  if (row > 0) visit(cell - columns);
  if (row < rows - 1) visit(cell + columns);
  if (column > 0) visit(cell - 1);
  if (column < columns - 1) visit(cell + 1);
}
