import type { Builder, Value } from "../builder.ts";
import { isStatic } from "../dims.ts";
import { type Attribute, type Graph, type Node, numberAttribute, topological } from "../graph.ts";
import { inferNode } from "../infer.ts";
import { renameOutputs } from "../rename.ts";

/** A loop of more rounds isn't written out: what is explained has a few layers in a loop, not a thousand steps. */
const mostRounds = 256;

/** Nor are loops in loops that make more nodes than this. */
const mostNodes = 50_000;

/**
 * Replaces control flow that is settled before the run by what it does: an If whose condition is known by its branch, a Loop
 * whose number of rounds is known by as many copies of its body, operators on sequences whose tensors are known one by one
 * by these tensors. Of the nodes in `where` only. Returns whether anything was replaced; the facts about what follows
 * are then to be inferred again.
 */
export function settleControl(op: Builder, where: ReadonlySet<Node>): boolean {
  const { graph } = op;
  const old = topological(graph);
  if (!old.some((node) => node.domain === "" && where.has(node) && node.opType in settlers)) return false;
  const lists = new Map<Value, readonly Value[]>();
  let changed = false;
  graph.nodes = [];
  for (const node of old) {
    const settle = node.domain === "" ? settlers[node.opType] : undefined;
    const from = graph.nodes.length;
    const isList = makesList.has(node.opType);
    const outputs = settle && (where.has(node) || isList) ? settle({ op, node, lists }) : undefined;
    if (!outputs) graph.nodes.length = from;
    else if (!isList) {
      changed = true;
      renameOutputs(graph, op, outputs, node.outputs);
      node.outputs.forEach((name, i) => {
        const list = lists.get(outputs[i] ?? "");
        if (list) lists.set(name, list);
      });
      continue;
    }
    inferNode(node, op.facts, graph.types);
    graph.nodes.push(node);
  }
  return changed;
}

type Site = { op: Builder; node: Node; lists: Map<Value, readonly Value[]> };

/** What stands for the outputs, or undefined where that isn't known. */
type Settle = (site: Site) => readonly (Value | undefined)[] | undefined;

/** Their output is a sequence; the node stays for whoever reads it as one. */
const makesList: ReadonlySet<string> = new Set(
  "SequenceEmpty SequenceConstruct SequenceInsert SequenceErase SplitToSequence".split(" "),
);

const branch: Settle = ({ op, node, lists }) => {
  const condition = op.integers(node.inputs[0]!)?.[0];
  const taken = condition === undefined ? undefined : node.attributes[condition ? "then_branch" : "else_branch"];
  return taken?.type === "graph" ? written(op, taken.value, [], `${node.name}`, lists) : undefined;
};

const loop: Settle = ({ op, node, lists }) => {
  const body = node.attributes.body;
  if (body?.type !== "graph") return undefined;
  const [most, first] = [node.inputs[0] ?? "", node.inputs[1] ?? ""];
  const rounds = most === "" ? Number.POSITIVE_INFINITY : op.integers(most)?.[0];
  let goesOn = first === "" ? 1 : op.integers(first)?.[0];
  if (rounds === undefined) return undefined;
  let carried = node.inputs.slice(2);
  const scanned: Value[][] = node.outputs.slice(carried.length).map(() => []);
  for (let round = 0; round < rounds && goesOn !== 0; round++) {
    if (goesOn === undefined || round >= mostRounds || op.graph.nodes.length > mostNodes) return undefined;
    const given = [op.scalar(round, "int64"), op.scalar(1, "bool"), ...carried];
    const made = written(op, body.value, given, `${node.name}/${round}`, lists);
    goesOn = op.integers(made[0]!)?.[0];
    carried = made.slice(1, 1 + carried.length);
    scanned.forEach((list, i) => {
      list.push(made[1 + carried.length + i]!);
    });
  }
  if (scanned.some((list) => list.length === 0)) return undefined;
  const stacked = scanned.map((list) =>
    op.concat(
      list.map((value) => op.unsqueeze(value, [0])),
      0,
    ),
  );
  return [...carried, ...stacked];
};

/** Adds a body's nodes with its inputs given; inner values are named `prefix/value`. Returns its outputs. */
function written(
  op: Builder,
  body: Graph,
  given: readonly Value[],
  prefix: string,
  lists: Map<Value, readonly Value[]>,
): Value[] {
  const names = new Map(body.inputs.map((input, i) => [input.name, given[i] ?? ""]));
  for (const node of body.nodes) for (const name of node.outputs) if (name !== "") names.set(name, `${prefix}/${name}`);
  for (const [name, tensor] of body.initializers) {
    names.set(name, `${prefix}/${name}`);
    op.initializer(`${prefix}/${name}`, tensor);
  }
  for (const node of topological(body)) {
    const own = renamed(node, names, prefix);
    const from = op.graph.nodes.length;
    const outputs = node.domain === "" ? settlers[node.opType]?.({ op, node: own, lists }) : undefined;
    if (outputs && !makesList.has(node.opType)) {
      own.outputs.forEach((name, i) => {
        if (name !== "" && outputs[i] !== undefined) names.set(node.outputs[i]!, outputs[i]);
      });
      continue;
    }
    op.graph.nodes.length = from;
    // What is known before the run becomes a constant, so that a condition computed from the round is known.
    const made = op.append(own);
    made.forEach((name, i) => {
      if (name !== own.outputs[i]) names.set(node.outputs[i]!, name);
    });
  }
  return body.outputs.map(({ name }) => names.get(name) ?? name);
}

