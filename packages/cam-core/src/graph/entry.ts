import { type Graph, type Node, numberAttribute, numbersAttribute, type Shape, topological, usersOf } from "./graph.ts";
import { elementsOf } from "./infer.ts";

/**
 * What a graph does to each channel of an input before anything mixes positions or channels:
 *
 *   y[c] = scale[c] * x[from[c]] + offset[c]
 *
 * `from` is 0, 1, 2 unless the graph changes the channels' order.
 */
export type EntryAffine = {
  readonly from: readonly number[];
  readonly scale: readonly number[];
  readonly offset: readonly number[];
};

/** A value that is still the input, but for a sum and a product per channel. */
type Tracked = {
  readonly channels: readonly Channel[];
  /** Where the channels lie; undefined once the axis is gone, with one channel left. */
  readonly axis: number | undefined;
  readonly rank: number;
};
type Channel = { readonly from: number; readonly scale: number; readonly offset: number };

/**
 * Follows an input of `shape` with its channels at `axis` to the first operators that do more than scale, shift or arrange
 * channels. Undefined where these see different things, or nothing was done to it.
 */
export function entryAffine(graph: Graph, input: string, shape: Shape, axis: number): EntryAffine | undefined {
  const count = shape[axis];
  if (typeof count !== "number" || count > mostChannels) return undefined;
  const channels = Array.from({ length: count }, (_, from) => ({ from, scale: 1, offset: 0 }));
  const known = new Map<string, Tracked>([[input, { channels, axis, rank: shape.length }]]);
  for (const node of topological(graph)) {
    const inputs = node.inputs.map((name) => known.get(name));
    if (inputs.every((each) => each === undefined) || node.domain !== "") continue;
    const constant = (position: number) => constantOf(graph, node.inputs[position]);
    const made = rules[node.opType]?.({ node, inputs, constant });
    for (const [i, each] of made?.entries() ?? []) if (each) known.set(node.outputs[i] ?? "", each);
  }
  const ends = endsOf(graph, known);
  const [first] = ends;
  if (!first || ends.some((end) => !sameChannels(end, first)) || sameChannels(first, { channels })) return undefined;
  return {
    from: first.channels.map((channel) => channel.from),
    scale: first.channels.map((channel) => channel.scale),
    offset: first.channels.map((channel) => channel.offset),
  };
}

/** Beyond it an input is no picture, and a constant per channel isn't followed. */
const mostChannels = 16;

/** Values that something reads which isn't followed. Who asks for a shape alone doesn't look at the pixels. */
function endsOf(graph: Graph, known: ReadonlyMap<string, Tracked>): Tracked[] {
  const users = usersOf(graph);
  const outputs = new Set(graph.outputs.map((output) => output.name));
  return [...known].flatMap(([name, value]) => {
    const readers = (users.get(name) ?? []).filter((node) => !["Shape", "Size"].includes(node.opType));
    return outputs.has(name) || readers.some((node) => !node.outputs.some((output) => known.has(output)))
      ? [value]
      : [];
  });
}

function sameChannels(a: Pick<Tracked, "channels">, b: Pick<Tracked, "channels">): boolean {
  return (
    a.channels.length === b.channels.length &&
    a.channels.every((x, i) => {
      const y = b.channels[i]!;
      return x.from === y.from && x.scale === y.scale && x.offset === y.offset;
    })
  );
}

type Constant = { readonly shape: readonly number[]; readonly values: readonly number[] };

function constantOf(graph: Graph, name: string | undefined): Constant | undefined {
  const stored = graph.initializers.get(name ?? "");
  const values = stored && elementsOf(stored);
  return values && { shape: stored.shape, values };
}

/** What is known of a node's outputs; undefined for one that ends the way. */
type Rule = (context: {
  node: Node;
  inputs: readonly (Tracked | undefined)[];
  constant(position: number): Constant | undefined;
}) => readonly (Tracked | undefined)[] | undefined;

const same: Rule = ({ inputs: [x] }) => [x];

