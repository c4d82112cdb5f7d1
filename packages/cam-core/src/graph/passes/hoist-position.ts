import type { Builder, Value } from "../builder.ts";
import { type Graph, type Node, numberAttribute, producersOf, readsOf, topological } from "../graph.ts";
import { type Commutes, commuting, type Position } from "./commuting.ts";

/**
 * Moves the choice of one position (a class token) ahead of everything that treats positions independently:
 *
 *   gather(f(x), i)  =  f(gather(x, i))        for element-wise f, norms over other axes, products with a weight on the last axis
 *
 * A vision transformer reads its class token after the last block, so most of that block is computed for one token instead
 * of all of them. The numbers stay the same; what a position doesn't need is not computed, forward or backward, and the
 * tensors that still hold all positions are exactly those through which the target sees them.
 */
export function hoistPosition(op: Builder): void {
  // A choice that moved may leave an earlier one as its only other reader, so look again until nothing moves.
  for (let round = 0; round < mostRounds && hoistOnce(op); round++);
}

/** Class-attention networks choose twice per block; deeper chains than this only cost speed. */
const mostRounds = 8;

/** Moves each choice as far as it goes; whether one moved. */
function hoistOnce(op: Builder): boolean {
  const { graph } = op;
  let moved = false;
  for (const choice of choicesOf(op)) {
    const top = climb(op, choice);
    if (top === choice.x) continue;
    moved = true;
    // Each node picks from the few positions what it picked from all of them.
    for (const pick of choice.picks) {
      const replaced = repicked(op, top, choice, pick);
      graph.nodes = graph.nodes.filter((node) => node !== pick.node);
      renameOutput(graph, replaced, pick.node.outputs[0]!);
    }
  }
  return moved;
}

/** A node that picks positions of its first input. */
type Pick = Position & { readonly node: Node; readonly keepsAxis: boolean };

/** The positions of x that its picking nodes need together (a class and a distillation token: two heads, two picks). */
type Choice = Position & { readonly x: Value; readonly picks: readonly Pick[] };

function choicesOf(op: Builder): Choice[] {
  const bySource = new Map<string, { x: Value; picks: Pick[] }>();
  for (const node of topological(op.graph)) {
    const pick = pickOf(node, op);
    if (!pick) continue;
    const x = node.inputs[0]!;
    const key = `${pick.axis}:${x}`;
    const entry = bySource.get(key) ?? { x, picks: [] };
    entry.picks.push(pick);
    bySource.set(key, entry);
  }
  return [...bySource.values()].flatMap(({ x, picks }) => {
    const index = Math.min(...picks.map((pick) => pick.index));
    const length = Math.max(...picks.map((pick) => pick.index + pick.length)) - index;
    // The last position, counted from the end of an axis of unknown size, joins with no other.
    const apart = picks.some((pick) => pick.index < 0) && picks.length > 1;
    return apart || length > largestBlock ? [] : [{ x, axis: picks[0]!.axis, index, length, picks }];
  });
}

/** More positions than this are no class tokens. */
const largestBlock = 16;

function pickOf(node: Node, op: Builder): Pick | undefined {
  const shape = op.dims(node.inputs[0]!);
  if (node.domain !== "" || !shape || shape.length < 3) return undefined;
  const found = node.opType === "Gather" ? gathered(node, op) : node.opType === "Slice" ? sliced(node, op) : undefined;
  if (!found) return undefined;
  const axis = found.axis < 0 ? found.axis + shape.length : found.axis;
  const size = shape[axis];
  // The batch and the channel axis aren't positions; nor is a choice of all of them one.
  if (axis === 0 || axis === shape.length - 1 || found.length === size) return undefined;
  const index = found.index < 0 && typeof size === "number" ? found.index + size : found.index;
  return { ...found, axis, index, node };
}

function gathered(node: Node, op: Builder) {
  const index = op.integers(node.inputs[1]!);
  const rank = op.dims(node.inputs[1]!)?.length;
  if (index?.length !== 1 || rank === undefined || rank > 1) return undefined;
  return { axis: numberAttribute(node, "axis", 0), index: index[0]!, length: 1, keepsAxis: rank === 1 };
}

function sliced(node: Node, op: Builder) {
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((i) => op.integers(node.inputs[i] ?? ""));
  if (starts?.length !== 1 || ends?.length !== 1 || axes?.length !== 1 || (steps && steps[0] !== 1)) return undefined;
  if (starts[0] === -1 && ends[0]! >= 2 ** 31 - 1) return { axis: axes[0]!, index: -1, length: 1, keepsAxis: true };
  const length = ends[0]! - starts[0]!;
  const positive = starts[0]! >= 0 && length > 0 && length <= largestBlock;
  return positive ? { axis: axes[0]!, index: starts[0]!, length, keepsAxis: true } : undefined;
}

