import { IllegalGraphError } from "../errors.ts";
import { type Graph, readsOf, topological } from "./graph.ts";

/** What is made around a sub-graph, from the inside out. */
type Scope = { readonly made: ReadonlyMap<string, string>; readonly around: Scope | undefined };

/**
 * Whether a graph is one: every value made exactly once, every value that is read made, no cycle, every output made; the same
 * of its sub-graphs, which see what is made around them. Run after each transformation. Throws IllegalGraphError that names the
 * value and the node.
 */
export function checkGraph(graph: Graph): void {
  checkScope(graph, undefined);
}

function checkScope(graph: Graph, around: Scope | undefined): void {
  const made = new Map<string, string>();
  const make = (name: string, by: string) => {
    // What is fed and computed goes by name in plain objects, and JavaScript's objects know some words of their own.
    if (name in Object.prototype)
      throw new IllegalGraphError(`a value is called "${name}", which is JavaScript's word`, {
        hint: "Give the value another name: export the model again, or rename it with the onnx package.",
      });
    const earlier = made.get(name);
    if (earlier !== undefined) throw new IllegalGraphError(`"${name}" is made twice: by ${earlier} and by ${by}`);
    made.set(name, by);
  };
  for (const input of graph.inputs) make(input.name, "an input");
  for (const name of graph.initializers.keys()) make(name, "an initializer");
  for (const node of graph.nodes)
    for (const name of node.outputs) if (name !== "") make(name, `${node.opType} "${node.name}"`);
  const scope: Scope = { made, around };
  for (const node of graph.nodes) {
    for (const name of node.inputs)
      if (name !== "" && !isMade(name, scope))
        throw new IllegalGraphError(`${node.opType} "${node.name}" reads "${name}", which nothing makes`);
    for (const attribute of Object.values(node.attributes))
      if (attribute.type === "graph") checkScope(attribute.value, scope);
  }
  for (const output of graph.outputs)
    if (!isMade(output.name, scope)) throw new IllegalGraphError(`output "${output.name}" is made by nothing`);
  if (!inOrder(graph, made)) throw new IllegalGraphError(`the nodes of "${graph.name}" form a cycle`);
}

function isMade(name: string, scope: Scope | undefined): boolean {
  return scope !== undefined && (scope.made.has(name) || isMade(name, scope.around));
}

/** Whether an order exists in which each node finds what it reads of this graph. */
function inOrder(graph: Graph, made: ReadonlyMap<string, string>): boolean {
  const known = new Set([...graph.inputs.map((input) => input.name), ...graph.initializers.keys()]);
  for (const node of topological(graph)) {
    if (readsOf(node).some((name) => made.has(name) && !known.has(name))) return false;
    for (const name of node.outputs) known.add(name);
  }
  return true;
}
