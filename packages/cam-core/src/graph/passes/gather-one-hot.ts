import type { Builder, Value } from "../builder.ts";
import { constantsOf, type Node, numberAttribute, producersOf } from "../graph.ts";

/**
 * A one-hot row times a matrix is a row of the matrix:
 *
 *   Gemm(OneHot(i), W) = Gather(W, i)
 *
 * That is how the gradient of a class score begins at a dense head: it reads one row instead of the whole matrix. Of a quantised
 * matrix, the row is read as real numbers, not the matrix.
 */
export function gatherOneHot(op: Builder): void {
  const producers = producersOf(op.graph);
  for (const [at, node] of op.graph.nodes.entries()) {
    const indices = node.opType === "Gemm" && node.domain === "" ? rowsOf(op, node, producers) : undefined;
    if (indices === undefined) continue;
    const [, w] = node.inputs as [Value, Value];
    const row = dequantisedRow(op, w, indices, producers);
    op.graph.nodes[at] = row
      ? { ...node, opType: "Reshape", inputs: [row, op.ints([-1, op.dims(w)![1] as number])], attributes: {} }
      : { ...node, opType: "Gather", inputs: [w, indices], attributes: {} };
  }
}

/** Rows of a matrix that is a quantised constant's real numbers, or those in another shape with the same rows. */
function dequantisedRow(
  op: Builder,
  w: Value,
  indices: Value,
  producers: ReadonlyMap<string, Node>,
): Value | undefined {
  let node = producers.get(w);
  while (node?.opType === "Reshape" && op.dims(node.inputs[0]!)?.[0] === op.dims(w)?.[0])
    node = producers.get(node.inputs[0]!);
  if (node?.opType !== "DequantizeLinear" || node.domain !== "" || typeof op.dims(w)?.[1] !== "number")
    return undefined;
  const [codes, scale, zero] = node.inputs as [Value, Value, Value?];
  const [rank, places] = [op.dims(codes)?.length, op.dims(scale)];
  if (rank === undefined || !places || places.length > 1 || op.dims(codes)![0] !== op.dims(w)![0]) return undefined;
  const axis = numberAttribute(node, "axis", 1);
  const along = axis < 0 ? axis + rank : axis;
  // One for all, one per row, or one per column.
  const laid = (value: Value) => {
    if (places.length === 0 || places[0] === 1) return op.reshape(value, []);
    const shape = Array.from({ length: rank }, (_, i) => (i === along ? -1 : 1));
    return op.reshape(along === 0 ? op.gather(value, indices) : value, shape);
  };
  const type = op.dtype(scale);
  const row = op.cast(op.gather(codes, indices), type);
  return op.mul(zero ? op.sub(row, laid(op.cast(zero, type))) : row, laid(scale));
}

/** The row numbers, where the node is a plain product of a one-hot [N, rows] and a constant matrix. */
function rowsOf(op: Builder, node: Node, producers: ReadonlyMap<string, Node>): string | undefined {
  const [a, w, bias] = node.inputs;
  const hot = behindLayout(op, a!, producers);
  const plain = numberAttribute(node, "transA", 0) === 0 && numberAttribute(node, "transB", 0) === 0;
  if (!plain || bias || numberAttribute(node, "alpha", 1) !== 1 || hot?.opType !== "OneHot") return undefined;
  const [indices, depth, values] = hot.inputs;
  const ones = op.facts.elements.get(values!)?.join() === "0,1" && numberAttribute(hot, "axis", -1) === -1;
  const whole = op.integers(depth!)?.[0] === op.dims(w!)?.[0] && op.dims(indices!)?.length === 1;
  return ones && whole && constantsOf(op.graph).has(w!) ? indices : undefined;
}

/** What makes a row per sample, axes of size 1 that came and went on the way left aside. */
function behindLayout(op: Builder, row: string, producers: ReadonlyMap<string, Node>): Node | undefined {
  let node = producers.get(row);
  while (node && ["Reshape", "Unsqueeze", "Squeeze", "Flatten"].includes(node.opType))
    node = producers.get(node.inputs[0]!);
  const [to, from] = [op.dims(row), node && op.dims(node.outputs[0]!)];
  return to?.length === 2 && from?.length === 2 && to[1] === from[1] ? node : undefined;
}
