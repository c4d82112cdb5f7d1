import { GradientRuleError, NoGradientRuleError, NotOnPathError } from "../errors.ts";
import type { Builder, Value } from "../graph/builder.ts";
import { whyNotExpanded } from "../graph/fused/index.ts";
import { type Node, numberAttribute, numbersAttribute, readsOf, stringAttribute, topological } from "../graph/graph.ts";
import { naming } from "../naming.ts";
import { type DType, isReal } from "../tensor.ts";
import { isDerivative, type Rules, type VjpContext } from "./rule.ts";
import { rules } from "./rules/index.ts";
import { refusalOf } from "./support.ts";
import { unbroadcast } from "./unbroadcast.ts";

export type GradientOptions = {
  /** Replaces the rule of some operators: guided backpropagation, straight-through estimators. */
  override?: typeof rules;
  /** Values that a missing-rule error may offer instead. */
  candidates?: () => readonly Value[];
};

/**
 * Reverse mode: adds to the graph the nodes that compute d seed / d value for each of `wrt`, where `seeds` gives the
 * cotangent of each value it starts from (of the value's own shape). `wrt` may name any value: an activation, an input, a
 * weight. Only nodes that lie between the two are differentiated.
 *
 * Cotangents are float32, or float64 for float64 values: also for values in half precision, in which small gradients are 0
 * and the CPU lacks kernels, and for quantised integers, whose cotangent is that of the number they stand for. The forward
 * pass stays as it is.
 *
 * Returns the gradients in the order of `wrt`, each with its value's shape. Throws NoGradientRuleError for an operator
 * without a rule on the path, NotOnPathError where no path leads from a wanted value to a seed.
 */
export function gradient(
  op: Builder,
  seeds: ReadonlyMap<Value, Value>,
  wrt: readonly Value[],
  options: GradientOptions = {},
): Value[] {
  return sweep(op, seeds, wrt, options).map((found, i) => {
    if (found) return found;
    throw new NotOnPathError(wrt[i]!, [...seeds.keys()].join(", "), {
      hint: "Choose a tensor that the target is computed from; `camkit inspect` lists the candidates.",
    });
  });
}

/** The gradients, null where no path leads to a seed. */
function sweep(
  op: Builder,
  seeds: ReadonlyMap<Value, Value>,
  wrt: readonly Value[],
  options: GradientOptions,
): (Value | null)[] {
  const table = options.override ? { ...rules, ...options.override } : rules;
  const order = topological(op.graph);
  const { path, carries } = between(op, order, wrt, [...seeds.keys()], table);
  const cotangents = new Map<Value, Value[]>(
    [...seeds].map(([value, seed]) => [value, [op.cast(seed, tangentType(op.dtype(value)))]]),
  );
  const settle = (value: Value): Value | null => {
    const parts = cotangents.get(value);
    if (!parts) return null;
    const sum = parts.reduce((a, b) => op.add(a, b));
    cotangents.set(value, [sum]);
    return sum;
  };
  const give = (value: Value, cotangent: Value) => {
    const part = unbroadcast(op, cotangent, value);
    const parts = cotangents.get(value);
    if (parts) parts.push(part);
    else cotangents.set(value, [part]);
  };
  const pull = (inner: Builder, from: ReadonlyMap<Value, Value>, to: readonly Value[]) =>
    sweep(inner, from, to, options);
  const primal = primals(op, carries);
  for (const node of path.reverse()) {
    const dys = node.outputs.map((name) => (name === "" ? null : settle(name)));
    if (dys.every((dy) => dy === null)) continue;
    const rule = table[ruleName(node)];
    if (!rule) throw missingRule(op, node, seeds, wrt, options.candidates?.() ?? []);
    if (rule.kind === "zero") continue;
    const context = { ...contextOf(op, node, dys, carries, primal), give, pull };
    const results = naming(
      () => rule.vjp(context),
      (cause) =>
        new GradientRuleError(node.opType, node.name, `its inputs and attributes don't fit: ${cause.message}`, {
          cause,
        }),
    );
    node.inputs.forEach((input, i) => {
      const result = results[i];
      if (input !== "" && result && carries.has(input)) give(input, result);
    });
  }
  return wrt.map(settle);
}

/** How the table names a node's operator. */
export function ruleName(node: Node): string {
  return node.domain === "" ? node.opType : `${node.domain}:${node.opType}`;
}

/**
 * Nodes on a differentiable path from some values to others, in graph order, and the values that carry a gradient. A declared
 * zero ends a path: what lies only behind a Shape or an ArgMax isn't differentiated. So does an input that a rule leaves out,
 * and an integer, such as an index or what a Cast rounds to, unless it is a quantised number.
 */
