import { Builder, emptyGraph, gradient, openSession, type Tensor, type Value } from "@camkit/cam-core";

/** For tests: a scalar of some inputs, and its gradients in those of them that are asked for. */
export async function lossAt(
  loss: (op: Builder) => Value,
  inputs: Readonly<Record<string, Tensor>>,
  wrt: readonly string[],
): Promise<{ value: number; gradients: Record<string, Tensor> }> {
  const graph = emptyGraph("loss", new Map([["", 18]]));
  for (const [name, { dtype, shape }] of Object.entries(inputs)) graph.inputs.push({ name, dtype, shape });
  const op = new Builder(graph);
  const scalar = loss(op);
  if (op.rank(scalar) !== 0) throw new Error(`a loss is a scalar, found rank ${op.rank(scalar)}`);
  const slopes = gradient(op, new Map([[scalar, op.scalar(1, "float32")]]), wrt);
  graph.outputs = [...new Set([scalar, ...slopes])].map((name) => ({ name, dtype: "float32" }));
  const session = await openSession(graph, { threads: 1 });
  try {
    const results = await session.run(inputs);
    const gradients = Object.fromEntries(wrt.map((name, i) => [name, results[slopes[i]!]!]));
    return { value: (results[scalar]!.data as Float32Array)[0]!, gradients };
  } finally {
    await session.close();
  }
}
