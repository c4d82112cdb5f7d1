import type { Builder, Value } from "../graph/builder.ts";
import { type Dim, type Node, numberAttribute, producersOf } from "../graph/graph.ts";

/** A detector's class scores: of every anchor, before the sigmoid or softmax, and before the best were picked. */
export type AnchorScores = {
  /** [N, classes, anchors] or [N, anchors, classes] */
  readonly value: Value;
  readonly squashedBy: string;
};

const squashing: ReadonlySet<string> = new Set(["Softmax", "Sigmoid"]);

/** Operators that pick, move or cast scores: what they give is among what they were given first. */
const picking: ReadonlySet<string> = new Set(
  (
    "Identity Reshape Flatten Squeeze Unsqueeze Transpose Cast Slice Split Gather GatherElements GatherND TopK Expand Compress " +
    "ReduceMax Pad Sqrt"
  ).split(" "),
);

/** Operators that put scores beside something else, or leave some of them out: which inputs may hold them. */
const mixing: Readonly<Record<string, (node: Node) => readonly string[]>> = {
  Concat: (node) => node.inputs,
  Where: (node) => node.inputs.slice(1),
  ScatterND: (node) => [node.inputs[0]!, node.inputs[2]!],
  ScatterElements: (node) => [node.inputs[0]!, node.inputs[2]!],
  // What was left is an index; what it was chosen by is the score.
  NonMaxSuppression: (node) => node.inputs.slice(1, 2),
};

/**
 * The class scores behind the output of a detector, where that is one: a list of boxes beside probabilities (YOLO), or what
 * non-maximum suppression or a TopK left of them. Undefined for any other output.
 *
 * Probabilities are followed back through what picks and arranges them. A product of several (class and objectness) counts as
 * the one with the most classes. Scores whose list was cut into pyramid levels are taken from before the cut.
 */
export function anchorScores(op: Builder, output: Value, batch: Dim | undefined): AnchorScores | undefined {
  const producers = producersOf(op.graph);
  const squashed = squashedBehind(producers, output);
  const lists = squashed.map((node) => ({ value: wholeList(op, producers, node.inputs[0]!), squashedBy: node.opType }));
  const fitting = lists.filter(({ value }) => {
    const dims = op.dims(value);
    return dims?.length === 3 && (dims[0] === batch || dims[0] === 1);
  });
  const classes = ({ value }: AnchorScores) => op.dims(value)!.slice(1).reduce(smallest, null);
  return fitting.reduce<AnchorScores | undefined>(
    (best, list) => (best && Number(classes(best)) >= Number(classes(list)) ? best : list),
    undefined,
  );
}

/** The squashing nodes whose probabilities reach a value, in the order of the inputs. */
function squashedBehind(producers: ReadonlyMap<Value, Node>, output: Value): Node[] {
  const found = new Set<Node>();
  const seen = new Map<Value, boolean>();
  const reaches = (value: Value): boolean => {
    const known = seen.get(value);
    if (known !== undefined) return known;
    seen.set(value, false);
    const node = producers.get(value);
    const result = node !== undefined && node.domain === "" && through(node);
    seen.set(value, result);
    return result;
  };
  const through = (node: Node): boolean => {
    if (squashing.has(node.opType)) {
      found.add(node);
      return true;
    }
    // Every factor is a probability: a box times its stride isn't.
    if (node.opType === "Mul") return node.inputs.map(reaches).every(Boolean);
    if (picking.has(node.opType)) return reaches(node.inputs[0] ?? "");
    return (mixing[node.opType]?.(node) ?? []).map(reaches).some(Boolean);
  };
  reaches(output);
  return [...found];
}

/** The list that a part was cut out of: one level of a pyramid, one picture of a batch. */
function wholeList(op: Builder, producers: ReadonlyMap<Value, Node>, value: Value): Value {
  let whole = value;
  for (let at: Value = value; ; ) {
    const node = producers.get(at);
    if (!node || !["Split", "Slice", "Gather", "Squeeze", "Identity"].includes(node.opType)) return whole;
    if (node.opType === "Gather" && (numberAttribute(node, "axis", 0) !== 0 || op.rank(node.inputs[1]!) > 0))
      return whole;
    at = node.inputs[0]!;
    if (op.dims(at)?.length === 3) whole = at;
  }
}

function smallest(a: Dim, b: Dim): Dim {
  if (typeof a !== "number") return b;
  return typeof b === "number" ? Math.min(a, b) : a;
}
