import type { Builder, Value } from "../../graph/builder.ts";
import type { Node } from "../../graph/graph.ts";
import { bool, float32, int64, isReal } from "../../tensor.ts";
import { defineRules, type Vjp, type VjpContext, zero } from "../rule.ts";
import { cut } from "./cut.ts";

/** Operators that keep the elements and change how they are laid out, and those that make tensors from nothing but sizes. */

/** The elements stay in their order: the cotangent only takes the input's shape again. */
const renamed: Vjp = ({ op, inputs: [x], dy }) => [op.reshapeLike(dy, x!)];

/** Between floating-point types the gradient passes; a whole number or a bool carries none. */
const converted: Vjp = ({ op, inputs: [x], outputs: [y], dy }) => {
  const real = [x!, y!].every((value) => isReal(op.dtype(value)));
  return [real ? op.cast(dy, op.dtype(x!)) : null];
};

/** Transposing back: axis i of y came from axis perm[i] of x. */
const transposed: Vjp = ({ op, inputs: [x], dy, ints }) => {
  const axes = [...Array(op.rank(x!)).keys()];
  const perm = ints("perm") ?? axes.toReversed();
  return [
    op.transpose(
      dy,
      axes.map((axis) => perm.indexOf(axis)),
    ),
  ];
};

/**
 * Tile writes r copies one after the other, so axis i of y is [r, d] in one: the copies are summed.
 * Axes that aren't repeated stay whole.
 */
const tiled: Vjp = ({ op, inputs: [x, repeats], dy }) => {
  const times = op.integers(repeats!);
  const parts: (number | Value)[] = [];
  const copies: number[] = [];
  for (let axis = 0; axis < op.rank(x!); axis++) {
    if (times?.[axis] !== 1) {
      copies.push(parts.length);
      parts.push(times?.[axis] ?? op.slice(repeats!, { axes: [0], starts: [axis], ends: [axis + 1] }));
    }
    parts.push(op.dim(x!, axis));
  }
  if (copies.length === 0) return [dy];
  const split = op.reshape(dy, op.sizes(parts));
  return [op.shapedLike(op.reduceSum(split, { axes: copies, keepdims: false }), x!)];
};

/**
 * SpaceToDepth undoes DepthToSpace with the block's position before the channel (DCR). In the order CRD channel and
 * position are exchanged: y's blocks, unpacked as (position, channel), go back as (channel, position).
 */
function unblocked({ op, inputs: [x], dy, int, string }: VjpContext): Value[] {
  const blocksize = int("blocksize", 1);
  const blocks = op.node("SpaceToDepth", [dy], { blocksize })[0]!;
  if (string("mode", "DCR") === "DCR") return [op.shapedLike(blocks, x!)];
  // [N, b·b, C/(b·b), H·W]
  const positions = op.reshape(blocks, op.sizes([0, blocksize ** 2, op.dim(dy, 1), -1]));
  return [op.reshapeLike(op.transpose(positions, [0, 2, 1, 3]), x!)];
}

/**
 * Dropout at inference is the identity. In training it draws which numbers stay, and y = x · mask / (1 - ratio): the mask is an
 * output of the forward node, which gets that output here where it hasn't got it, so that what was drawn goes both ways.
 */
function kept({ op, node, inputs: [x, ratio, training], dy }: VjpContext): Value[] {
  const mode = training ? op.integers(training)?.[0] : 0;
  if (mode === 0) return [dy];
  const dtype = op.dtype(dy);
  const mask = node.outputs[1] || withMask(op, node, x!);
  const stays = op.sub(1, ratio ? op.cast(ratio, dtype) : op.scalar(0.5, dtype));
  // The training mode may be known in the run only; the mask is all true then.
  const share = mode === undefined ? op.where(training!, stays, 1) : stays;
  return [op.where(mask, op.div(dy, share), 0)];
}

/** Gives a Dropout its second output. */
function withMask(op: Builder, node: Node, x: Value): Value {
  const mask = op.fresh("mask");
  op.graph.nodes[op.graph.nodes.indexOf(node)] = { ...node, outputs: [node.outputs[0]!, mask] };
  op.facts.types.set(mask, { dtype: "bool", shape: op.dims(x) });
  return mask;
}

