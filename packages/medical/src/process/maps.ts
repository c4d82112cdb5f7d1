import type { Tensor } from "@camkit/cam-core/data";
import { enlarger } from "../networks/enlarge.ts";
import type { LayerMap } from "../networks/index.ts";
import type { MapStatistics } from "../report/statistics.ts";
import type { Vec3 } from "../volume/geometry.ts";

/**
 * One raw map [d, h, w] of one or several layers: a single layer's as it is; of several, at the input's resolution, the mean of
 * their rectified maps, each from 0 to 1 over the volume first, since their units differ.
 */
export function mergedMap(maps: readonly LayerMap[], inputShape: Vec3): Tensor {
  if (maps.length === 1) return maps[0]!.raw;
  const sum = new Float32Array(inputShape[0] * inputShape[1] * inputShape[2]);
  for (const { raw } of maps) {
    const enlarged = mapAt(raw, inputShape);
    const values = enlarged.data as Float32Array;
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (high > low) for (let i = 0; i < sum.length; i++) sum[i]! += (values[i]! - low) / (high - low) / maps.length;
  }
  return { dtype: "float32", shape: [...inputShape], data: sum };
}

/** The positive part of a raw map at the input's resolution [...inputShape]. */
export function mapAt(raw: Tensor, inputShape: Vec3): Tensor {
  const shape = raw.shape.slice(-3) as unknown as Vec3;
  const rectified = Float32Array.from(raw.data as Float32Array, (value) => Math.max(0, value));
  return { dtype: "float32", shape: [...inputShape], data: enlarger(shape, inputShape)(rectified) };
}

/** Of a map that is 0 everywhere no place can be told, and nothing can be measured. */
export const isEmpty = ({ peak }: MapStatistics): boolean => !(peak.value > 0);

export const emptyNotes = (measured: MapStatistics, method: string): string[] =>
  isEmpty(measured)
    ? [
        `the map is 0 everywhere: by ${method}, nothing at this layer speaks for the target. Another layer, method or target may show more; how far the map can be trusted wasn't measured`,
      ]
    : [];
