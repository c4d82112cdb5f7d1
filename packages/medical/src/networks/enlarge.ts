import { onScan } from "../preprocess/map-on-scan.ts";
import type { Placement } from "../preprocess/placement.ts";
import type { Vec3 } from "../volume/geometry.ts";

/** Values [...from] at another size, linear between cell centres (half-pixel), as PyTorch's `interpolate` without aligned corners. */
export function enlarger(from: Vec3, to: Vec3): (values: Float32Array) => Float32Array {
  const along = (axis: 0 | 1 | 2) => ({
    scanAxis: axis,
    centres: Array.from({ length: to[axis] }, (_, i) => i),
    span: [-0.5, to[axis] - 0.5] as const,
  });
  const placement: Placement = { axes: [along(0), along(1), along(2)], scanShape: to };
  return (values) => {
    const fill = onScan(values, from, placement, to);
    const out = new Float32Array(to[0] * to[1] * to[2]);
    const plane = to[1] * to[2];
    for (let k = 0; k < to[0]; k++) fill(k, out.subarray(k * plane, (k + 1) * plane));
    return out;
  };
}
