import { IllegalGraphError } from "../errors.ts";
import { type Attribute, type Graph, type Node, numberAttribute, numbersAttribute, opsetOf } from "./graph.ts";
import { type Count, type Signature, signatureOf } from "./signatures/index.ts";

/**
 * Whether each node has the form that its operator's schema asks for, sub-graphs included: inputs and outputs in number,
 * attributes in type and range. Rules take that for granted. Operators without a schema pass, and so do attributes that a
 * schema doesn't name. Throws IllegalGraphError that names node, part, what was found and what was expected.
 */
export function checkNodes(graph: Graph): void {
  for (const node of graph.nodes) {
    // Tables of rules are looked up by this name, and JavaScript's objects know some words of their own.
    if (node.opType in Object.prototype) throw illegal(node, "has no operator's name", "an operator of ONNX");
    const signature = signatureOf(node.domain, node.opType, graph.opsets.get(node.domain) ?? 1);
    if (signature) checkNode(node, signature);
    for (const [name, attribute] of Object.entries(node.attributes)) {
      checkRange(node, name, attribute);
      if (attribute.type === "graph") checkNodes(attribute.value);
    }
    bodyChecks[node.opType]?.(node, opsetOf(graph));
  }
}

function checkNode(node: Node, { inputs, outputs, attributes }: Signature): void {
  const given = node.inputs.findLastIndex((name) => name !== "") + 1;
  if (given > inputs.most) throw illegal(node, `has ${given} inputs`, `${range(inputs)} are expected`);
  for (let i = 0; i < Math.max(inputs.least, node.inputs.length); i++)
    if ((i < inputs.least || i >= inputs.allFrom) && (node.inputs[i] ?? "") === "")
      throw illegal(node, `lacks input ${i}`, `${range(inputs)} are expected`);
  if (node.outputs.length < outputs.least || node.outputs.length > outputs.most)
    throw illegal(node, `has ${node.outputs.length} outputs`, `${range(outputs)} are expected`);
  for (const { name, type, required } of attributes) {
    const attribute = node.attributes[name];
    if (attribute === undefined && required) throw illegal(node, `lacks the attribute "${name}"`, `a ${type}`);
    if (attribute && !stands(attribute, type))
      throw illegal(node, `has the attribute "${name}" as ${attribute.type}`, `${type} is expected`);
  }
}

/** Whether an attribute is of a type. Exporters that write 1 where 1.0 is meant, or 1.0 for 1, are understood. */
function stands(attribute: Attribute, type: Attribute["type"]): boolean {
  if (attribute.type === type) return true;
  if (attribute.type === "int") return type === "float";
  if (attribute.type === "ints") return type === "floats";
  if (attribute.type === "float") return type === "int" && Number.isInteger(attribute.value);
  return attribute.type === "floats" && type === "ints" && attribute.value.every(Number.isInteger);
}

/** Attributes that count something, whatever the operator: 0 of it, or less, is nothing to compute with. */
const counts: ReadonlySet<string> = new Set(
  (
    "strides dilations kernel_shape group blocksize num_outputs num_groups hidden_size q_num_heads kv_num_heads num_heads " +
    "output_height output_width size"
  ).split(" "),
);

function checkRange(node: Node, name: string, attribute: Attribute): void {
  if (attribute.type !== "int" && attribute.type !== "ints") return;
  const values = typeof attribute.value === "number" ? [attribute.value] : attribute.value;
  if (counts.has(name) && values.some((value) => value < 1))
    throw illegal(node, `has ${name} = ${values.join(", ")}`, "at least 1 is expected");
  if (name === "batch_dims" && values.some((value) => value < 0))
    throw illegal(node, `has ${name} = ${values.join(", ")}`, "at least 0 is expected");
  if (name === "perm" && ![...values].sort((a, b) => a - b).every((axis, i) => axis === i))
    throw illegal(node, `has perm = ${values.slice(0, 16).join(", ")}`, "each axis once is expected");
}

/** What a sub-graph takes and gives fits the node that runs it. */
const bodyChecks: Readonly<Record<string, ((node: Node, opset: number) => void) | undefined>> = Object.assign(
  Object.create(null),
  {
    If: (node: Node) => {
      for (const name of ["then_branch", "else_branch"]) checkBody(node, name, undefined, node.outputs.length);
    },
    // The body's first inputs are the iteration's number and the condition, its first output the next condition.
    Loop: (node: Node) => checkBody(node, "body", Math.max(2, node.inputs.length), node.outputs.length + 1),
    // In opset 8 the sequences' lengths come first, which the body doesn't see.
    Scan: (node: Node, opset: number) => {
      const before = opset < 9 ? 1 : 0;
      checkBody(node, "body", node.inputs.length - before, node.outputs.length);
      checkSequences(node, node.inputs.length - before);
    },
    Split: (node: Node) => {
      const parts = numberAttribute(node, "num_outputs", node.outputs.length);
      if (parts !== node.outputs.length)
        throw illegal(node, `has ${node.outputs.length} outputs`, `num_outputs = ${parts} are expected`);
    },
  },
);

/** A Scan's inputs are states, then sequences; its outputs states, then sequences; its lists have an entry a sequence. */
function checkSequences(node: Node, inputs: number): void {
  const read = numberAttribute(node, "num_scan_inputs", 1);
  if (read < 1 || read > inputs) throw illegal(node, `has num_scan_inputs = ${read}`, `1 to ${inputs} are expected`);
  const written = node.outputs.length - (inputs - read);
  if (written < 0) throw illegal(node, `has ${node.outputs.length} outputs`, `at least ${inputs - read} are expected`);
  const wanted = { input: read, output: written };
  for (const [side, count] of Object.entries(wanted))
    for (const name of [`scan_${side}_axes`, `scan_${side}_directions`]) {
      const found = numbersAttribute(node, name)?.length ?? count;
      if (found !== count) throw illegal(node, `has ${found} ${name}`, `${count} are expected`);
    }
}

function checkBody(node: Node, name: string, inputs: number | undefined, outputs: number): void {
  const attribute = node.attributes[name];
  if (node.domain !== "" || attribute?.type !== "graph") return;
  const body = attribute.value;
  if (inputs !== undefined && body.inputs.length !== inputs)
    throw illegal(node, `has a ${name} with ${body.inputs.length} inputs`, `${inputs} are expected`);
  if (body.outputs.length !== outputs)
    throw illegal(node, `has a ${name} with ${body.outputs.length} outputs`, `${outputs} are expected`);
}

function illegal(node: Node, found: string, expected: string): IllegalGraphError {
  return new IllegalGraphError(`${node.opType} "${node.name}" ${found}; ${expected}`, {
    hint: "The file is damaged, or was written for another version of the operator.",
  });
}

function range({ least, most }: Count): string {
  return most === least
    ? String(least)
    : most === Number.POSITIVE_INFINITY
      ? `${least} or more`
      : `${least} to ${most}`;
}
