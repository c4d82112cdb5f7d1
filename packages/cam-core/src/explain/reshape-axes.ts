import { divDims, mulDims, sameDim } from "../graph/dims.ts";
import type { Dim, Shape } from "../graph/graph.ts";
import { type Axes, type Axis, isSpace, other, type SpaceAxis, spaceAxis } from "./axis.ts";

/** What the axes mean after a reshape: matched in groups of equal product, from the left; sizes of 1 come and go. */
export function reshapeAxes(x: Axes, from: Shape, to: Shape): Axis[] {
  const result: Axis[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    const group = nextGroup(from, i, to, j);
    if (!group) {
      while (j++ < to.length) result.push(other);
      break;
    }
    result.push(...regroup(x.slice(i, group.i), from.slice(i, group.i), to.slice(j, group.j)));
    i = group.i;
    j = group.j;
  }
  return result;
}

/** The shortest runs from i and j with the same product of dimensions. */
function nextGroup(from: Shape, i: number, to: Shape, j: number): { i: number; j: number } | undefined {
  if (i < from.length && j < to.length && from[i] !== null && from[i] === to[j]) return { i: i + 1, j: j + 1 };
  if (i < from.length && from[i] === 1) return { i: i + 1, j };
  if (j < to.length && to[j] === 1) return { i, j: j + 1 };
  for (let a = i + 1; a <= from.length; a++)
    for (let b = j + 1; b <= to.length; b++) {
      if (sameDim(mulDims(...from.slice(i, a)), mulDims(...to.slice(j, b)))) return { i: a, j: b };
    }
  return undefined;
}

/** The meaning of a run of axes after it was merged or split. */
function regroup(axes: Axes, from: Shape, to: Shape): Axis[] {
  if (to.length === 0) return [];
  const real = axes.flatMap((axis, i) => (from[i] === 1 ? [] : [{ axis, size: from[i]! }]));
  if (real.length === 0) return to.map((dim, i) => (dim === 1 && axes.length === to.length ? axes[i]! : other));
  const sizes = real.map(({ size }) => size);
  const whole =
    real.length === 1
      ? real[0]!.axis
      : merge(
          real.map(({ axis }) => axis),
          sizes,
        );
  return to.length === 1 ? [whole] : take(whole, to);
}

/** Several axes as one: parts of one axis join, bare space becomes tokens, anything else is remembered side by side. */
function merge(given: Axes, givenSizes: readonly Dim[]): Axis {
  const runs = joinParts(given, givenSizes);
  const axes = runs.map(({ axis }) => axis);
  if (axes.length === 1) return axes[0]!;
  if (axes.every((axis) => isSpace(axis) && axis.prefix + axis.suffix === 0)) {
    const spaces = axes as readonly SpaceAxis[];
    return {
      kind: "space",
      axes: spaces.flatMap((s) => s.axes),
      extents: spaces.flatMap((s) => s.extents),
      prefix: 0,
      suffix: 0,
    };
  }
  if (axes.every((axis) => axis.kind === "other")) return other;
  const flat = runs.flatMap((run) =>
    run.axis.kind === "merged" ? run.axis.parts.map((axis, i) => ({ axis, size: sizesIn(run.axis)[i]! })) : [run],
  );
  return { kind: "merged", parts: flat.map(({ axis }) => axis), sizes: flat.map(({ size }) => size) };
}

function sizesIn(axis: Axis): readonly Dim[] {
  return axis.kind === "merged" ? axis.sizes : [];
}

/** The axes with every complete run of the parts of one axis put together again. */
function joinParts(axes: Axes, sizes: readonly Dim[]): { axis: Axis; size: Dim }[] {
  const joined: { axis: Axis; size: Dim }[] = [];
  for (let i = 0; i < axes.length; ) {
    const head = axes[i]!;
    const length = head.kind === "part" && isRun(head, axes.slice(i, i + head.sizes.length)) ? head.sizes.length : 1;
    const axis = head.kind === "part" && length === head.sizes.length ? head.whole : head;
    joined.push({ axis, size: mulDims(...sizes.slice(i, i + length)) });
    i += length;
  }
  return joined;
}

