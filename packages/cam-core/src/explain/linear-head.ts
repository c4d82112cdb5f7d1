import { MethodError } from "../errors.ts";
import type { Builder, Value } from "../graph/builder.ts";
import { constantsOf, type Node, producersOf } from "../graph/graph.ts";

/** What a step of a linear head does. `layout` moves elements, `offset` adds a constant, `scale` multiplies by one. */
export type StepKind = "layout" | "offset" | "scale" | "dense" | "pooling";

export type Step = {
  readonly kind: StepKind;
  readonly node: Node;
  /** The input that isn't a constant. */
  readonly from: Value;
};

const kinds: Readonly<Record<string, StepKind>> = {
  ...each("layout", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Dropout", "Cast"),
  // Quantised and read again: the same number, but for the rounding.
  ...each("layout", "QuantizeLinear", "DequantizeLinear"),
  ...each("offset", "Add", "Sub"),
  ...each("scale", "Mul", "Div"),
  ...each("dense", "Gemm", "MatMul", "Conv"),
  ...each("pooling", "GlobalAveragePool", "ReduceMean", "ReduceSum"),
};

function each(kind: StepKind, ...opTypes: readonly string[]): Record<string, StepKind> {
  return Object.fromEntries(opTypes.map((opType) => [opType, kind]));
}

/**
 * The steps from `layer` to `logits`, in order, where they are one global pooling and then one linear layer, with nothing else
 * but layout, constant offsets and constant scales: the precondition of CAM. Throws MethodError naming the node that breaks the
 * form; `method` is what needs it.
 */
export function linearHead(op: Builder, layer: Value, logits: Value, method = "cam"): readonly Step[] {
  const producers = producersOf(op.graph);
  const constants = constantsOf(op.graph);
  const steps: Step[] = [];
  for (let value = logits; value !== layer; value = steps[0]!.from) {
    const node = producers.get(value);
    const step = node && stepOf(constants, node);
    if (!step)
      throw refusal(
        method,
        `${node ? `${node.opType} "${node.name}"` : `"${value}"`} lies between "${layer}" and the logits`,
      );
    steps.unshift(step);
  }
  const count = (kind: StepKind) => steps.filter((step) => step.kind === kind).length;
  if (count("pooling") !== 1 || count("dense") !== 1)
    throw refusal(
      method,
      `between "${layer}" and the logits lie ${count("pooling")} poolings and ${count("dense")} linear layers`,
    );
  const order = steps.map((step) => step.kind).filter((kind) => kind === "pooling" || kind === "dense");
  if (order[0] === "dense") throw refusal(method, "a linear layer comes before the pooling");
  return steps;
}

function stepOf(constants: ReadonlySet<Value>, node: Node): Step | undefined {
  const kind = node.domain === "" ? kinds[node.opType] : undefined;
  const computed = node.inputs.filter((name) => name !== "" && !constants.has(name));
  // Where elements move may depend on the size of the input; what is added or multiplied may not.
  const from = kind === "layout" ? node.inputs[0] : computed.length === 1 ? computed[0] : undefined;
  // A constant divided by what is computed isn't linear in it.
  if (!kind || from === undefined || (node.opType === "Div" && node.inputs[0] !== from)) return undefined;
  return { kind, node, from };
}

function refusal(method: string, what: string): MethodError {
  return new MethodError(`${method} needs global average pooling and one linear layer after the layer; ${what}`, {
    hint:
      method === "cam"
        ? "Use grad-cam, which is the same map where cam is defined and works everywhere else."
        : "Without it, one class at a time is explained: the one that the exported model is asked for.",
  });
}
