import { GradientRuleError, NoGradientRuleError, NotOnPathError } from "../errors.ts";
import type { Builder, Value } from "../graph/builder.ts";
import { type Node, numberAttribute, numbersAttribute, readsOf, stringAttribute, topological } from "../graph/graph.ts";
import type { VjpContext } from "./rule.ts";
import { rules } from "./rules/index.ts";
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
 * Returns the gradients in the order of `wrt`, each with its value's shape. Throws NoGradientRuleError for an operator
 * without a rule on the path, NotOnPathError where no path leads from a wanted value to a seed.
 */
export function gradient(
  op: Builder,
  seeds: ReadonlyMap<Value, Value>,
  wrt: readonly Value[],
  options: GradientOptions = {},
): Value[] {
  const table = options.override ? { ...rules, ...options.override } : rules;
  const order = topological(op.graph);
  const { path, carries } = between(order, wrt, [...seeds.keys()], table);
  const cotangents = new Map<Value, Value[]>([...seeds].map(([value, seed]) => [value, [seed]]));
  const settle = (value: Value): Value | null => {
    const parts = cotangents.get(value);
    if (!parts) return null;
    const sum = parts.reduce((a, b) => op.add(a, b));
    cotangents.set(value, [sum]);
    return sum;
  };
  for (const node of path.reverse()) {
    const dys = node.outputs.map((name) => (name === "" ? null : settle(name)));
    if (dys.every((dy) => dy === null)) continue;
    const rule = table[ruleName(node)];
    if (!rule) throw missingRule(op, node, seeds, wrt, options.candidates?.() ?? []);
    if (rule.kind === "zero") continue;
    const results = rule.vjp(contextOf(op, node, dys, carries));
    node.inputs.forEach((input, i) => {
      const result = results[i];
      if (input === "" || !result || !carries.has(input)) return;
      const part = unbroadcast(op, result, input);
      const parts = cotangents.get(input);
      if (parts) parts.push(part);
      else cotangents.set(input, [part]);
    });
  }
  return wrt.map((value) => {
    const found = settle(value);
    if (found) return found;
    throw new NotOnPathError(value, [...seeds.keys()].join(", "), {
      hint: "Choose a tensor that the target is computed from; `camkit inspect` lists the candidates.",
    });
  });
}

/** How the table names a node's operator. */
export function ruleName(node: Node): string {
  return node.domain === "" ? node.opType : `${node.domain}:${node.opType}`;
}

/**
 * Nodes on a differentiable path from some values to others, in graph order, and the values that carry a gradient. A declared zero ends a path:
 * what lies only behind a Shape or an ArgMax isn't differentiated.
 */
export function between(
  order: readonly Node[],
  from: readonly Value[],
  to: readonly Value[],
  table: typeof rules = rules,
): { path: Node[]; carries: Set<Value> } {
  const forward = new Set<Value>(from);
  const reached: Node[] = [];
  for (const node of order) {
    if (table[ruleName(node)]?.kind === "zero" || !readsOf(node).some((name) => forward.has(name))) continue;
    reached.push(node);
    for (const name of node.outputs) forward.add(name);
  }
  const backward = new Set<Value>(to);
  const path: Node[] = [];
  for (const node of reached.reverse()) {
    if (!node.outputs.some((name) => backward.has(name))) continue;
    path.push(node);
    for (const name of readsOf(node)) if (forward.has(name)) backward.add(name);
  }
  return { path: path.reverse(), carries: new Set([...backward].filter((name) => forward.has(name))) };
}

function contextOf(op: Builder, node: Node, dys: readonly (Value | null)[], carries: ReadonlySet<Value>): VjpContext {
  return {
    op,
    node,
    opset: op.graph.opsets.get(node.domain) ?? 1,
    inputs: node.inputs,
    outputs: node.outputs,
    // Read by rules of operators with one output, which run only when it has a cotangent.
    dy: dys[0] as Value,
    dys,
    wants: (input) => carries.has(node.inputs[input] ?? ""),
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
  const after = new Set<Value>(node.outputs);
  for (const later of topological(op.graph))
    if (readsOf(later).some((name) => after.has(name))) for (const name of later.outputs) after.add(name);
  return new NoGradientRuleError(ruleName(node), op.graph.opsets.get(node.domain) ?? 1, node.name, {
    from: [...seeds.keys()].join(", "),
    to: wrt.join(", "),
    instead: candidates.filter((name) => after.has(name)).slice(-5),
  });
}