function isRun(head: Extract<Axis, { kind: "part" }>, axes: Axes): boolean {
  if (axes.length !== head.sizes.length) return false;
  return axes.every((axis, i) => axis.kind === "part" && axis.whole === head.whole && axis.index === i);
}

/** One axis as several: tokens onto their grid, remembered axes apart, else numbered parts. */
function take(whole: Axis, to: Shape): Axis[] {
  const real = to.filter((dim) => dim !== 1);
  const fits = (sizes: readonly Dim[]) =>
    sizes.length === real.length && sizes.every((size, i) => size === null || real[i] === null || size === real[i]);
  const spread = (parts: Axes) => {
    const queue = [...parts];
    return to.map((dim) => (dim === 1 ? other : queue.shift()!));
  };
  if (isSpace(whole) && whole.prefix + whole.suffix === 0 && whole.axes.length > 1 && fits(whole.extents))
    return spread(whole.axes.map((axis, i) => spaceAxis(axis, real[i]!)));
  if (whole.kind === "merged") {
    if (fits(whole.sizes)) return spread(whole.parts);
    // What the parts can be matched to in smaller runs, or cut further; else numbered parts of them all.
    const run = nextGroup(whole.sizes, 0, real, 0);
    if (run && (run.i < whole.sizes.length || run.j < real.length))
      return spread(reshapeAxes(whole.parts, whole.sizes, real));
    const fine = commonCuts(whole.sizes, real);
    if (fine && fine.length > real.length)
      return spread(reshapeAxes(reshapeAxes(whole.parts, whole.sizes, fine), fine, real));
  }
  return whole.kind === "other"
    ? to.map(() => other)
    : spread(real.map((_, index): Axis => ({ kind: "part", whole, index, sizes: real })));
}

/** The fewest sizes whose runs make up both lists: [n, 768] and [12·n, 64] are both made of [n, 12, 64]. */
function commonCuts(first: Shape, second: Shape): Dim[] | undefined {
  const cuts: Dim[] = [];
  const [a, b] = [[...first], [...second]];
  while (a.length > 0 && b.length > 0) {
    const [x, y] = [a.shift()!, b.shift()!];
    const [cut, whole, list] = isMultiple(y, x) ? [x, y, b] : [y, x, a];
    if (!isMultiple(whole, cut)) return undefined;
    cuts.push(cut);
    if (!sameDim(whole, cut)) list.unshift(divDims(whole, cut));
  }
  return a.length + b.length === 0 ? cuts : undefined;
}

function isMultiple(whole: Dim, of: Dim): boolean {
  return sameDim(whole, mulDims(of, divDims(whole, of)));
}

/**
 * The outer part of a spatial axis is that axis at a lower resolution once its inner parts are gone: mixed into the channels, or
 * reduced. `found` remembers what an axis became, so that the parts of one axis stay parts of one.
 */
export function coarser(axes: Axes, found: Map<Axis, Axis>): Axes {
  const present = new Map<Axis, Set<number>>();
  for (const part of axes.flatMap(partsIn))
    present.set(part.whole, (present.get(part.whole) ?? new Set()).add(part.index));
  if (present.size === 0) return axes;
  const settle = (axis: Axis): Axis => {
    if (axis.kind === "merged") {
      const parts = axis.parts.map(settle);
      return parts.every((part, i) => part === axis.parts[i]) ? axis : merge(parts, axis.sizes);
    }
    if (axis.kind !== "part") return axis;
    const whole = settle(axis.whole);
    const isAlone = axis.index === 0 && present.get(axis.whole)!.size === 1;
    const isLine = isSpace(whole) && whole.axes.length === 1 && whole.prefix + whole.suffix === 0;
    if (!(isAlone && isLine) && whole === axis.whole) return axis;
    const made =
      found.get(axis) ?? (isAlone && isLine ? spaceAxis(whole.axes[0]!, axis.sizes[0]!) : { ...axis, whole });
    found.set(axis, made);
    return made;
  };
  return axes.map(settle);
}

/** The parts of other axes that an axis is or holds, and those that these are parts of. */
function partsIn(axis: Axis): Extract<Axis, { kind: "part" }>[] {
  if (axis.kind === "merged") return axis.parts.flatMap(partsIn);
  return axis.kind === "part" ? [axis, ...partsIn(axis.whole)] : [];
}
