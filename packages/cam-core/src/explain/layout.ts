import { LayerError } from "../errors.ts";
import type { Builder, Value } from "../graph/builder.ts";
import { type Axes, batch, isSpace, type SpaceAxis } from "./axis.ts";

/**
 * Lays a value out as [N, K, ...space] with space in the input's order: prefix and suffix tokens are dropped, tokens are put
 * on their grid, channels move to axis 1. No node is added for a value that is [N, K, ...space] already.
 *
 * Throws LayerError where the size of a token grid depends on more than the graph says.
 */
export function toChannelsFirst(op: Builder, value: Value, axes: Axes): Value {
  if (!axes.some((axis) => axis.kind === "batch"))
    return toChannelsFirst(op, op.unsqueeze(value, [0]), [batch, ...axes]);
  let x = value;
  let current = axes;
  axes.forEach((axis, i) => {
    if (!isSpace(axis) || axis.prefix + axis.suffix === 0) return;
    x = op.slice(x, { axes: [i], starts: [axis.prefix], ends: [axis.suffix === 0 ? 2 ** 31 - 1 : -axis.suffix] });
  });
  const channel = current.findIndex((axis) => axis.kind === "channel");
  const spaces = current
    .flatMap((axis, i) => (isSpace(axis) ? [i] : []))
    .sort((a, b) => firstAxis(current, a) - firstAxis(current, b));
  x = op.transpose(x, [0, channel, ...spaces]);
  current = [current[0]!, current[channel]!, ...spaces.map((i) => current[i]!)];
  if (current.every((axis) => !isSpace(axis) || axis.axes.length === 1)) return x;
  const extents = current.flatMap((axis) => (isSpace(axis) ? axis.extents : []));
  const unknown = extents.filter((extent) => typeof extent !== "number").length;
  if (unknown > 1)
    throw new LayerError(
      `the token grid of "${value}" is not known: [${extents.map((extent) => extent ?? "?").join(", ")}]`,
      {
        hint: "Say the grid in the model's manifest, or export the model with a fixed image size.",
      },
    );
  const grid = op.reshape(x, [0, 0, ...extents.map((extent) => (typeof extent === "number" ? extent : -1))]);
  return op.transpose(grid, [0, 1, ...inputOrder(current).map((at) => at + 2)]);
}

/** Where each spatial axis of the input, in order, lies among the axes of the grid: tokens may run down columns first. */
function inputOrder(axes: Axes): number[] {
  const order = axes.flatMap((axis) => (isSpace(axis) ? axis.axes : []));
  return order.map((_, at) => at).sort((a, b) => order[a]! - order[b]!);
}

function firstAxis(axes: Axes, i: number): number {
  const axis = axes[i];
  return isSpace(axis) ? axis.axes[0]! : -1;
}

/**
 * The way back of `toChannelsFirst`: `laid` [b, K, ...space] in the layout of `original` (a batch of one), whose prefix and
 * suffix tokens are kept for every variant. Throws LayerError where there is no batch axis.
 */
export function fromChannelsFirst(op: Builder, laid: Value, original: Value, axes: Axes): Value {
  if (axes[0]?.kind !== "batch")
    throw new LayerError(`"${original}" has no axis for several variants: frames take the place of the batch`, {
      hint: "Use a method of one graph (grad-cam), or choose another layer.",
    });
  const channel = axes.findIndex((axis) => axis.kind === "channel");
  const spaces = axes
    .flatMap((axis, i) => (isSpace(axis) ? [i] : []))
    .sort((a, b) => firstAxis(axes, a) - firstAxis(axes, b));
  const merged = spaces.some((i) => isSpace(axes[i]) && (axes[i] as SpaceAxis).axes.length > 1);
  const order = [0, channel, ...spaces];
  const sorted = inputOrder(spaces.map((i) => axes[i]!));
  const grid = op.transpose(laid, [0, 1, ...sorted.map((_, at) => sorted.indexOf(at) + 2)]);
  const flat = merged ? op.reshape(grid, [0, 0, -1]) : grid;
  const native = op.transpose(
    flat,
    axes.map((_, i) => order.indexOf(i)),
  );
  return axes.reduce((x, axis, i) => {
    if (!isSpace(axis) || axis.prefix + axis.suffix === 0) return x;
    const around = (starts: number, ends: number) =>
      repeated(op, op.slice(original, { axes: [i], starts: [starts], ends: [ends] }), x);
    const before = axis.prefix > 0 ? [around(0, axis.prefix)] : [];
    const after = axis.suffix > 0 ? [around(-axis.suffix, 2 ** 31 - 1)] : [];
    return op.concat([...before, x, ...after], i);
  }, native);
}

/** A batch of one, repeated as often as `like` has samples. */
function repeated(op: Builder, x: Value, like: Value): Value {
  const rest = Array.from({ length: op.rank(x) - 1 }, (_, i) => op.dim(x, i + 1));
  return op.expand(x, op.concat([op.dim(like, 0), ...rest], 0));
}
