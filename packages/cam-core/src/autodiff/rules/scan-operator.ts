import type { Builder, Value } from "../../graph/builder.ts";
import { emptyGraph, type Graph, type Shape } from "../../graph/graph.ts";
import { isReal } from "../../tensor.ts";
import type { Rng } from "../../testing/rng.ts";
import { defineRules, type Sample, type VjpContext } from "../rule.ts";

/**
 * Scan runs a body once for each element of some sequences, and hands states on from step to step. Backward it is a Scan that
 * runs the other way: its states are the states' cotangents, and its body is the given one, run again from the state that the
 * step began with, and the sweep over it. What the body takes from outside is the same at each step: its cotangents add up in
 * states of their own.
 */
function scannedBack(context: VjpContext): (Value | null)[] {
  const { op, node, dys, wants, captured, give, pull, ints, int, refuse } = context;
  const body = node.attributes.body;
  if (body?.type !== "graph" || context.opset < 9) throw refuse("the form of opset 8 has no gradient rule");
  const count = node.inputs.length - int("num_scan_inputs", 1);
  const initial = node.inputs.slice(0, count);
  const sequences = node.inputs.slice(count);
  const carries = (value: Value) => isReal(op.dtype(value));
  const inputAxes = ints("scan_input_axes") ?? [];
  const flipped = (name: string, at: number) => 1 - (ints(name)?.[at] ?? 0);

  const { inner, names } = bodyOf(context, body.value, count);
  const before = names.slice(0, count);
  const elements = names.slice(count);
  // The cotangents that a step starts with: of the states it leaves, of what it takes from outside, of what it answered.
  const tangent = (value: Value, dims: Shape | undefined, hint: string) =>
    inner.input({ name: inner.fresh(hint), dtype: tangentType(op, value), shape: dims });
  const outputs = body.value.outputs.map(({ name }) => name);
  const states = initial.flatMap((value, i) => (carries(value) ? [i] : []));
  inner.graph.inputs = [];
  inner.graph.outputs = [];
  const carried = states.map((i) => tangent(initial[i]!, op.dims(initial[i]!), "dstate"));
  const sums = captured.map((value) => tangent(value, op.dims(value), "sum"));
  inner.graph.inputs.push(...names.map((name) => ({ name, dtype: inner.dtype(name), shape: inner.dims(name) })));
  const answered = dys.flatMap((dy, i) => (dy && i >= count ? [{ dy, at: i - count }] : []));
  const given = answered.map(({ at }) => tangent(node.outputs[count + at]!, inner.dims(outputs[count + at]!), "dy"));

  const seeds = new Map<Value, Value>();
  const seed = (value: Value, cotangent: Value) => {
    const sum = seeds.get(value);
    seeds.set(value, sum ? inner.add(sum, cotangent) : cotangent);
  };
  for (const [k, i] of states.entries()) seed(outputs[i]!, carried[k]!);
  for (const [k, { at }] of answered.entries()) seed(outputs[count + at]!, given[k]!);
  const wanted = sequences.flatMap((value, i) => (wants(count + i) && carries(value) ? [i] : []));
  const found = pull(inner, seeds, [...states.map((i) => before[i]!), ...wanted.map((i) => elements[i]!), ...captured]);
  const passed = states.map((_, k) => found[k] ?? inner.fillLike(carried[k]!, 0));
  const kept = wanted.flatMap((i, k) => {
    const value = found[states.length + k];
    return value ? [{ i, value }] : [];
  });
  const added = captured.map((_, k) => {
    const value = found[states.length + wanted.length + k];
    return value ? inner.add(sums[k]!, value) : sums[k]!;
  });
  for (const value of [...passed, ...added, ...kept.map(({ value }) => value)]) inner.output(value);

  const starts = statesBefore(context, body.value, count);
  const zeros = (value: Value) => op.cast(op.fillLike(value, 0), tangentType(op, value));
  const results = op.append({
    opType: "Scan",
    domain: "",
    name: inner.prefix,
    inputs: [
      ...states.map((i) => dys[i] ?? zeros(initial[i]!)),
      ...captured.map(zeros),
      ...starts,
      ...sequences,
      ...answered.map(({ dy }) => dy),
    ],
    outputs: [...passed, ...added, ...kept].map(() => op.fresh("Scan")),
    attributes: {
      body: { type: "graph", value: inner.graph },
      num_scan_inputs: { type: "int", value: starts.length + sequences.length + answered.length },
      scan_input_axes: {
        type: "ints",
        value: [
          ...starts.map(() => 0),
          ...sequences.map((_, i) => inputAxes[i] ?? 0),
          ...answered.map(({ at }) => ints("scan_output_axes")?.[at] ?? 0),
        ],
      },
      scan_input_directions: {
        type: "ints",
        value: [
          ...starts.map(() => 1),
          ...sequences.map((_, i) => flipped("scan_input_directions", i)),
          ...answered.map(({ at }) => flipped("scan_output_directions", at)),
        ],
      },
      scan_output_axes: { type: "ints", value: kept.map(({ i }) => inputAxes[i] ?? 0) },
      scan_output_directions: { type: "ints", value: kept.map(({ i }) => flipped("scan_input_directions", i)) },
    },
  });
  for (const [k, value] of captured.entries()) give(value, op.shapedLike(results[states.length + k]!, value));
  const cotangents: (Value | null)[] = node.inputs.map(() => null);
  for (const [k, i] of states.entries()) cotangents[i] = op.shapedLike(results[k]!, initial[i]!);
  for (const [k, { i }] of kept.entries())
    cotangents[count + i] = op.shapedLike(results[states.length + captured.length + k]!, sequences[i]!);
  return cotangents;
}

