import type { Sample } from "../autodiff/rule.ts";
import type { Builder, Value } from "../graph/builder.ts";
import {
  type Attribute,
  emptyGraph,
  type Graph,
  initializerOf,
  type ValueInfo,
  type ValueType,
} from "../graph/graph.ts";

/** The oldest opset whose form the builder emits. */
export const oldestOpset = 18;

/**
 * A graph of one node whose inputs are graph inputs `x0`, `x1`… Integer and bool inputs become constants, as they are in
 * real files: shapes, axes, indices. Outputs are `y0`, `y1`…
 */
export function oneNode(opType: string, sample: Sample): Graph {
  const [domain, type] = opType.includes(":") ? (opType.split(":") as [string, string]) : ["", opType];
  const graph = emptyGraph(
    opType,
    new Map([["", sample.opset ?? oldestOpset], ...(domain ? [[domain, 1] as const] : [])]),
  );
  const inputs = sample.inputs.map((tensor, i) => {
    if (!tensor) return "";
    const name = `x${i}`;
    const fed = /float/.test(tensor.dtype) && !sample.constants?.includes(i);
    if (fed) graph.inputs.push({ name, dtype: tensor.dtype, shape: tensor.shape } as ValueInfo);
    else graph.initializers.set(name, initializerOf(tensor));
    return name;
  });
  const outputs = Array.from({ length: sample.outputs ?? 1 }, (_, i) => `y${i}`);
  graph.nodes.push({ opType: type, domain, name: `the_${type}`, inputs, outputs, attributes: attributesOf(sample) });
  return graph;
}

function attributesOf(sample: Sample): Record<string, Attribute> {
  return Object.fromEntries(
    Object.entries(sample.attributes ?? {}).map(([name, value]): [string, Attribute] => {
      if (typeof value === "string") return [name, { type: "string", value }];
      if (typeof value === "number") return [name, { type: "int", value }];
      if ("float" in value) return [name, { type: "float", value: value.float }];
      if ("floats" in value) return [name, { type: "floats", value: value.floats }];
      if ("strings" in value) return [name, { type: "strings", value: value.strings }];
      if ("graph" in value) return [name, { type: "graph", value: value.graph }];
      return [name, { type: "ints", value: value as readonly number[] }];
    }),
  );
}

/** Adds an input to a graph that is being built. */
export function feed(op: Builder, name: Value, type: ValueType): Value {
  op.graph.inputs.push({ name, ...type });
  op.facts.types.set(name, type);
  return name;
}
