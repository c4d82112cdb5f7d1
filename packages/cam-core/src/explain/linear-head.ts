import { MethodError } from "../errors.ts";
import type { Builder, Value } from "../graph/builder.ts";
import { type Node, producersOf } from "../graph/graph.ts";

/** Steps between pooling and logits that are neither pooling nor dense, and are linear when their other input is constant. */
const neutral: ReadonlySet<string> = new Set([
  "Flatten",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Transpose",
  "Identity",
  "Dropout",
  "Cast",
  "Add",
  "Sub",
  "Mul",
  "Div",
]);
const dense: ReadonlySet<string> = new Set(["Gemm", "MatMul", "Conv"]);
const pooling: ReadonlySet<string> = new Set(["GlobalAveragePool", "ReduceMean", "ReduceSum"]);

/**
 * Checks the precondition of CAM: from `layer`, one global average pooling and one linear layer lead to `logits`, and
 * nothing else. Throws MethodError naming the node that breaks the form.
 */
export function checkLinearHead(op: Builder, layer: Value, logits: Value): void {
  const producers = producersOf(op.graph);
  const seen: string[] = [];
  let value = logits;
  while (value !== layer) {
    const node = producers.get(value);
    const next = node && soleInput(op, node);
    if (
      !node ||
      next === undefined ||
      !(neutral.has(node.opType) || dense.has(node.opType) || pooling.has(node.opType))
    )
      throw refusal(`${node ? `${node.opType} "${node.name}"` : `"${value}"`} lies between "${layer}" and the logits`);
    seen.push(node.opType);
    value = next;
  }
  const count = (kind: ReadonlySet<string>) => seen.filter((opType) => kind.has(opType)).length;
  if (count(pooling) !== 1 || count(dense) !== 1)
    throw refusal(`between "${layer}" and the logits lie ${count(pooling)} poolings and ${count(dense)} linear layers`);
  if (dense.has(seen.at(-1)!)) throw refusal(`a linear layer comes before the pooling`);
}

/** The one input that isn't a constant. */
function soleInput(op: Builder, node: Node): Value | undefined {
  const computed = node.inputs.filter((name) => name !== "" && !op.graph.initializers.has(name));
  return computed.length === 1 ? computed[0] : undefined;
}

function refusal(what: string): MethodError {
  return new MethodError(`cam needs global average pooling and one linear layer after the layer; ${what}`, {
    hint: "Use grad-cam, which is the same map where cam is defined and works everywhere else.",
  });
}
