import { UnsupportedModelError } from "../../errors.ts";
import { naming } from "../../naming.ts";
import { Builder, type Value } from "../builder.ts";
import { type Attribute, copyGraph, type Graph, type Node, opsetOf, topological } from "../graph.ts";
import { type Facts, factsAtStart, inferNode, unforeseen } from "../infer.ts";
import { liftConstants } from "../passes/lift-constants.ts";
import { renameOutputs } from "../rename.ts";
import { attributesToInputs } from "./attributes-to-inputs.ts";
import { control } from "./control.ts";
import { flattenedSoftmax } from "./flattened-softmax.ts";
import { oddities } from "./oddities.ts";
import { resampling } from "./resampling.ts";
import { training } from "./training.ts";

/** Oldest opset that can be read, and the one whose forms the rest of the engine knows. */
export const oldestReadable = 7;
export const canonicalOpset = 18;

/**
 * Rewrites one node from before `until` to the form that opset 18 has. It emits with `op` and returns the outputs' new
 * values in order, or undefined to leave the node as it is.
 */
export type Upgrade = {
  readonly until: number;
  readonly rewrite: (node: Node, op: Builder) => readonly Value[] | undefined;
};

export type Upgrades = Readonly<Record<string, readonly Upgrade[]>>;

/** By operator: what changed on the way to opset 18, and what is put right in any. */
const upgrades: Upgrades = merge(attributesToInputs, flattenedSoftmax, resampling, training, control, oddities);

/** Operators that ONNX has dropped, and what a file with one is read as. */
export const replacedOperators: Readonly<Record<string, string>> = { Upsample: "Resize", Scatter: "ScatterElements" };

/**
 * Brings a graph to opset 18 or later: constants become initializers, and operators whose form changed take the new one.
 * Names of values stay, so a layer keeps the name it has in the file. Throws UnsupportedModelError before opset 7.
 */
export function upgradeGraph(graph: Graph): void {
  const opset = opsetOf(graph);
  if (opset < oldestReadable)
    throw new UnsupportedModelError(`the model uses opset ${opset}; the oldest that can be read is ${oldestReadable}`, {
      hint: "Convert it with onnx.version_converter, or export it again.",
    });
  liftConstants(graph);
  if (opset < canonicalOpset || graph.nodes.some((node) => isConcerned(node, opset)))
    upgradeNodes(graph, opset, "camkit/upgrade");
}

/** What is to be done with a node, in the order of the tables. */
function upgradesOf(node: Node, opset: number): readonly Upgrade[] {
  return node.domain === "" ? (upgrades[node.opType] ?? []).filter(({ until }) => opset < until) : [];
}

/** Whether something is to be done with a node, or inside it. */
function isConcerned(node: Node, opset: number): boolean {
  const inside = Object.values(node.attributes).flatMap((attribute) =>
    attribute.type === "graph" ? attribute.value.nodes : [],
  );
  return upgradesOf(node, opset).length > 0 || inside.some((each) => isConcerned(each, opset));
}

function upgradeNodes(graph: Graph, opset: number, prefix: string, around?: Facts): void {
  const old = topological(graph);
  graph.nodes = [];
  const op = new Builder(graph, { facts: factsAtStart(graph, around), prefix });
  for (const given of old) {
    const node = upgradeBranches(given, opset, op);
    const outputs = upgradesOf(node, opset).reduce<readonly Value[] | undefined>(
      (done, { rewrite }) =>
        done ??
        naming(
          () => rewrite(node, op),
          (cause) => unforeseen("upgrade", node, cause),
        ),
      undefined,
    );
    if (outputs) renameOutputs(graph, op, outputs, node.outputs);
    else {
      inferNode(node, op.facts, graph.types);
      graph.nodes.push(node);
    }
  }
  graph.opsets = new Map([...graph.opsets, ["", Math.max(opset, canonicalOpset)]]);
}

/** The node with its sub-graphs upgraded; what is added there has names that no graph around it uses. */
function upgradeBranches(node: Node, opset: number, op: Builder): Node {
  const upgraded = Object.entries(node.attributes).flatMap(([name, attribute]): [string, Attribute][] => {
    if (attribute.type !== "graph") return [];
    const value = copyGraph(attribute.value);
    upgradeNodes(value, opset, `${op.prefix}/${node.name}`, op.facts);
    return [[name, { type: "graph", value }]];
  });
  return upgraded.length === 0
    ? node
    : { ...node, attributes: { ...node.attributes, ...Object.fromEntries(upgraded) } };
}

function merge(...tables: readonly Upgrades[]): Upgrades {
  const merged: Record<string, Upgrade[]> = {};
  for (const table of tables)
    for (const [opType, entries] of Object.entries(table)) merged[opType] = [...(merged[opType] ?? []), ...entries];
  return merged;
}