/** A constant as one number per channel of `x`; undefined where it differs from place to place. */
function perChannel({ shape, values }: Constant, x: Tracked): number[] | undefined {
  const { length } = x.channels;
  if (values.length === 1) return new Array<number>(length).fill(values[0]!);
  const at = x.axis === undefined ? -1 : x.axis - x.rank + shape.length;
  return values.length === length && shape[at] === length ? [...values] : undefined;
}

/** `combine` gives a channel's new scale and offset from the constant `k`, which stands first where `turned`. */
const withConstant =
  (combine: (channel: Channel, k: number, turned: boolean) => Pick<Channel, "scale" | "offset"> | undefined): Rule =>
  ({ inputs, constant }) => {
    const position = inputs[0] ? 0 : 1;
    const x = inputs[position]!;
    const given = constant(1 - position);
    const k = given && given.shape.length <= x.rank ? perChannel(given, x) : undefined;
    const combined = k && x.channels.map((channel, c) => combine(channel, k[c]!, position === 1));
    if (!combined?.every((each) => each !== undefined)) return undefined;
    return [{ ...x, channels: x.channels.map((channel, c) => ({ ...channel, ...combined[c] })) }];
  };

const transpose: Rule = ({ node, inputs: [x] }) => {
  const perm = numbersAttribute(node, "perm") ?? Array.from({ length: x!.rank }, (_, i) => x!.rank - 1 - i);
  return [{ ...x!, axis: x!.axis === undefined ? undefined : perm.indexOf(x!.axis) }];
};

/** Sizes of 1 that come and go: the channel axis shifts by those in front of it. */
const unsqueeze: Rule = ({ inputs: [x], constant }) => {
  const given = constant(1)?.values;
  if (!given) return undefined;
  const rank = x!.rank + given.length;
  const added = new Set(given.map((axis) => (axis < 0 ? axis + rank : axis)));
  const kept = Array.from({ length: rank }, (_, i) => i).filter((i) => !added.has(i));
  return [{ ...x!, rank, axis: x!.axis === undefined ? Math.min(...added) : kept[x!.axis] }];
};

const squeeze: Rule = ({ inputs: [x], constant }) => {
  const given = constant(1)?.values;
  if (!given || x!.axis === undefined) return undefined;
  const gone = new Set(given.map((axis) => (axis < 0 ? axis + x!.rank : axis)));
  if (gone.has(x!.axis)) return undefined;
  const before = [...gone].filter((axis) => axis < x!.axis!).length;
  return [{ ...x!, rank: x!.rank - gone.size, axis: x!.axis - before }];
};

/** Only what leaves the channels where they are, or has a single one. */
const reshape: Rule = ({ inputs: [x], constant }) => {
  const target = constant(1)?.values;
  if (!target) return undefined;
  const { axis, channels, rank } = x!;
  if (channels.length === 1) return [{ channels, axis: undefined, rank: target.length }];
  return axis !== undefined && target.length === rank && target[axis] === channels.length ? [x] : undefined;
};

const slice: Rule = ({ inputs: [x], constant }) => {
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((i) => constant(i)?.values);
  if (!starts || !ends) return undefined;
  const of = axes ?? starts.map((_, i) => i);
  const at = of.findIndex((axis) => (axis < 0 ? axis + x!.rank : axis) === x!.axis);
  if (at < 0) return [x];
  const picked = sliced(x!.channels.length, starts[at]!, ends[at]!, steps?.[at] ?? 1);
  return [pick(x!, picked)];
};

/** The indices that Slice takes of an axis of `length`. */
function sliced(length: number, start: number, end: number, step: number): number[] {
  const clamp = (i: number, low: number, high: number) => Math.min(high, Math.max(low, i < 0 ? i + length : i));
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const indices: number[] = [];
  const [first, last] = [clamp(start, low, high), end < -length ? low : clamp(end, low, high)];
  for (let i = first; step > 0 ? i < last : i > last; i += step) indices.push(i);
  return indices;
}

const pick = (x: Tracked, indices: readonly number[]): Tracked | undefined => {
  const channels = indices.map((i) => x.channels[i < 0 ? i + x.channels.length : i]);
  return channels.every((channel) => channel !== undefined) ? { ...x, channels: channels as Channel[] } : undefined;
};

