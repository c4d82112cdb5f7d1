import {
  float32,
  type Graph,
  initializerOf,
  type Node,
  numberAttribute,
  producersOf,
  usersOf,
  viewBytes,
} from "@camkit/cam-core";

/**
 * Writes batch norms into the convolutions that alone feed them, in float64:
 *
 *   s = scale / √(variance + ε)      weight' = weight · s      bias' = (bias - mean) · s + shift
 *
 * per output channel. Changes the graph's lists. A norm stays where its convolution's output or weights are used elsewhere,
 * too, or where they are computed. Weights keep their names; a convolution without bias takes the norm's.
 */
export function foldBatchNorms(graph: Graph): void {
  const producers = producersOf(graph);
  const users = usersOf(graph);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const alone = (name: string) => users.get(name)?.length === 1 && !outputs.has(name);
  const stored = (name: string | undefined) =>
    name !== undefined && graph.initializers.get(name)?.dtype === "float32" && alone(name);
  const folded = new Map<Node, Node | undefined>();
  for (const norm of graph.nodes) {
    const conv = producers.get(norm.inputs[0] ?? "");
    if (norm.opType !== "BatchNormalization" || conv?.opType !== "Conv" || !alone(norm.inputs[0]!)) continue;
    if (![...norm.inputs.slice(1), ...conv.inputs.slice(1)].every(stored)) continue;
    folded.set(conv, undefined);
    folded.set(norm, fold(graph, conv, norm));
  }
  // The convolution takes the norm's place and its output's name.
  graph.nodes = graph.nodes.flatMap((node) => (folded.has(node) ? (folded.get(node) ?? []) : [node]));
}

function fold(graph: Graph, conv: Node, norm: Node): Node {
  const [x, weightName, biasName] = conv.inputs as [string, string, string?];
  const [, scaleName, shiftName, meanName, varianceName] = norm.inputs as [string, string, string, string, string];
  const values = (name: string) => viewBytes("float32", graph.initializers.get(name)!.bytes) as Float32Array;
  const [scale, shift, mean, variance] = [scaleName, shiftName, meanName, varianceName].map(values);
  const slope = Float64Array.from(
    scale!,
    (s, c) => s / Math.sqrt(variance![c]! + numberAttribute(norm, "epsilon", 1e-5)),
  );
  const weight = values(weightName);
  const each = weight.length / slope.length;
  const bias = biasName ? values(biasName) : undefined;
  const store = (name: string, shape: readonly number[], data: ArrayLike<number>) =>
    graph.initializers.set(name, initializerOf(float32(shape, data)));
  store(
    weightName,
    graph.initializers.get(weightName)!.shape,
    weight.map((w, i) => w * slope[Math.floor(i / each)]!),
  );
  store(
    biasName ?? shiftName,
    [slope.length],
    slope.map((s, c) => ((bias?.[c] ?? 0) - mean![c]!) * s + shift![c]!),
  );
  return { ...conv, inputs: [x, weightName, biasName ?? shiftName], outputs: [norm.outputs[0]!] };
}
