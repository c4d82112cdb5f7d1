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
  if (totals.every((total) => total !== undefined)) return { ...moved, ...halved(op, totals, upper) };
  const reach = op.add(op.mul(op.sub(op.shape(y, 2), 1), op.ints(strides)), op.ints(extents));
  return { ...moved, ...halved(op, op.max(op.sub(reach, op.shape(x, 2)), 0), upper) };
}

/** Pads of each axis shared between its two ends; of an odd number the end gets more (`upper`) or the beginning. */
export function halved(op: Builder, total: readonly number[] | Value, upper: boolean): { begins: Ints; ends: Ints } {
  const split = (value: Value): [Ints, Ints] => {
    const half = op.div(value, 2);
    return [half, op.sub(value, half)];
  };
  const [less, more] =
    typeof total === "string"
      ? split(total)
      : [total.map((pad) => Math.floor(pad / 2)), total.map((pad) => Math.ceil(pad / 2))];
  return upper ? { begins: less, ends: more } : { begins: more, ends: less };
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

/** Pixels at the end of each axis that no window reads; undefined where the size is not known. */
export function spares(op: Builder, x: Value, windows: FixedWindows): (number | undefined)[] {
  const { strides, extents, begins, ends } = windows;
  return sizesOf(op, x).map((size, i) => {
    if (strides[i] === 1) return 0;
    return size === undefined ? undefined : (size + begins[i]! + ends[i]! - extents[i]!) % strides[i]!;
  });
}

/**
 * Pads with which the same windows, moved by single pixels over dy with its zeros between, give back x: begins, then ends.
 * Where x's size is not known, they give the longest that x may be. A negative one has no such form.
 */
export function marginsOf(op: Builder, x: Value, windows: FixedWindows): number[] {
  const { strides, extents, begins, ends } = windows;
  const after = spares(op, x, windows).map(
    (spare, i) => extents[i]! - strides[i]! - ends[i]! + (spare ?? strides[i]! - 1),
  );
  return [...extents.map((extent, i) => extent - 1 - begins[i]!), ...after];
}

/** Cuts axes whose size was not known, and which were therefore made as long as they can be, to those of x. */
export function cutTo(op: Builder, dx: Value, x: Value, windows: FixedWindows): Value {
  const open = spares(op, x, windows).flatMap((spare, i) => (spare === undefined ? [i + 2] : []));
  if (open.length === 0) return op.shapedLike(dx, x);
  const sizes = open.map((axis) => op.dim(x, axis));
  const cut = op.slice(dx, { axes: open, starts: open.map(() => 0), ends: op.concat(sizes, 0) });
  return op.shapedLike(cut, x);
}

/**
 * stride - 1 zeros after each pixel of dy: pixels repeated, then masked. The runtime has a fast kernel for repeating, none
 * for writing with gaps; a product and not a choice, since that stays in the blocked layout of what comes after it.
 * `weights` [1, 1, ...] replace the ones in the mask.
 */
export function withZerosBetween(op: Builder, dy: Value, strides: readonly number[], weights?: Value): Value {
  const one = op.scalar(1, op.dtype(dy));
  const plane = weights ?? op.expand(one, op.concat([op.ints([1, 1]), op.shape(dy, 2)], 0));
  const tap = op.reshape(one, [1, 1, ...strides.map(() => 1)]);
  const output_padding = strides.map((stride) => stride - 1);
  return op.mul(repeated(op, dy, strides), op.convTranspose(plane, tap, { strides, output_padding }));
}

/** Every pixel `times` times along each spatial axis. */
export function repeated(op: Builder, x: Value, times: readonly number[]): Value {
  const how = { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" } as const;
  return op.resize(x, { scales: [1, 1, ...times] }, how);
}
