import { type Graph, type Node, producersOf, stringAttribute } from "../graph/graph.ts";

/** A rewrite that ONNX Runtime's optimiser makes on the way, and that changes what the graph computes. */
type OptimiserFault = {
  /** Its name there, to leave it out by. */
  readonly rule: string;
  readonly meets: (graph: Graph) => boolean;
};

/**
 * Seen in onnxruntime-node 1.30.0, gone in Python's 1.32.0: padding with zeros before a MaxPool (as Keras writes a ResNet's first
 * pooling) becomes the pooling's own padding, which is −∞. Where all of a border's values are negative, that is another maximum.
 */
const faults: readonly OptimiserFault[] = [
  {
    rule: "Pad_Fusion",
    meets: (graph) => {
      const producers = producersOf(graph);
      return graph.nodes.some((node) => node.opType === "MaxPool" && padsWithNumbers(producers.get(node.inputs[0]!)));
    },
  },
];

/** Settings of a session, under `optimization`, that keep the optimiser from what it gets wrong in this graph. */
export function withoutOptimiserFaults(graph: Graph): { optimization?: Record<string, string> } {
  const rules = faults.filter(({ meets }) => meets(graph)).map(({ rule }) => rule);
  return rules.length === 0 ? {} : { optimization: { disable_specified_optimizers: rules.join(";") } };
}

function padsWithNumbers(node: Node | undefined): boolean {
  return node?.opType === "Pad" && stringAttribute(node, "mode", "constant") === "constant";
}
