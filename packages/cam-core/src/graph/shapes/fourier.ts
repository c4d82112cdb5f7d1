import { addDims, divDims, mulDims, subDims } from "../dims.ts";
import type { Dim, Shape } from "../graph.ts";
import type { ShapeContext, ShapeRule } from "../infer.ts";
import { alike, axisIn, dtypeAttribute, type ShapeRules, withDim } from "./parts.ts";

/** Transforms of signals. The last axis holds a real number, or a complex one as two. */

/** The bins that one side of a spectrum has. */
function oneSide(size: Dim): Dim {
  return addDims(divDims(size, 2), 1);
}

const dft: ShapeRule = (node) => {
  const x = node.shape(0);
  const dtype = node.dtype(0);
  const given = node.opset < 20 ? node.int("axis", 1) : node.has(2) ? node.integers(2)?.[0] : -2;
  if (!x || given === undefined) return [{ dtype, shape: x?.map(() => null) }];
  const axis = axisIn(given, x.length);
  const onesided = node.int("onesided", 0) === 1;
  const inverse = node.int("inverse", 0) === 1;
  const own = onesided && inverse ? mulDims(subDims(x[axis]!, 1), 2) : x[axis]!;
  const size = node.has(1) ? (node.elements(1)?.[0] ?? null) : own;
  const shape = withDim(x, axis, onesided && !inverse ? oneSide(size) : size);
  return [{ dtype, shape: withDim(shape, x.length - 1, onesided && inverse ? 1 : 2) }];
};

/** signal [B, L, ...], step, window, length → [B, frames, bins, 2] */
const stft: ShapeRule = (node) => {
  const signal = node.shape(0);
  const step = node.elements(1)?.[0];
  const length = lengthOf(node, signal);
  const frames = typeof step === "number" ? divDims(addDims(subDims(signal?.[1] ?? null, length), step), step) : null;
  const bins = node.int("onesided", 1) === 1 ? oneSide(length) : length;
  return [{ dtype: node.dtype(0), shape: [signal?.[0] ?? null, frames, bins, 2] }];
};

function lengthOf(node: ShapeContext, signal: Shape | undefined): Dim {
  if (node.has(3)) return node.elements(3)?.[0] ?? null;
  return (node.has(2) ? node.shape(2)?.[0] : signal?.[1]) ?? null;
}

const window: ShapeRule = (node) => [
  { dtype: dtypeAttribute(node, "output_datatype", "float32"), shape: [node.elements(0)?.[0] ?? null] },
];

const mel: ShapeRule = (node) => [
  {
    dtype: dtypeAttribute(node, "output_datatype", "float32"),
    shape: [oneSide(node.elements(1)?.[0] ?? null), node.elements(0)?.[0] ?? null],
  },
];

export const fourier: ShapeRules = {
  DFT: dft,
  STFT: stft,
  ...alike(window, "HannWindow", "HammingWindow", "BlackmanWindow"),
  MelWeightMatrix: mel,
};