export function between(
  op: Builder,
  order: readonly Node[],
  from: readonly Value[],
  to: readonly Value[],
  table: typeof rules = rules,
): { path: Node[]; carries: Set<Value> } {
  const isFloat = (name: Value) => isReal(op.dtype(name));
  const forward = new Set<Value>(from);
  const reached: Node[] = [];
  for (const node of order) {
    const rule = table[ruleName(node)];
    const reads = differentiated(node, rule).filter((name) => forward.has(name));
    if (rule?.kind === "zero" || reads.length === 0) continue;
    const quantised = (rule?.kind === "surrogate" && rule.quantises) || reads.some((name) => !isFloat(name));
    reached.push(node);
    for (const name of node.outputs) if (quantised || isFloat(name)) forward.add(name);
  }
  const backward = new Set<Value>(to);
  const path: Node[] = [];
  for (const node of reached.reverse()) {
    if (!node.outputs.some((name) => backward.has(name) && forward.has(name))) continue;
    path.push(node);
    for (const name of differentiated(node, table[ruleName(node)])) if (forward.has(name)) backward.add(name);
  }
  return { path: path.reverse(), carries: new Set([...backward].filter((name) => forward.has(name))) };
}

/** What a node reads and gives a gradient for. */
function differentiated(node: Node, rule: Rules[string] | undefined): string[] {
  const leftOut = isDerivative(rule) ? rule.leftOut : undefined;
  return leftOut ? readsOf({ ...node, inputs: node.inputs.filter((_, i) => !(i in leftOut)) }) : readsOf(node);
}

/** The type that the cotangent of a value is computed in. */
function tangentType(dtype: DType): "float32" | "float64" {
  return dtype === "float64" ? "float64" : "float32";
}

/** What rules see of a value: itself, or the float32 number that half precision and quantised integers stand for. */
function primals(op: Builder, carries: ReadonlySet<Value>): (value: Value) => Value {
  const wide = new Map<Value, Value>();
  return (value) => {
    if (value === "") return value;
    const dtype = op.dtype(value);
    const isNarrow = dtype === "float16" || dtype === "bfloat16" || (carries.has(value) && !isReal(dtype));
    if (!isNarrow) return value;
    const found = wide.get(value) ?? op.cast(value, "float32");
    wide.set(value, found);
    return found;
  };
}

function contextOf(
  op: Builder,
  node: Node,
  dys: readonly (Value | null)[],
  carries: ReadonlySet<Value>,
  primal: (value: Value) => Value,
): Omit<VjpContext, "give" | "pull"> {
  return {
    op,
    node,
    opset: op.graph.opsets.get(node.domain) ?? 1,
    inputs: node.inputs.map(primal),
    outputs: node.outputs.map(primal),
    // Read by rules of operators with one output, which run only when it has a cotangent.
    dy: dys[0] as Value,
    dys,
    wants: (input) => carries.has(node.inputs[input] ?? ""),
    captured: [...new Set(readsOf(node))].filter((name) => carries.has(name) && !node.inputs.includes(name)),
    int: (name, otherwise) => numberAttribute(node, name, otherwise),
    float: (name, otherwise) => numberAttribute(node, name, otherwise),
    ints: (name) => numbersAttribute(node, name),
    string: (name, otherwise) => stringAttribute(node, name, otherwise),
    refuse: (reason, hint) => new GradientRuleError(node.opType, node.name, reason, hint ? { hint } : {}),
  };
}

function missingRule(
  op: Builder,
  node: Node,
  seeds: ReadonlyMap<Value, Value>,
  wrt: readonly Value[],
  candidates: readonly Value[],
): Error {
  const reason = whyNotExpanded(op.graph, node);
  if (reason)
    return new GradientRuleError(node.opType, node.name, reason, {
      hint: "Choose a target layer after this node, or use the file as it was before it was optimised.",
    });
  const after = new Set<Value>(node.outputs);
  for (const later of topological(op.graph))
    if (readsOf(later).some((name) => after.has(name))) for (const name of later.outputs) after.add(name);
  const refusal = refusalOf(op.graph, node);
  return new NoGradientRuleError(ruleName(node), op.graph.opsets.get(node.domain) ?? 1, node.name, {
    from: [...seeds.keys()].join(", "),
    to: wrt.join(", "),
    instead: candidates.filter((name) => after.has(name)).slice(-5),
    ...(refusal && { why: refusal.why, wayOut: refusal.instead }),
  });
}