/** What `pick` took from x, taken from `top`, which holds the choice's positions. */
function repicked(op: Builder, top: Value, choice: Choice, pick: Pick): Value {
  const own = { axis: pick.axis, index: pick.index - choice.index, length: pick.length };
  const part = choice.length === pick.length ? op.node("Identity", [top])[0]! : cutAt(op, top, own);
  return pick.keepsAxis ? part : op.squeeze(part, [pick.axis]);
}

/** The value of `choice.x` at the chosen positions, computed as early as possible; `choice.x` itself where that is nowhere. */
function climb(op: Builder, choice: Choice): Value {
  const producers = producersOf(op.graph);
  const { demand, positions } = demandOf(op, choice);
  const done = new Map<string, Value>();

  /** x cut to the positions. */
  const at = (x: Value, position: Position): Value => {
    const key = `${keyOf(position)}:${x}`;
    const existing = done.get(key);
    if (existing) return existing;
    const result = through(x, position) ?? cutAt(op, x, position);
    done.set(key, result);
    return result;
  };

  const through = (x: Value, position: Position): Value | undefined => {
    if (demand.get(x) !== keyOf(position)) return undefined;
    const node = producers.get(x);
    const rule = node && commutingRule(node, position, op);
    if (!rule) return undefined;
    const inputs = node.inputs.map((name, i) => {
      const wanted = inputPosition(rule, i, position);
      return wanted ? at(name, wanted) : name;
    });
    return (
      rule.emit?.(inputs) ??
      op.append({ ...node, name: op.fresh(node.opType), inputs, outputs: [op.fresh(node.opType)] })[0]!
    );
  };

  // From the inputs on, so that each step finds the one before it done: a network may be thousands of nodes deep.
  for (const node of topological(op.graph))
    for (const name of node.outputs) {
      const position = name === choice.x ? undefined : positions.get(demand.get(name) ?? "");
      if (position) at(name, position);
    }
  return through(choice.x, choice) ?? choice.x;
}

/** For every value that the choice depends on: the positions that all its users need, by their key, or "all". */
function demandOf(
  op: Builder,
  choice: Choice,
): { demand: ReadonlyMap<Value, string>; positions: ReadonlyMap<string, Position> } {
  const picking = new Set(choice.picks.map((pick) => pick.node));
  const demand = new Map<Value, string>(op.graph.outputs.map((output) => [output.name, "all"]));
  const positions = new Map<string, Position>([[keyOf(choice), choice]]);
  const want = (value: Value, position: Position | undefined) => {
    const key = position ? keyOf(position) : "all";
    if (position) positions.set(key, position);
    const earlier = demand.get(value);
    demand.set(value, earlier === undefined || earlier === key ? key : "all");
  };
  for (const node of topological(op.graph).reverse()) {
    const wanted = node.outputs.map((name) => demand.get(name)).find((found) => found !== undefined);
    // Nobody needs it: an earlier move left it behind.
    if (wanted === undefined) continue;
    const position = positions.get(wanted);
    const rule = position && commutingRule(node, position, op);
    if (picking.has(node)) want(choice.x, choice);
    else
      for (const [i, name] of node.inputs.entries())
        if (name !== "" && !rule?.drops?.includes(i)) want(name, rule && inputPosition(rule, i, position));
    // A sub-graph may read any value whole.
    for (const name of readsOf(node)) if (!node.inputs.includes(name)) want(name, undefined);
  }
  return { demand, positions };
}

function keyOf({ axis, index, length }: Position): string {
  return `${axis}@${index}+${length}`;
}

function inputPosition(rule: Commutes, input: number, { index, length }: Position): Position | undefined {
  const axis = rule.axes[input];
  return axis === undefined ? undefined : { axis, index: rule.index ?? index, length };
}

function commutingRule(node: Node, position: Position, op: Builder): Commutes | undefined {
  if (node.domain !== "" || node.outputs.filter((name) => name !== "").length !== 1) return undefined;
  return commuting[node.opType]?.(node, position.axis, op, position);
}

function cutAt(op: Builder, x: Value, { axis, index, length }: Position): Value {
  return op.slice(x, { axes: [axis], starts: [index], ends: [index + length === 0 ? 2 ** 31 - 1 : index + length] });
}

function renameOutput(graph: Graph, from: Value, to: Value): void {
  const at = graph.nodes.findIndex((node) => node.outputs.includes(from));
  const node = graph.nodes[at]!;
  graph.nodes[at] = { ...node, outputs: node.outputs.map((name) => (name === from ? to : name)) };
}