/**
 * A body's node with the names that its values have outside; those that its own sub-graphs capture, too, whose nodes keep their
 * names: prefixes upon prefixes would double at every level.
 */
function renamed(node: Node, names: ReadonlyMap<string, string>, prefix: string): Node {
  const name = (inner: string) => names.get(inner) ?? inner;
  const attributes = Object.entries(node.attributes).map(([key, attribute]): [string, Attribute] => {
    if (attribute.type !== "graph") return [key, attribute];
    const { value } = attribute;
    const outputs = value.outputs.map((output) => ({ ...output, name: name(output.name) }));
    return [key, { ...attribute, value: { ...value, outputs, nodes: value.nodes.map((n) => renamed(n, names, "")) } }];
  });
  return {
    ...node,
    name: prefix === "" ? node.name : `${prefix}/${node.name}`,
    inputs: node.inputs.map((inner) => (inner === "" ? "" : name(inner))),
    outputs: node.outputs.map((inner) => (inner === "" ? "" : name(inner))),
    attributes: Object.fromEntries(attributes),
  };
}

// --- sequences -------------------------------------------------------------------------------------------------------

/** A position in a sequence; without one, the end. */
function placeIn(op: Builder, position: Value | undefined, length: number, otherwise: number): number | undefined {
  if (!position) return otherwise;
  const at = op.integers(position)?.[0];
  return at !== undefined && at < 0 ? at + length : at;
}

/** Notes the tensors of a sequence under the name of the node's output. */
function noted({ node, lists }: Site, list: readonly Value[] | undefined): readonly Value[] | undefined {
  if (list) lists.set(node.outputs[0]!, list);
  return list && [node.outputs[0]!];
}

const inserted: Settle = (site) => {
  const { op, node, lists } = site;
  const list = lists.get(node.inputs[0]!);
  const at = list && placeIn(op, node.inputs[2], list.length, list.length);
  return noted(site, at === undefined ? undefined : list!.toSpliced(at, 0, node.inputs[1]!));
};

const erased: Settle = (site) => {
  const { op, node, lists } = site;
  const list = lists.get(node.inputs[0]!);
  const at = list && placeIn(op, node.inputs[1], list.length, list.length - 1);
  return noted(site, at === undefined ? undefined : list!.toSpliced(at, 1));
};

/** Parts of equal size with a smaller last one, of listed sizes, or single entries without their axis. */
const split: Settle = (site) => {
  const { op, node } = site;
  const x = node.inputs[0]!;
  const dims = op.dims(x);
  if (!dims) return undefined;
  const given = numberAttribute(node, "axis", 0);
  const axis = given < 0 ? given + dims.length : given;
  const size = dims[axis];
  if (!isStatic([size ?? null])) return undefined;
  const asked = node.inputs[1];
  const known = asked ? op.integers(asked) : [1];
  if (!known) return undefined;
  const isScalar = !asked || op.rank(asked) === 0;
  const each = known[0]!;
  if (isScalar && !(each > 0 && (size as number) / each <= mostRounds)) return undefined;
  const sizes = isScalar
    ? Array.from({ length: Math.ceil((size as number) / each) }, (_, i) => Math.min(each, (size as number) - i * each))
    : known;
  const parts = op.split(x, { axis, sizes, outputs: sizes.length });
  const single = !asked && numberAttribute(node, "keepdims", 1) === 0;
  return noted(site, single ? parts.map((part) => op.squeeze(part, [axis])) : parts);
};

const joined: Settle = ({ op, node, lists }) => {
  const list = lists.get(node.inputs[0]!);
  if (!list || list.length === 0) return undefined;
  const axis = numberAttribute(node, "axis", 0);
  const isNew = numberAttribute(node, "new_axis", 0) === 1;
  return [op.concat(isNew ? list.map((value) => op.unsqueeze(value, [axis])) : list, axis)];
};

const settlers: Readonly<Record<string, Settle>> = {
  If: branch,
  Loop: loop,
  SequenceEmpty: (site) => noted(site, []),
  SequenceConstruct: (site) => noted(site, site.node.inputs),
  SequenceInsert: inserted,
  SequenceErase: erased,
  SplitToSequence: split,
  SequenceAt: ({ op, node, lists }) => {
    const list = lists.get(node.inputs[0]!);
    const at = list && placeIn(op, node.inputs[1], list.length, -1);
    const value = at === undefined ? undefined : list![at];
    return value === undefined ? undefined : [value];
  },
  SequenceLength: ({ op, node, lists }) => {
    const list = lists.get(node.inputs[0]!);
    return list && [op.scalar(list.length, "int64")];
  },
  ConcatFromSequence: joined,
};

/** The operators that are written out where they are settled before the run. */
export const settledOperators: ReadonlySet<string> = new Set(Object.keys(settlers));
