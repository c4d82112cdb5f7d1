import type { Rng } from "@camkit/cam-core/data";
import type { Capsule } from "./anatomy.ts";
import { cubeRoot, normal } from "./chance.ts";

type Point = [number, number, number];

export type TreeOptions = {
  readonly root: readonly [number, number, number];
  /** Where branches end. */
  readonly ends: readonly Point[];
  /** Of the last branches, mm; behind a fork r³ is the sum of the branches' (Murray 1926). */
  readonly endRadius: number;
  readonly hu: number;
};

/**
 * A tree that grows from its root to each end in turn, the near ones first: every end is joined to that node which makes the
 * way from the root short.
 */
export function growTree({ root, ends, endRadius, hu }: TreeOptions, rng: Rng): Capsule[] {
  const nodes: Point[] = [[...root]];
  const parents = [-1];
  const ways = [0];
  const far = (p: Point, q: readonly number[]) => {
    const [x, y, z] = [p[0] - q[0]!, p[1] - q[1]!, p[2] - q[2]!];
    return Math.sqrt(x * x + y * y + z * z);
  };
  const leaves: number[] = [];
  const order = ends.map((end) => ({ end, distance: far(end, root) })).sort((a, b) => a.distance - b.distance);
  for (const { end } of order) {
    let best = 0;
    let least = Infinity;
    for (const [i, node] of nodes.entries()) {
      const cost = far(end, node) + 0.35 * ways[i]!;
      if (cost < least) [least, best] = [cost, i];
    }
    const from = nodes[best]!;
    const distance = far(end, from);
    const steps = Math.max(1, Math.round(distance / 11));
    for (let s = 1; s <= steps; s++) {
      const bend = s === steps ? 0 : 0.9;
      const to = end.map((e, i) => from[i]! + ((e - from[i]!) * s) / steps + bend * normal(rng)) as Point;
      nodes.push(to);
      parents.push(s === 1 ? best : nodes.length - 2);
      ways.push(ways[best]! + (distance * s) / steps);
    }
    leaves.push(nodes.length - 1);
  }
  const cubes = new Float64Array(nodes.length);
  for (const leaf of leaves) for (let n = leaf; n >= 0; n = parents[n]!) cubes[n]! += 1;
  const radius = Array.from(cubes, (count) => endRadius * cubeRoot(Math.max(1, count)));
  return nodes.slice(1).map((b, i) => {
    const parent = parents[i + 1]!;
    return { a: nodes[parent]!, b, ra: Math.min(radius[parent]!, 1.3 * radius[i + 1]!), rb: radius[i + 1]!, hu };
  });
}
