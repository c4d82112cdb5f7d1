import type { Builder } from "../builder.ts";
import { type Node, numberAttribute, producersOf } from "../graph.ts";

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
  const hot = producers.get(a!);
  const plain = numberAttribute(node, "transA", 0) === 0 && numberAttribute(node, "transB", 0) === 0;
  if (!plain || bias || numberAttribute(node, "alpha", 1) !== 1 || hot?.opType !== "OneHot") return undefined;
  const [indices, depth, values] = hot.inputs;
  const ones = op.facts.elements.get(values!)?.join() === "0,1" && numberAttribute(hot, "axis", -1) === -1;
  const whole = op.integers(depth!)?.[0] === op.dims(w!)?.[0] && op.dims(indices!)?.length === 1;
  return ones && whole && op.graph.initializers.has(w!) ? indices : undefined;
}
