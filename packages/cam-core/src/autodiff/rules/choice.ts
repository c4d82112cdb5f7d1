import type { Value } from "../../graph/builder.ts";
import { float32, sizeOf } from "../../tensor.ts";
import { defineRules, type Rule, type VjpContext } from "../rule.ts";

/**
 * Operators that pick one of their inputs, element by element. What wasn't picked is masked by Where and never by a product:
 * -infinity in an attention mask times 0 would be NaN.
 */
export const choice = defineRules({
  Where: {
    kind: "linear",
    vjp: ({ op, inputs: [condition], dy, wants }) => [
      null,
      wants(1) ? op.where(condition!, dy, 0) : null,
      wants(2) ? op.where(condition!, 0, dy) : null,
    ],
    sample: (rng) => [
      { inputs: [rng.bools([3, 4]), rng.normal([3, 4]), rng.normal([3, 4])] },
      { inputs: [rng.bools([2, 1, 4]), rng.normal([3, 4]), rng.normal([])] },
      { inputs: [rng.bools([4]), rng.normal([1]), rng.normal([2, 3, 1])] },
    ],
  },

  Max: extreme((op, a, b) => op.less(a, b)),
  Min: extreme((op, a, b) => op.greater(a, b)),

  // y = min(max(x, low), high). What comes out as it went in passes, the bounds included; each bound collects what it held
  // back. Where the bounds have changed places, y is the high one everywhere.
  Clip: {
    kind: "kinked",
    vjp: ({ op, inputs: [x, low, high], outputs: [y], dy, wants }) => {
      const crossed = low && high ? op.greater(low, high) : undefined;
      const below = crossed ? () => op.and(op.less(x!, y!), op.not(crossed)) : () => op.less(x!, y!);
      const above = crossed ? () => op.or(op.greater(x!, y!), crossed) : () => op.greater(x!, y!);
      return [
        wants(0) ? op.where(op.equal(x!, y!), dy, 0) : null,
        wants(1) ? op.where(below(), dy, 0) : null,
        wants(2) ? op.where(above(), dy, 0) : null,
      ];
    },
    sample: (rng) => {
      const [low, high] = [-0.5, 0.75].map((bound) => float32([], [bound]));
      const x = () => rng.away([-0.5, 0.75], [3, 5], 0.15);
      return [
        { inputs: [x(), low, high] },
        { inputs: [x(), undefined, high] },
        { inputs: [x(), low] },
        { inputs: [x()] },
        { inputs: [x(), low, high], constants: [1, 2] },
        { inputs: [x(), high, low] },
      ];
    },
  },
});

/** Max or Min: the one picked gets dy, equal ones share it alike. `loses` says where an input is not picked. */
function extreme(loses: (op: VjpContext["op"], a: Value, b: Value) => Value): Rule {
  return {
    kind: "kinked",
    vjp: ({ op, inputs, outputs: [y], dy, wants }) => {
      if (inputs.length === 1) return [dy];
      if (inputs.length === 2) {
        const [a, b] = inputs as [Value, Value];
        const tied = op.where(op.equal(a, b), op.mul(dy, 0.5), dy);
        return [
          wants(0) ? op.where(loses(op, a, b), 0, tied) : null,
          wants(1) ? op.where(loses(op, b, a), 0, tied) : null,
        ];
      }
      const picked = inputs.map((input) => op.equal(input, y!));
      const winners = picked.map((mask) => op.cast(mask, op.dtype(dy))).reduce((a, b) => op.add(a, b));
      const share = op.div(dy, winners);
      return picked.map((mask, i) => (wants(i) ? op.where(mask, share, 0) : null));
    },
    sample: (rng) => {
      // All values of a sample differ by at least 0.25, whichever inputs they fall to.
      const apart = (...shapes: number[][]) => {
        const ends = shapes.map(sizeOf).map((_, i, sizes) => sizes.slice(0, i + 1).reduce((a, b) => a + b));
        const all = rng.distinct([ends.at(-1)!]).data as Float32Array;
        return shapes.map((shape, i) => float32(shape, all.slice(ends[i - 1] ?? 0, ends[i])));
      };
      return [
        { inputs: apart([2, 3]) },
        { inputs: apart([2, 3], [2, 3]) },
        { inputs: apart([2, 3], [3]) },
        { inputs: apart([3, 1], [2, 1, 4]) },
        { inputs: apart([2, 3], [3], [2, 1]) },
      ];
    },
  };
}
