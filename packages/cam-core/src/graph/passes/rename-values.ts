import type { Attribute, Graph, Node } from "../graph.ts";

/** The graph with other names for its values and nodes, sub-graphs and what they take from outside included. */
export function renameValues(graph: Graph, rename: (name: string) => string): Graph {
  const keys = <T>(map: ReadonlyMap<string, T>) => new Map([...map].map(([name, value]) => [rename(name), value]));
  const infos = <T extends { readonly name: string }>(list: readonly T[]) =>
    list.map((info) => ({ ...info, name: rename(info.name) }));
  const inside = (attribute: Attribute): Attribute =>
    attribute.type === "graph" ? { ...attribute, value: renameValues(attribute.value, rename) } : attribute;
  const node = (given: Node): Node => ({
    ...given,
    name: rename(given.name),
    inputs: given.inputs.map(rename),
    outputs: given.outputs.map(rename),
    attributes: Object.fromEntries(Object.entries(given.attributes).map(([key, value]) => [key, inside(value)])),
  });
  return {
    ...graph,
    inputs: infos(graph.inputs),
    outputs: infos(graph.outputs),
    nodes: graph.nodes.map(node),
    initializers: keys(graph.initializers),
    types: keys(graph.types),
  };
}
