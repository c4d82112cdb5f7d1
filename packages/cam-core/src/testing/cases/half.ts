import type { Graph } from "../../graph/graph.ts";
import { withSession } from "../../runtime/session.ts";
import type { Tensor } from "../../tensor.ts";
import { differentiate } from "./differentiate.ts";

/** What a gradient in a file's own half precision may be off by, relative to its largest entry: a few of its 2⁻¹¹. */
export const halfTolerance = 5e-3;

/**
 * How far the gradient of a float16 graph as it is lies from the exact one, `exact` by the inputs' places. Undefined where no
 * input is in half precision.
 */
export async function halfDifference(
  graph: Graph,
  output: string,
  feeds: Readonly<Record<string, Tensor>>,
  cotangent: Tensor,
  exact: Readonly<Record<string, Tensor>>,
  inputs: readonly string[],
): Promise<number | undefined> {
  const isHalf = (name: string) => feeds[name]?.dtype === "float16";
  if (!inputs.some(isHalf)) return undefined;
  const { backward } = differentiate(graph, output, inputs, "float32");
  if (!backward) return undefined;
  const dy = { ...cotangent, dtype: "float32" as const, data: Float32Array.from(cotangent.data as Float64Array) };
  const given = Object.fromEntries(backward.inputs.map(({ name }) => [name, name === "cotangent" ? dy : feeds[name]!]));
  const found = await withSession(backward, { device: "cpu", optimize: "disabled", threads: 1 }, (run) =>
    run.run(given),
  );
  let worst = 0;
  for (const [name, { data }] of Object.entries(found)) {
    const want = exact[name]!.data as Float64Array;
    const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const [i, value] of (data as Float32Array).entries())
      worst = Math.max(worst, Math.abs(value - want[i]!) / Math.max(scale, 1e-6));
  }
  return worst;
}
