import type { Point } from "./svg.ts";

/**
 * A series with at most two points per bucket of x, its lowest and its highest in their order: what a screen of that many buckets can
 * show of it, single peaks included. Points whose y isn't finite are left out; x rises.
 */
export function thin(points: readonly Point[], buckets: number): Point[] {
  const finite = points.filter(([, y]) => Number.isFinite(y));
  if (finite.length <= 2 * buckets) return finite;
  const [first, last] = [finite[0]![0], finite.at(-1)![0]];
  const groups = new Map<number, { low: number; high: number }>();
  finite.forEach(([x, y], i) => {
    const bucket = Math.min(buckets - 1, Math.floor(((x - first) / (last - first)) * buckets));
    const group = groups.get(bucket) ?? { low: i, high: i };
    if (y < finite[group.low]![1]) group.low = i;
    if (y > finite[group.high]![1]) group.high = i;
    groups.set(bucket, group);
  });
  return [...groups.values()].flatMap(({ low, high }) =>
    [...new Set([low, high])].sort((a, b) => a - b).map((i) => finite[i]!),
  );
}

/**
 * A smoothed series at `count` places: the mean of all points, weighted by how near they are.
 *
 *   y(x) = Σ w y[i] / Σ w,   w = exp(−½ ((x − x[i]) / width)²)
 *
 * It looks both ways, so it doesn't lag behind as a running average does. x rises.
 */
export function smooth(points: readonly Point[], width: number, count: number): Point[] {
  const finite = points.filter(([, y]) => Number.isFinite(y));
  if (finite.length < 3) return finite;
  const [first, last] = [finite[0]![0], finite.at(-1)![0]];
  let from = 0;
  return Array.from({ length: count }, (_, i): Point => {
    const x = first + ((last - first) * i) / (count - 1);
    while (finite[from]![0] < x - 4 * width) from++; // beyond 4 widths a weight is below 0.0004
    let sum = 0;
    let weights = 0;
    for (let k = from; k < finite.length && finite[k]![0] <= x + 4 * width; k++) {
      const weight = Math.exp(-0.5 * ((x - finite[k]![0]) / width) ** 2);
      sum += weight * finite[k]![1];
      weights += weight;
    }
    return [x, sum / weights];
  }).filter(([, y]) => Number.isFinite(y)); // a gap wider than the window
}
