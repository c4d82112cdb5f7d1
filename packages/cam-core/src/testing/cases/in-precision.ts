import {
  type Attribute,
  copyGraph,
  type Graph,
  type Initializer,
  initializerOf,
  type Node,
  type ValueInfo,
} from "../../graph/graph.ts";
import { dtypeToOnnx } from "../../model/dtypes.ts";
import { type DType, numbersIn, type Tensor, viewBytes, zeros } from "../../tensor.ts";
import type { Precision } from "../tolerance.ts";

const real: ReadonlySet<DType> = new Set(["float32", "float64", "float16"]);

/** Attributes that name an element type. */
const typeAttributes = new Set(["to", "dtype", "stash_type", "output_dtype", "softmax_precision"]);

/** A graph with everything that is a real number in one precision: values, constants, casts. */
export function graphIn(precision: Precision, source: Graph): Graph {
  const retyped = <T extends { dtype: DType }>(value: T): T =>
    real.has(value.dtype) ? { ...value, dtype: precision } : value;
  return {
    ...copyGraph(source),
    inputs: source.inputs.map((value): ValueInfo => retyped(value)),
    outputs: source.outputs.map((value): ValueInfo => retyped(value)),
    nodes: source.nodes.map((node) => nodeIn(precision, node)),
    initializers: new Map([...source.initializers].map(([name, tensor]) => [name, constantIn(precision, tensor)])),
    types: new Map([...source.types].map(([name, type]) => [name, retyped(type)])),
  };
}

function nodeIn(precision: Precision, node: Node): Node {
  const attributes = Object.entries(node.attributes).map(([name, attribute]): [string, Attribute] => {
    if (attribute.type === "tensor") return [name, { type: "tensor", value: constantIn(precision, attribute.value) }];
    if (attribute.type === "graph") return [name, { type: "graph", value: graphIn(precision, attribute.value) }];
    const isReal = attribute.type === "int" && [...real].some((dtype) => dtypeToOnnx(dtype) === attribute.value);
    return isReal && typeAttributes.has(name)
      ? [name, { type: "int", value: dtypeToOnnx(precision) }]
      : [name, attribute];
  });
  // Without a value it makes float32 zeros.
  if (node.opType === "ConstantOfShape" && attributes.length === 0)
    attributes.push(["value", { type: "tensor", value: initializerOf(zeros(precision, [1])) }]);
  return { ...node, attributes: Object.fromEntries(attributes) };
}

function constantIn(precision: Precision, tensor: Initializer): Initializer {
  if (!real.has(tensor.dtype)) return tensor;
  const { data } = tensorIn(precision, {
    dtype: tensor.dtype,
    shape: tensor.shape,
    data: viewBytes(tensor.dtype as Exclude<DType, "string">, tensor.bytes),
  });
  const bytes = new Uint8Array((data as Float64Array).buffer);
  return { dtype: precision, shape: tensor.shape, byteLength: bytes.byteLength, bytes };
}

/** A tensor in a precision, where it holds real numbers. */
export function tensorIn(precision: Precision, tensor: Tensor): Tensor {
  if (!real.has(tensor.dtype)) return tensor;
  const data = (precision === "float64" ? Float64Array : Float32Array).from(numbersIn(tensor));
  return { dtype: precision, shape: tensor.shape, data };
}
