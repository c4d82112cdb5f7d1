import {
  Builder,
  checkGraph,
  copyGraph,
  float32,
  type Graph,
  initializerOf,
  numberAttribute,
  producersOf,
  viewBytes,
} from "@camkit/cam-core";

/**
 * A network with one logit z, positive for the second class, as one with a logit for each of the two:
 *
 *   [-z/2, z/2]        whose softmax is [1 - σ(z), σ(z)]
 *
 * Deployed so, either verdict can be explained: with one output there is only what speaks for the second class. Halving is
 * exact, so no answer changes. A dense layer takes it into its weights and keeps their names; else it is a product behind.
 */
export function withTwoOutputs(graph: Graph): Graph {
  const copy = copyGraph(graph);
  const { name } = copy.outputs[0]!;
  const node = producersOf(copy).get(name);
  const [, weight = "", bias = ""] = node?.inputs ?? [];
  const isDense = node?.opType === "Gemm" && numberAttribute(node, "transB", 0) === 1;
  if (isDense && [weight, bias].every((input) => copy.initializers.has(input)))
    for (const input of [weight, bias]) {
      const { shape, bytes } = copy.initializers.get(input)!;
      const half = Array.from(viewBytes("float32", bytes) as Float32Array, (value) => value / 2);
      const rows = [...half.map((value) => -value), ...half];
      copy.initializers.set(input, initializerOf(float32([2, ...shape.slice(1)], rows)));
    }
  else {
    const op = new Builder(copy, { prefix: "deploy" });
    copy.outputs = [{ name: op.mul(name, op.constant(float32([1, 2], [-0.5, 0.5]))), dtype: "float32" }];
  }
  copy.types.delete(name);
  copy.outputs = copy.outputs.map((output) => ({ ...output, shape: [graph.outputs[0]!.shape?.[0] ?? "n", 2] }));
  checkGraph(copy);
  return copy;
}
