import type { Builder, Ints, Value } from "../../graph/builder.ts";
import type { VjpContext } from "../rule.ts";

/**
 * How a window moves over the spatial axes, and how much is padded before and after each: what convolutions and pools have
 * in common. Pads are numbers where they are known, values where SAME meets a size that only the run knows.
 */
export type Windows = {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** What a window covers: (kernel - 1) * dilation + 1. */
  readonly extents: readonly number[];
  readonly begins: Ints;
  readonly ends: Ints;
};

export type FixedWindows = Windows & { readonly begins: readonly number[]; readonly ends: readonly number[] };

/** The windows of a node that slides them over `x` and answers with `y`. */
export function windowsOf(context: VjpContext, kernel: readonly number[], x: Value, y: Value): Windows {
  const { op, ints, string } = context;
  const each = (value: number) => kernel.map(() => value);
  const strides = ints("strides") ?? each(1);
  const dilations = ints("dilations") ?? each(1);
  const extents = kernel.map((size, i) => (size - 1) * dilations[i]! + 1);
  const moved = { kernel, strides, dilations, extents };
  const autoPad = string("auto_pad", "NOTSET");
  if (autoPad === "VALID") return { ...moved, begins: each(0), ends: each(0) };
  if (!autoPad.startsWith("SAME")) {
    const pads = ints("pads") ?? [...each(0), ...each(0)];
    return { ...moved, begins: pads.slice(0, kernel.length), ends: pads.slice(kernel.length) };
  }
  // SAME pads what the windows, one at every stride-th pixel, reach beyond the input; the odd pixel goes after it (UPPER).
  const upper = autoPad === "SAME_UPPER";
  const totals = sizesOf(op, x).map((size, i) => {
    if (strides[i] === 1) return extents[i]! - 1;
    if (size === undefined) return undefined;
    return Math.max((Math.ceil(size / strides[i]!) - 1) * strides[i]! + extents[i]! - size, 0);
  });
  if (totals.every((total) => total !== undefined)) {
    const less = totals.map((total) => Math.floor(total / 2));
    const more = totals.map((total) => Math.ceil(total / 2));
    return { ...moved, begins: upper ? less : more, ends: upper ? more : less };
  }
  const reach = op.add(op.mul(op.sub(op.shape(y, 2), 1), op.ints(strides)), op.ints(extents));
  const total = op.max(op.sub(reach, op.shape(x, 2)), 0);
  const less = op.div(total, 2);
  const more = op.sub(total, less);
  return { ...moved, begins: upper ? less : more, ends: upper ? more : less };
}

export function isFixed(windows: Windows): windows is FixedWindows {
  return typeof windows.begins !== "string" && typeof windows.ends !== "string";
}

/** Sizes of the spatial axes where they are known. */
export function sizesOf(op: Builder, x: Value): (number | undefined)[] {
  const dims = op.dims(x) ?? [];
  return dims.slice(2).map((dim) => (typeof dim === "number" ? dim : undefined));
}

/** Pads the spatial axes; no node where nothing is to be padded. */
export function padded(op: Builder, x: Value, begins: Ints, ends: Ints, value = 0): Value {
  const list = (sizes: Ints) => (typeof sizes === "string" ? sizes : op.ints(sizes));
  if ([begins, ends].every((sizes) => typeof sizes !== "string" && sizes.every((size) => size === 0))) return x;
  const pads = op.concat([op.ints([0, 0]), list(begins), op.ints([0, 0]), list(ends)], 0);
  return op.pad(x, pads, value);
}
