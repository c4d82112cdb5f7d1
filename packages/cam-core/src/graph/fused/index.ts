import { UnsupportedModelError } from "../../errors.ts";
import { naming } from "../../naming.ts";
import { Builder, type Value } from "../builder.ts";
import { copyGraph, type Expanded, type Graph, type Node, readsOf, topological } from "../graph.ts";
import { inferGraph, inferNode, unforeseen } from "../infer.ts";
import { renameOutputs } from "../rename.ts";
import { activations } from "./activations.ts";
import { attentions } from "./attention.ts";
import { type Expand, type Expansions, fusedNode } from "./fused.ts";
import { norms, simplified } from "./norms.ts";
import { products } from "./products.ts";
import { quantisedOperators, standardQuantised } from "./quantised.ts";

/**
 * Fused and quantised operators that have no gradient rule of their own, spelled out in ONNX's. By the name that rules have
 * them by.
 */
export const expansions: Expansions = {
  ...standardQuantised,
  ...simplified,
  ...Object.fromEntries(
    Object.entries({ ...activations, ...products, ...norms, ...attentions, ...quantisedOperators }).map(
      ([name, expand]) => [`com.microsoft:${name}`, expand],
    ),
  ),
};

function expansionOf(node: Node): Expand | undefined {
  return expansions[node.domain === "" ? node.opType : `${node.domain}:${node.opType}`];
}

/**
 * Replaces fused operators by what they stand for, so that gradients, axes and shapes can be followed through them. What
 * nothing reads from within is put back by `restoreFused` when the graph is finished: the forward pass keeps its fast kernels.
 */
export function expandFused(graph: Graph): void {
  if (!graph.nodes.some(expansionOf)) return;
  const old = topological(graph);
  graph.nodes = [];
  const op = new Builder(graph, { facts: inferGraph(graph), prefix: "camkit/fused" });
  const expanded: Expanded[] = [];
  for (const node of old) {
    const from = graph.nodes.length;
    const outputs = naming(
      () => expansionOf(node)?.(fusedNode(op, node)),
      (cause) => unforeseen("expansion", node, cause),
    );
    if (outputs && !("refused" in outputs)) {
      renameOutputs(graph, op, outputs, node.outputs);
      expanded.push({ node, parts: graph.nodes.slice(from) });
      continue;
    }
    graph.nodes.length = from;
    inferNode(node, op.facts, graph.types);
    graph.nodes.push(node);
  }
  graph.expanded = expanded;
}

/** Why a node's gradient can't be had though its operator is known; undefined where that isn't so. */
export function whyNotExpanded(graph: Graph, node: Node): string | undefined {
  const copy = copyGraph(graph);
  const outcome = expansionOf(node)?.(fusedNode(new Builder(copy), node));
  return outcome && "refused" in outcome ? outcome.refused : undefined;
}

/** Operators that take long enough for two of a kind to be worth avoiding. */
const heavy: ReadonlySet<string> = new Set("MatMul Gemm Conv ConvTranspose Einsum Softmax".split(" "));

/**
 * Puts fused nodes back, where what is read from within an expansion costs little beside it. Quantised nodes always come
 * back: their arithmetic is on whole numbers, and the outputs stay what they were to the bit.
 */
export function restoreFused({ graph, facts }: Builder): void {
  for (const { node, parts } of graph.expanded ?? [])
    if (restore(graph, node, new Set(parts)))
      // No shape rule knows these operators; what their expansion showed is declared.
      for (const name of node.outputs) {
        const type = facts.types.get(name);
        if (type) graph.types.set(name, type);
      }
}

function isQuantised({ opType }: Node): boolean {
  return opType in quantisedOperators || opType in standardQuantised || opType === "QAttention";
}

/** Whether the node is back. */
function restore(graph: Graph, fused: Node, parts: ReadonlySet<Node>): boolean {
  const present = graph.nodes.filter((node) => parts.has(node));
  const outputs = new Set(fused.outputs.filter((name) => name !== ""));
  const made = new Set(present.flatMap((node) => node.outputs));
  // A pass that rewrote the expansion's end has made something else of it.
  if (present.length === 0 || ![...outputs].some((name) => made.has(name))) return false;
  const readOutside = new Set<Value>(graph.outputs.map((output) => output.name));
  for (const node of graph.nodes) if (!parts.has(node)) for (const name of readsOf(node)) readOutside.add(name);
  const needed = new Set<Node>();
  const need = (name: Value) => {
    if (outputs.has(name)) return;
    const node = present.find((part) => part.outputs.includes(name));
    if (!node || needed.has(node)) return;
    needed.add(node);
    node.inputs.forEach(need);
  };
  for (const name of made) if (readOutside.has(name)) need(name);
  if (!isQuantised(fused) && [...needed].some((node) => heavy.has(node.opType))) return false;
  // What the fused node makes, it makes alone.
  const beside = [...needed].filter((node) => !node.outputs.some((name) => outputs.has(name)));
  if (beside.length < needed.size) return false;
  const at = graph.nodes.indexOf(present[0]!);
  graph.nodes = graph.nodes.filter((node) => !parts.has(node) || needed.has(node));
  graph.nodes.splice(Math.min(at, graph.nodes.length), 0, fused);
  return true;
}

/** Refuses graphs that ONNX Runtime has laid out for one machine. Throws UnsupportedModelError. */
export function refuseLaidOut(graph: Graph): void {
  const node = graph.nodes.find(({ domain }) => domain === "com.microsoft.nchwc" || domain === "com.ms.internal.nhwc");
  if (node)
    throw new UnsupportedModelError(
      `node "${node.name}" (${node.domain}:${node.opType}) is laid out for one machine: the file was saved by ONNX Runtime after its last optimisations`,
      {
        hint: 'Use the file it was made from, or save it again with the optimisation level "extended" (ORT_ENABLE_EXTENDED).',
      },
    );
}
