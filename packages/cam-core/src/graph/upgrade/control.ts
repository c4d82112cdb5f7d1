import { UnsupportedModelError } from "../../errors.ts";
import type { Builder, Value } from "../builder.ts";
import { type Attribute, emptyGraph, type Graph, type Node, numberAttribute, numbersAttribute } from "../graph.ts";
import { canonicalOpset, type Upgrades } from "./index.ts";

/** Loops over a sequence. */
export const control: Upgrades = {
  // Opset 9 took the batch away: what was [batch, time, ...] is scanned over the batch first, then over time.
  Scan: [{ until: 9, rewrite: (node, op) => scanned(node, op) }],
};

/**
 * Scan of opset 8: states [B, ...] and sequences [B, T, ...]. The outer Scan takes one sample of all of them at a time; its body
 * is the Scan over time that was meant.
 */
function scanned(node: Node, op: Builder): Value[] {
  const [lengths, ...inputs] = node.inputs;
  if (lengths)
    throw new UnsupportedModelError(`Scan "${node.name}" has sequences of different lengths, in the form of opset 8`, {
      hint: "Export the model with a newer opset.",
    });
  const ofSample = inputs.map((name) => {
    const dtype = op.dtype(name);
    return { name: op.fresh("sample"), dtype, shape: op.dims(name)?.slice(1) };
  });
  const outputs = node.outputs.map((name) => (name === "" ? "" : op.fresh("Scan")));
  const sequences = numberAttribute(node, "num_scan_inputs", 1);
  const directions = numbersAttribute(node, "directions");
  const inner: Node = {
    ...node,
    inputs: ofSample.map(({ name }) => name),
    outputs: node.outputs.map((name) => (name === "" ? "" : op.fresh("of_sample"))),
    attributes: {
      body: node.attributes.body!,
      num_scan_inputs: { type: "int", value: sequences },
      ...(directions && { scan_input_directions: { type: "ints", value: directions } }),
    },
  };
  const body: Graph = {
    ...emptyGraph("samples", new Map([...op.graph.opsets, ["", canonicalOpset]])),
    inputs: ofSample,
    nodes: [inner],
    outputs: inner.outputs.flatMap((name) => (name === "" ? [] : [{ name, dtype: "float32" as const }])),
  };
  const attributes: Record<string, Attribute> = {
    body: { type: "graph", value: body },
    num_scan_inputs: { type: "int", value: inputs.length },
  };
  return op.append({ ...node, inputs, outputs, attributes });
}
