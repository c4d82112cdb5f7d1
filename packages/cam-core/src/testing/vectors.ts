import type { Sample } from "../autodiff/rule.ts";
import type { ValueInfo } from "../graph/graph.ts";
import type { Tensor } from "../tensor.ts";
import type { Precision } from "./tolerance.ts";

/** Tensors as vectors, for the numeric checks. */

type Floats = Float32Array | Float64Array;

/** What a few operations may be off by, relative to their terms. */
export const roundoff: Readonly<Record<Precision, number>> = { float64: 2 ** -50, float32: 2 ** -21 };

const values = (tensor: Tensor) => tensor.data as Floats;

/** The sample with its floating-point tensors in another precision; those of its sub-graphs, too. */
export function inPrecision(precision: Precision, sample: Sample): Sample {
  const retyped = (infos: readonly ValueInfo[]) =>
    infos.map((info) => (info.dtype === "float32" ? { ...info, dtype: precision } : info));
  const attributes = Object.entries(sample.attributes ?? {}).map(([name, value]) => {
    if (typeof value !== "object" || !("graph" in value)) return [name, value];
    const { graph } = value;
    return [name, { graph: { ...graph, inputs: retyped(graph.inputs), outputs: retyped(graph.outputs) } }];
  });
  const inputs = sample.inputs.map((one) => (one?.dtype === "float32" ? as(precision, one) : one));
  return { ...sample, inputs, attributes: Object.fromEntries(attributes) };
}

function as(precision: Precision, tensor: Tensor): Tensor {
  const data = precision === "float64" ? Float64Array.from(values(tensor)) : Float32Array.from(values(tensor));
  return { dtype: precision, shape: tensor.shape, data };
}

/** A tensor of the same shape and type, drawn anew. */
export function like(tensor: Tensor, draw: () => number): Tensor {
  return { ...tensor, data: values(tensor).map(() => draw()) };
}

/** Tensors to feed that a kernel may write over, as BatchNormalization does in training with its statistics. */
export function copied(feeds: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => [name, { ...tensor, data: values(tensor).slice() }]),
  );
}

/** x + t · u. */
export function moved(x: Tensor, u: Tensor, t: number): Tensor {
  const direction = values(u);
  return { ...x, data: values(x).map((value, i) => value + t * direction[i]!) };
}

/** ⟨a, b⟩. */
export function dot(a: Tensor, b: Tensor): number {
  return products(a, b).reduce((sum, value) => sum + value, 0);
}

/** The size of the terms of ⟨a, b⟩, which may cancel in the sum. */
export function magnitude(a: Tensor, b: Tensor): number {
  return Math.sqrt(products(a, b).reduce((sum, value) => sum + value ** 2, 0));
}

function products(a: Tensor, b: Tensor): number[] {
  const other = values(b);
  return Array.from(values(a), (value, i) => value * other[i]!);
}

/** The largest size among the entries. */
export function largest(tensor: Tensor): number {
  return Array.from(values(tensor), Math.abs).reduce((a, b) => Math.max(a, b), 0);
}

/** A tensor with the signs of another, drawn anew in size. */
export function signs(tensor: Tensor, draw: () => number): Tensor {
  return { ...tensor, data: values(tensor).map((value) => Math.sign(value) * Math.abs(draw())) };
}
