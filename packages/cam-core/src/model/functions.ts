import { NotOnnxError, UnsupportedModelError } from "../errors.ts";
import { type AttributeProto, attributeTypes, type FunctionProto, type GraphProto, type NodeProto } from "./proto.ts";

/** More nodes than any network has: functions that call each other twice at each of thirty levels would be a billion. */
const mostNodes = 100_000;

/** Functions by the name that calls have them by. */
export type Functions = ReadonlyMap<string, FunctionProto>;

export function functionKey(node: { domain: string; overload: string }, name: string): string {
  return [node.domain === "ai.onnx" ? "" : node.domain, name, node.overload].join(":");
}

/**
 * A graph with each call of a model-local function replaced by the function's nodes, sub-graphs included. Values inside are
 * named after the call: `call/value`. Throws NotOnnxError for a function that calls itself, UnsupportedModelError for a graph
 * that would have more than a hundred thousand nodes.
 */
export function inlineFunctions(graph: GraphProto, functions: Functions, model: string): GraphProto {
  if (functions.size === 0) return graph;
  return new Inliner(functions, model).graph(graph);
}

class Inliner {
  readonly #functions: Functions;
  readonly #model: string;
  readonly #prefixes = new Set<string>();
  #count = 0;

  constructor(functions: Functions, model: string) {
    this.#functions = functions;
    this.#model = model;
  }

  graph(graph: GraphProto): GraphProto {
    return changed(graph, { node: this.#nodes(graph.node, []) });
  }

  /** `calling`: the functions that are being replaced, outermost first. */
  #nodes(nodes: readonly NodeProto[], calling: readonly FunctionProto[]): NodeProto[] {
    return nodes.flatMap((node) => {
      if (++this.#count > mostNodes)
        throw new UnsupportedModelError(`${this.#model}: its functions make more than ${mostNodes} nodes`);
      const called = this.#functions.get(functionKey(node, node.opType));
      if (called) return this.#call(node, called, calling);
      const attribute = node.attribute.map((each) =>
        each.g ? changed(each, { g: changed(each.g, { node: this.#nodes(each.g.node, calling) }) }) : each,
      );
      return [changed(node, { attribute })];
    });
  }

  #call(call: NodeProto, fn: FunctionProto, calling: readonly FunctionProto[]): NodeProto[] {
    if (calling.includes(fn)) throw new NotOnnxError(this.#model, `the function "${fn.name}" calls itself`);
    const prefix = this.#prefixOf(call);
    const names = new Map<string, string>([["", ""]]);
    fn.output.forEach((name, i) => {
      if (call.output[i]) names.set(name, call.output[i]);
    });
    // A result that is an argument as it came gets a node of its own.
    const passed = fn.output.flatMap((name, i) => (fn.input.includes(name) && call.output[i] ? [i] : []));
    fn.input.forEach((name, i) => {
      names.set(name, call.input[i] ?? "");
    });
    const name = (inner: string) => names.get(inner) ?? `${prefix}/${inner}`;
    const given = new Map([...fn.attributeProto, ...call.attribute].map((attribute) => [attribute.name, attribute]));
    const body = fn.node.map((node, i) =>
      renamed(node, name, given, `${prefix}/${node.name || `${node.opType}_${i}`}`),
    );
    const identities = passed.map(
      (i): NodeProto =>
        changed(call, {
          opType: "Identity",
          domain: "",
          overload: "",
          name: `${prefix}/result_${i}`,
          input: [names.get(fn.output[i]!)!],
          output: [call.output[i]!],
          attribute: [],
        }),
    );
    return [...this.#nodes(body, [...calling, fn]), ...identities];
  }

  /** The call's own name, made different from those of other calls. */
  #prefixOf(call: NodeProto): string {
    const name = call.name || call.opType;
    let prefix = name;
    for (let i = 2; this.#prefixes.has(prefix); i++) prefix = `${name}.${i}`;
    this.#prefixes.add(prefix);
    return prefix;
  }
}

type Rename = (inner: string) => string;

function renamed(
  node: NodeProto,
  name: Rename,
  given: ReadonlyMap<string, AttributeProto>,
  ownName: string,
): NodeProto {
  return changed(node, {
    name: ownName,
    input: node.input.map(name),
    output: node.output.map(name),
    attribute: node.attribute.flatMap((attribute) => settled(attribute, name, given)),
  });
}

/** An attribute that refers to one of the function's takes that one's value, or is left out where the call has none. */
function settled(
  attribute: AttributeProto,
  name: Rename,
  given: ReadonlyMap<string, AttributeProto>,
): AttributeProto[] {
  if (attribute.refAttrName !== "") {
    const value = given.get(attribute.refAttrName);
    return value ? [changed(value, { name: attribute.name })] : [];
  }
  if (attribute.type !== attributeTypes.graph || !attribute.g) return [attribute];
  const { g } = attribute;
  const infos = (list: GraphProto["input"]) => list.map((info) => changed(info, { name: name(info.name) }));
  return [
    changed(attribute, {
      g: changed(g, {
        input: infos(g.input),
        output: infos(g.output),
        valueInfo: infos(g.valueInfo),
        initializer: g.initializer.map((tensor) => changed(tensor, { name: name(tensor.name) })),
        node: g.node.map((node) => renamed(node, name, given, name(node.name))),
      }),
    }),
  ];
}

/** A copy with other fields. What a file leaves out is read from the message's prototype, which a spread would lose. */
function changed<T extends object>(message: T, fields: Partial<T>): T {
  return Object.assign(Object.create(Object.getPrototypeOf(message)), message, fields);
}