export const shape = defineRules({
  ...cut,

  Identity: { kind: "linear", vjp: ({ dy }) => [dy], sample: (rng) => [rng.normal([2, 3])] },
  Reshape: {
    kind: "linear",
    vjp: renamed,
    sample: (rng) => [
      { inputs: [rng.normal([2, 3, 4]), int64([2], [6, 4])] },
      { inputs: [rng.normal([2, 3, 4]), int64([3], [0, -1, 2])] },
      { inputs: [rng.normal([2, 3]), int64([3], [3, 1, 2])], attributes: { allowzero: 1 } },
      { inputs: [rng.normal([1]), int64([0], [])] },
    ],
  },
  Flatten: {
    kind: "linear",
    vjp: renamed,
    sample: (rng) => [
      { inputs: [rng.normal([2, 3, 5])] },
      { inputs: [rng.normal([2, 3, 5])], attributes: { axis: -1 } },
      { inputs: [rng.normal([2, 3])], attributes: { axis: 0 } },
      { inputs: [rng.normal([2, 3])], attributes: { axis: 2 } },
    ],
  },
  Squeeze: {
    kind: "linear",
    vjp: renamed,
    sample: (rng) => [{ inputs: [rng.normal([1, 3, 1, 2])] }, { inputs: [rng.normal([1, 3, 1, 2]), int64([1], [-2])] }],
  },
  Unsqueeze: {
    kind: "linear",
    vjp: renamed,
    sample: (rng) => [
      { inputs: [rng.normal([2, 3]), int64([2], [0, -1])] },
      { inputs: [rng.normal([]), int64([1], [0])] },
    ],
  },
  Transpose: {
    kind: "linear",
    vjp: transposed,
    sample: (rng) => [
      { inputs: [rng.normal([2, 3, 4])] },
      { inputs: [rng.normal([2, 3, 4, 5])], attributes: { perm: [0, 3, 1, 2] } },
      { inputs: [rng.normal([2, 3])], attributes: { perm: [0, 1] } },
    ],
  },
  // y has the broadcast shape; the sweep sums it back to x's.
  Expand: {
    kind: "linear",
    vjp: ({ dy }) => [dy],
    sample: (rng) => [
      { inputs: [rng.normal([2, 1, 3]), int64([4], [4, 2, 5, 3])] },
      { inputs: [rng.normal([3, 1]), int64([2], [1, 4])] },
      { inputs: [rng.normal([]), int64([1], [3])] },
    ],
  },
  Tile: {
    kind: "linear",
    vjp: tiled,
    sample: (rng) => [
      { inputs: [rng.normal([2, 3]), int64([2], [2, 3])] },
      { inputs: [rng.normal([2, 1, 3]), int64([3], [1, 4, 1])] },
      { inputs: [rng.normal([2]), int64([1], [1])] },
    ],
  },
  Dropout: {
    kind: "linear",
    vjp: kept,
    sample: (rng) => [
      { inputs: [rng.normal([2, 3])], outputs: 2 },
      { inputs: [rng.normal([2, 3]), float32([], [0.5]), bool([], [false])], wrt: [0] },
      // What is drawn differs from run to run; with nothing dropped, nothing is.
      { inputs: [rng.normal([2, 3]), float32([], [0]), bool([], [true])], wrt: [0] },
    ],
  },
  Cast: {
    kind: "linear",
    vjp: converted,
    sample: (rng) => ({ inputs: [rng.normal([2, 3])], attributes: { to: 1 } }),
  },
  CastLike: {
    kind: "linear",
    vjp: converted,
    sample: (rng) => ({ inputs: [rng.normal([2, 3]), rng.normal([1])], wrt: [0] }),
  },
  DepthToSpace: {
    kind: "linear",
    vjp: unblocked,
    sample: (rng) => [
      { inputs: [rng.normal([2, 8, 3, 2])], attributes: { blocksize: 2 } },
      { inputs: [rng.normal([2, 18, 3, 1])], attributes: { blocksize: 3, mode: "CRD" } },
    ],
  },
  SpaceToDepth: {
    kind: "linear",
    vjp: ({ op, inputs: [x], dy, int }) => [
      op.shapedLike(op.node("DepthToSpace", [dy], { blocksize: int("blocksize", 1) })[0]!, x!),
    ],
    sample: (rng) => ({ inputs: [rng.normal([2, 3, 6, 4])], attributes: { blocksize: 2 } }),
  },

  Constant: zero("it has no inputs"),
  ConstantOfShape: zero("the value is an attribute; the input says only how often it is repeated"),
  Shape: zero("sizes don't change with the values"),
  Size: zero("the number of elements doesn't change with the values"),
  Range: zero(
    "it counts in steps; how many there are is a step function, and PyTorch's arange carries no gradient either",
  ),
  EyeLike: zero("ones and zeros whose places depend on the input's shape only"),
  NonZero: zero("its output is indices"),
  RandomNormal: zero("drawn at random, from no input"),
  RandomUniform: zero("drawn at random, from no input"),
  RandomNormalLike: zero("drawn at random; only the input's shape counts"),
  RandomUniformLike: zero("drawn at random; only the input's shape counts"),
  Bernoulli: zero("draws zeros and ones at random; PyTorch's bernoulli carries no gradient either"),
  Multinomial: zero("its output is classes drawn at random"),
});
