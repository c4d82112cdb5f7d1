import { LayerError } from "../errors.ts";
import type { Builder, Value } from "../graph/builder.ts";
import { type Axes, isSpace } from "./axes.ts";

/**
 * Lays a value out as [N, K, ...space] with space in the input's order: prefix and suffix tokens are dropped, tokens are put
 * on their grid, channels move to axis 1. No node is added for a value that is [N, K, ...space] already.
 *
 * Throws LayerError where the size of a token grid depends on more than the graph says.
 */
export function toChannelsFirst(op: Builder, value: Value, axes: Axes): Value {
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
  return op.reshape(x, [0, 0, ...extents.map((extent) => (typeof extent === "number" ? extent : -1))]);
}

function firstAxis(axes: Axes, i: number): number {
  const axis = axes[i];
  return isSpace(axis) ? axis.axes[0]! : -1;
}
