import type { Builder } from "../builder.ts";
import { constantsOf, type Node, numberAttribute, producersOf } from "../graph.ts";

/**
 * A one-hot row times a matrix is a row of the matrix:
 *
 *   Gemm(OneHot(i), W) = Gather(W, i)
 *
 * That is how the gradient of a class score begins at a dense head: it reads one row instead of the whole matrix.
 */
export function gatherOneHot(op: Builder): void {
  const producers = producersOf(op.graph);
  op.graph.nodes = op.graph.nodes.map((node) => {
    const indices = node.opType === "Gemm" && node.domain === "" ? rowsOf(op, node, producers) : undefined;
    return indices === undefined
      ? node
      : { ...node, opType: "Gather", inputs: [node.inputs[1]!, indices], attributes: {} };
  });
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