/** Channels are picked; of batch or space something is left out, which changes nothing for the rest. */
const gather: Rule = ({ node, inputs: [x], constant }) => {
  const indices = constant(1);
  if (!x || !indices || indices.shape.length > 1) return undefined;
  const given = numberAttribute(node, "axis", 0);
  const axis = given < 0 ? given + x.rank : given;
  const isScalar = indices.shape.length === 0;
  const rank = isScalar ? x.rank - 1 : x.rank;
  if (axis === x.axis) {
    const picked = pick(x, indices.values);
    return [picked && { ...picked, axis: isScalar ? undefined : axis, rank }];
  }
  const shift = isScalar && x.axis !== undefined && axis < x.axis ? 1 : 0;
  return [{ ...x, axis: x.axis === undefined ? undefined : x.axis - shift, rank }];
};

/** PyTorch's `x[:, [2, 1, 0]]`: rows of the first axis. */
const gatherNd: Rule = ({ node, inputs: [x], constant }) => {
  const indices = constant(1);
  const rows = x?.axis === 0 && indices?.shape.length === 2 && indices.shape[1] === 1;
  return rows && numberAttribute(node, "batch_dims", 0) === 0 ? [pick(x, indices.values)] : undefined;
};

const split: Rule = ({ node, inputs: [x], constant }) => {
  const axis = numberAttribute(node, "axis", 0);
  if (!x || (axis < 0 ? axis + x.rank : axis) !== x.axis) return undefined;
  const each = x.channels.length / node.outputs.length;
  const sizes = constant(1)?.values ?? (Number.isInteger(each) ? node.outputs.map(() => each) : undefined);
  let begin = 0;
  return sizes?.map((size) => {
    begin += size;
    return { ...x, channels: x.channels.slice(begin - size, begin) };
  });
};

const concat: Rule = ({ node, inputs }) => {
  const [first] = inputs;
  const axis = numberAttribute(node, "axis", 0);
  const alike = inputs.every((x) => x && x.rank === first!.rank && x.axis === first!.axis);
  if (!alike || (axis < 0 ? axis + first!.rank : axis) !== first!.axis) return undefined;
  return [{ ...first!, channels: inputs.flatMap((x) => x!.channels) }];
};

/** (x − mean) / sqrt(variance + ε) · scale + bias, with what was measured in training. */
const batchNormalization: Rule = ({ node, inputs: [x], constant }) => {
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => constant(i)?.values);
  if (!x || (x.axis !== 1 && x.channels.length > 1) || !gamma || !beta || !mean || !variance) return undefined;
  const epsilon = numberAttribute(node, "epsilon", 1e-5);
  const channels = x.channels.map((channel, c) => {
    const factor = gamma[c]! / Math.sqrt(variance[c]! + epsilon);
    return { ...channel, scale: channel.scale * factor, offset: (channel.offset - mean[c]!) * factor + beta[c]! };
  });
  return [{ ...x, channels }];
};

const rules: Readonly<Record<string, Rule>> = {
  Identity: same,
  Cast: same,
  Dropout: same,
  Resize: same, // interpolation of sums is the sum of interpolations: what is done per channel commutes with it
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Reshape: reshape,
  Slice: slice,
  Gather: gather,
  GatherND: gatherNd,
  Split: split,
  Concat: concat,
  BatchNormalization: batchNormalization,
  Neg: ({ inputs: [x] }) => [
    { ...x!, channels: x!.channels.map((c) => ({ ...c, scale: -c.scale, offset: -c.offset })) },
  ],
  Add: withConstant(({ scale, offset }, k) => ({ scale, offset: offset + k })),
  Sub: withConstant(({ scale, offset }, k, turned) =>
    turned ? { scale: -scale, offset: k - offset } : { scale, offset: offset - k },
  ),
  Mul: withConstant(({ scale, offset }, k) => ({ scale: scale * k, offset: offset * k })),
  Div: withConstant(({ scale, offset }, k, turned) =>
    turned || k === 0 ? undefined : { scale: scale / k, offset: offset / k },
  ),
};
