import { IllegalGraphError } from "../errors.ts";
import { sizeOf } from "../tensor.ts";
import type { Graph, Initializer, Node } from "./graph.ts";
import { elementsOf } from "./infer.ts";

/** Inputs that stand for one number, by position. */
const scalars: ReadonlyMap<string, readonly number[]> = new Map([
  ["Loop", [0, 1]],
  ["If", [0]],
  ["SequenceAt", [1]],
  ["SequenceInsert", [2]],
  ["SequenceErase", [1]],
  ["Range", [0, 1, 2]],
  ["OneHot", [1]],
  ["TopK", [1]],
  ["CumSum", [1]],
  ["Trilu", [1]],
  ["NonMaxSuppression", [2, 3, 4]],
  ["Dropout", [1, 2]],
]);

type Constants = (name: string) => Initializer | undefined;

/**
 * Whether constants are what ONNX Runtime 1.30 takes for granted: it reads a Loop's trip count or SequenceAt's position unseen,
 * and resizes by any factor. What isn't so ends the process. Throws IllegalGraphError.
 */
export function checkConstants(graph: Graph, around: Constants = () => undefined): void {
  const constant: Constants = (name) => graph.initializers.get(name) ?? around(name);
  for (const node of graph.nodes) {
    const positions = node.domain === "" ? (scalars.get(node.opType) ?? []) : [];
    for (const position of positions) {
      const tensor = constant(node.inputs[position] ?? "");
      if (tensor && sizeOf(tensor.shape) !== 1)
        throw new IllegalGraphError(
          `${node.opType} "${node.name}" takes one number as input ${position} and is given [${tensor.shape.join(", ")}]`,
          { hint: "The file is damaged." },
        );
    }
    if (node.opType === "Resize" && node.domain === "") checkScales(node, constant(node.inputs[2] ?? ""));
    for (const attribute of Object.values(node.attributes))
      if (attribute.type === "graph") checkConstants(attribute.value, constant);
  }
}

function checkScales(node: Node, scales: Initializer | undefined): void {
  const values = scales ? [...(elementsOf(scales) ?? [])] : [];
  if (values.some((scale) => !(scale > 0 && scale < Number.POSITIVE_INFINITY)))
    throw new IllegalGraphError(`Resize "${node.name}" scales by ${values.join(", ")}; positive numbers are expected`, {
      hint: "The file is damaged.",
    });
}
