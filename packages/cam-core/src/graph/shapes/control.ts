import { sameShape } from "../dims.ts";
import type { Dim } from "../graph.ts";
import type { Inferred, ShapeContext, ShapeRule } from "../infer.ts";
import { axisIn, type ShapeRules } from "./parts.ts";

/** Operators that run sub-graphs. */

/** What both branches say; the branch that is taken where the condition is known. */
const branches: ShapeRule = (node) => {
  const yes = node.branch("then_branch");
  const no = node.branch("else_branch");
  const condition = node.integers(0)?.[0];
  if (condition !== undefined) return condition !== 0 ? yes : no;
  return node.node.outputs.map((_, i) => agreed(yes[i], no[i]));
};

function agreed(a: Inferred | undefined, b: Inferred | undefined): Inferred | undefined {
  if (!a || !b || a.dtype !== b.dtype) return undefined;
  if (sameShape(a.shape, b.shape)) return { dtype: a.dtype, shape: a.shape };
  if (a.shape?.length !== b.shape?.length) return { dtype: a.dtype };
  return { dtype: a.dtype, shape: a.shape?.map((dim, i) => (dim === b.shape![i] ? dim : null)) };
}

/**
 * Final states are like the initial ones. What the body answers at each step is laid along a new axis, as long as the one
 * along which the inputs are read.
 */
const scan: ShapeRule = (node) => {
  const count = node.node.inputs.length;
  const states = count - node.int("num_scan_inputs", 1);
  const axes = node.ints("scan_input_axes") ?? [];
  const fed = node.node.inputs.map((_, i) => {
    const shape = node.shape(i);
    const axis = i < states || !shape ? undefined : axisIn(axes[i - states] ?? 0, shape.length);
    return { dtype: node.dtype(i), shape: shape?.filter((_, at) => at !== axis) };
  });
  const body = node.branch("body", fed);
  const read = node.shape(states);
  const length = read?.[axisIn(axes[0] ?? 0, read.length)] ?? null;
  return node.node.outputs.map((_, i) =>
    i < states ? state(node, i, body[i]) : stacked(node, i - states, body[i], length),
  );
};

function state(node: ShapeContext, input: number, after: Inferred | undefined): Inferred {
  const initial = node.shape(input);
  return { dtype: node.dtype(input), shape: initial ?? after?.shape };
}

function stacked(node: ShapeContext, output: number, each: Inferred | undefined, length: Dim): Inferred | undefined {
  if (!each?.shape) return each && { dtype: each.dtype };
  const axis = axisIn(node.ints("scan_output_axes")?.[output] ?? 0, each.shape.length + 1);
  return { dtype: each.dtype, shape: [...each.shape.slice(0, axis), length, ...each.shape.slice(axis)] };
}

export const control: ShapeRules = { If: branches, Scan: scan };