function tangentType(op: Builder, value: Value): "float32" | "float64" {
  return op.dtype(value) === "float64" ? "float64" : "float32";
}

/** A builder over a copy of the body, whose inputs have the types and shapes of what is fed to them; and their names. */
function bodyOf({ op, node, ints }: VjpContext, body: Graph, states: number): { inner: Builder; names: Value[] } {
  const axes = ints("scan_input_axes") ?? [];
  const inputs = node.inputs.map((value, i) => {
    const dims = op.dims(value);
    const axis = axes[i - states] ?? 0;
    const shape = i < states ? dims : dims?.filter((_, at) => at !== (axis < 0 ? axis + dims.length : axis));
    return { name: body.inputs[i]!.name, dtype: op.dtype(value), shape };
  });
  const types = new Map([...body.types, ...inputs.map((input) => [input.name, input] as const)]);
  return { inner: op.inner("Scan", { ...body, inputs, types }), names: inputs.map(({ name }) => name) };
}

/** The state that each step began with, stacked along axis 0: the loop run once more, which the forward pass kept none of. */
function statesBefore(context: VjpContext, body: Graph, count: number): Value[] {
  if (count === 0) return [];
  const { op, node } = context;
  const { inner, names } = bodyOf(context, body, count);
  for (const name of names.slice(0, count)) inner.output(name);
  const kept = node.outputs.length - count;
  const outputs = [...node.outputs, ...names.slice(0, count)].map(() => op.fresh("Scan"));
  const listed = (name: string) => {
    const attribute = node.attributes[name];
    const values = attribute?.type === "ints" ? attribute.value : Array<number>(kept).fill(0);
    return { type: "ints" as const, value: [...values, ...Array<number>(count).fill(0)] };
  };
  return op
    .append({
      ...node,
      name: inner.prefix,
      outputs,
      attributes: {
        ...node.attributes,
        body: { type: "graph", value: inner.graph },
        scan_output_axes: listed("scan_output_axes"),
        scan_output_directions: listed("scan_output_directions"),
      },
    })
    .slice(node.outputs.length);
}

export const scanOperator = defineRules({
  Scan: {
    kind: "smooth",
    vjp: scannedBack,
    sample: (rng) => [
      sampled(rng, [4, 2, 3], {}),
      sampled(rng, [5, 2, 3], { scan_input_directions: [1], scan_output_directions: [1] }, 1),
      sampled(rng, [2, 3, 4], { scan_input_axes: [2], scan_output_axes: [-2] }, 1),
    ],
  },
});

/** h' = tanh(h + x), y = h' · x + h. */
function sampled(rng: Rng, shape: readonly number[], attributes: Sample["attributes"], output = 0): Sample {
  const node = (opType: string, inputs: string[], outputs: string[]) => ({
    opType,
    domain: "",
    name: outputs[0]!,
    inputs,
    outputs,
    attributes: {},
  });
  const graph: Graph = {
    ...emptyGraph("body", new Map([["", 18]])),
    inputs: ["h", "x"].map((name) => ({ name, dtype: "float32" })),
    outputs: ["next", "y"].map((name) => ({ name, dtype: "float32" })),
    nodes: [
      node("Add", ["h", "x"], ["sum"]),
      node("Tanh", ["sum"], ["next"]),
      node("Mul", ["next", "x"], ["product"]),
      node("Add", ["product", "h"], ["y"]),
    ],
  };
  return {
    inputs: [rng.normal([2, 3]), rng.normal(shape)],
    attributes: { body: { graph }, num_scan_inputs: 1, ...attributes },
    outputs: 2,
    output,
  };
}
