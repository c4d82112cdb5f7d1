import type { Builder, Value } from "../graph/builder.ts";
import { resizeMap } from "./resize-map.ts";

/** Added to a map's largest value before dividing by it, so that an all-zero map stays zero. */
const epsilon = 1e-7;

/**
 * From a raw map [N, ...s] to one that can be shown: positive part, per-sample min-max, resize to the input's space, min-max
 * again (the resize loses the extremes), all in [0, 1]. Linear, half-pixel, no antialias, for 1 to 3 axes alike.
 *
 * `size` is the input's spatial size as a 1-D int64 value; undefined leaves the resolution as it is. Where `valid`, bool [N], is
 * false, the sample's map is NaN.
 */
export function finishMap(op: Builder, raw: Value, size: Value | undefined, valid?: Value): Value {
  if (size === undefined) return minMax(op, op.relu(raw), valid);
  return minMax(op, resizeMap(op, minMax(op, op.relu(raw)), size), valid);
}

/** Several layers' finished maps: their mean, scaled again. */
export function averageMaps(op: Builder, maps: readonly Value[], valid?: Value): Value {
  return minMax(op, op.div(op.node("Sum", maps)[0]!, maps.length), valid);
}

/** (x − min) / (max(x − min) + 1e-7), per sample; by NaN where it isn't valid. */
function minMax(op: Builder, x: Value, valid?: Value): Value {
  const axes = Array.from({ length: op.rank(x) - 1 }, (_, i) => i + 1);
  const shifted = op.sub(x, op.reduceMin(x, { axes }));
  const range = op.add(op.reduceMax(shifted, { axes }), epsilon);
  return op.div(shifted, valid ? op.where(op.unsqueeze(valid, axes), range, Number.NaN) : range);
}
