import { descendingOrder } from "./order.ts";

/**
 * Spearman's rank correlation: Pearson's between the ranks, equal values having the mean of their ranks. In [−1, 1]; NaN when one
 * side is constant, since it has no ranks. As scipy.stats.spearmanr.
 */
export function spearman(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new RangeError(`ranks of ${a.length} values beside ${b.length}`);
  const [x, y] = [meanRanks(a), meanRanks(b)];
  const middle = (a.length + 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i]! - middle, y[i]! - middle];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

/** 1 for the greatest; ties share the mean of the ranks that they take up. */
function meanRanks(values: Float32Array): Float64Array {
  const order = descendingOrder(values);
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let i = from; i < to; i++) ranks[order[i]!] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}
