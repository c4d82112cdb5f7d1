import { describe, expect, test } from "vitest";
import { withSession } from "../../runtime/session.ts";
import { float32, int64, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { tinyModel } from "../../testing/tiny-models.ts";
import { Builder, type Value } from "../builder.ts";
import { type Attributes, copyGraph, type Node, type Shape } from "../graph.ts";
import { commuting, type Position } from "./commuting.ts";

const random = rng(21);
const i = (value: number) => ({ type: "int", value }) as const;
const ints = (...value: number[]) => ({ type: "ints", value }) as const;
const s = (value: string) => ({ type: "string", value }) as const;
const list = (...values: number[]): Tensor => int64([values.length], values);

type Case = readonly [
  what: string,
  opType: string,
  /** Shapes are fed, tensors are constants, "" is absent. */
  inputs: readonly (readonly number[] | Tensor | "")[],
  attributes: Attributes,
  position: Position,
];

const at = (axis: number, index = 1, length = 1): Position => ({ axis, index, length });

/** A graph with one node, the values it reads, and what they are fed. */
function made([, opType, inputs, attributes]: Case) {
  const feeds: Record<string, Tensor> = {};
  const constants = new Map<string, Tensor>();
  const shapes: Record<string, Shape> = {};
  const names = inputs.map((input, n) => {
    if (input === "") return "";
    const name = `in${n}`;
    if (!Array.isArray(input)) constants.set(name, input as Tensor);
    else {
      feeds[name] = random.normal(input);
      shapes[name] = input;
    }
    return name;
  });
  const node: Node = { opType, domain: "", name: "it", inputs: names, outputs: ["whole"], attributes };
  const { graph } = tinyModel(shapes, (op) => {
    for (const [name, tensor] of constants) op.alias(op.constant(tensor), name);
    op.append(node);
    return { y: op.node("Identity", ["whole"])[0]! };
  });
  return { graph, node, feeds };
}

/** The rule's answer, and how far what it says is from the choice made behind the operator. */
async function difference(given: Case): Promise<number | undefined> {
  const { graph, node, feeds } = made(given);
  const copy = copyGraph(graph);
  const op = new Builder(copy);
  const position = given[4];
  const rule = commuting[node.opType]!(node, position.axis, op, position);
  if (!rule) return undefined;
  const cut = (value: Value, axis: number, index: number) =>
    op.slice(value, { axes: [axis], starts: [index], ends: [index === -1 ? 2 ** 31 - 1 : index + position.length] });
  const before = node.inputs.map((name, n) => {
    const axis = rule.axes[n];
    return name !== "" && axis !== undefined ? cut(name, axis, rule.index ?? position.index) : name;
  });
  const early = rule.emit?.(before) ?? op.append({ ...node, name: "early", inputs: before, outputs: ["early"] })[0]!;
  op.alias(early, "moved");
  op.alias(cut("whole", position.axis, position.index), "chosen");
  copy.outputs = ["moved", "chosen"].map((name) => ({ name, dtype: "float32" }));
  const { moved, chosen } = await withSession(copy, { optimize: "disabled" }, (session) => session.run(feeds));
  expect(moved!.shape).toEqual(chosen!.shape);
  return Math.max(
    0,
    ...Array.from(moved!.data as Float32Array, (value, n) => Math.abs(value - Number(chosen!.data[n]))),
  );
}

describe("an operator on chosen positions is the choice from the operator", () => {
  test.each<Case>([
    [
      "operands of one shape",
      "Add",
      [
        [2, 3, 4],
        [2, 3, 4],
      ],
      {},
      at(1),
    ],
    ["an operand without the axis", "Mul", [[2, 3, 4], [4]], {}, at(1, 0, 2)],
    [
      "an operand of size 1 there",
      "Sub",
      [
        [2, 3, 4],
        [2, 1, 4],
      ],
      {},
      at(1),
    ],
    ["from behind", "Div", [[2, 3, 4], float32([1], [3])], {}, at(1, -1)],
    ["an activation", "Tanh", [[2, 3, 4]], {}, at(2, 1, 3)],
    [
      "rows of a product",
      "MatMul",
      [
        [2, 3, 4],
        [4, 5],
      ],
      {},
      at(1, 2),
    ],
    ["a transposition", "Transpose", [[2, 3, 4]], { perm: ints(2, 0, 1) }, at(0, 3)],
    ["a norm behind", "LayerNormalization", [[2, 3, 4], float32([4], [1, 2, 3, 4])], { axis: i(-1) }, at(1)],
    ["a softmax over another axis", "Softmax", [[2, 3, 4]], { axis: i(2) }, at(1)],
    ["a softmax, its axis from behind", "Softmax", [[2, 3, 4]], { axis: i(-1) }, at(0)],
    ["a mean over another axis", "ReduceMean", [[2, 3, 4], list(-1)], {}, at(1)],
    ["a reshape behind the axis", "Reshape", [[2, 3, 4], list(2, 3, 2, 2)], {}, at(1)],
    [
      "joined along another axis",
      "Concat",
      [
        [2, 3, 4],
        [2, 3, 1],
      ],
      { axis: i(-1) },
      at(1),
    ],
    [
      "the first of what is joined",
      "Concat",
      [
        [2, 1, 4],
        [2, 3, 4],
      ],
      { axis: i(1) },
      at(1, 0),
    ],
    [
      "the second of what is joined",
      "Concat",
      [
        [2, 1, 4],
        [2, 3, 4],
      ],
      { axis: i(1) },
      at(1, 2, 2),
    ],
    ["behind a border", "Pad", [[2, 3, 4], list(0, 1, 0, 0, 2, 0)], {}, at(1, 2)],
    ["in a border", "Pad", [[2, 3, 4], list(0, 1, 0, 0, 2, 0), float32([], [7])], {}, at(1, 0)],
    ["in a border of zeros", "Pad", [[2, 3, 4], list(0, 2, 0, 0, 0, 0)], { mode: s("constant") }, at(1, 0, 2)],
  ])("%s: %s", async (...given) => {
    expect(await difference(given)).toBeLessThan(1e-6);
  });

  test.each<Case>([
    [
      "columns of a product",
      "MatMul",
      [
        [2, 3, 4],
        [4, 5],
      ],
      {},
      at(2),
    ],
    [
      "a product with more axes on the right",
      "MatMul",
      [
        [3, 4],
        [2, 4, 5],
      ],
      {},
      at(0),
    ],
    ["a transposition that doesn't say how", "Transpose", [[2, 3]], {}, at(0)],
    [
      "a norm over the axis",
      "LayerNormalization",
      [
        [2, 3, 4],
        [3, 4],
      ],
      { axis: i(1) },
      at(2),
    ],
    ["a softmax over the axis", "Softmax", [[2, 3, 4]], { axis: i(1) }, at(1)],
    ["a sum over the axis", "ReduceSum", [[2, 3, 4], list(1)], {}, at(1)],
    ["a sum that drops axes", "ReduceSum", [[2, 3, 4], list(2)], { keepdims: i(0) }, at(1)],
    ["a sum over everything", "ReduceSum", [[2, 3, 4]], {}, at(1)],
    ["a reshape that touches the axis", "Reshape", [[2, 3, 4], list(2, 4, 3)], {}, at(1)],
    [
      "across the seam of what is joined",
      "Concat",
      [
        [2, 2, 4],
        [2, 3, 4],
      ],
      { axis: i(1) },
      at(1, 1, 2),
    ],
    [
      "joined, counted from behind",
      "Concat",
      [
        [2, 2, 4],
        [2, 3, 4],
      ],
      { axis: i(1) },
      at(1, -1),
    ],
    ["a border of another axis, too", "Pad", [[2, 3, 4], list(0, 1, 1, 0, 0, 0)], {}, at(1)],
    ["a border that mirrors", "Pad", [[2, 3, 4], list(0, 1, 0, 0, 1, 0)], { mode: s("reflect") }, at(1)],
    ["half in a border", "Pad", [[2, 3, 4], list(0, 1, 0, 0, 0, 0)], {}, at(1, 0, 2)],
  ])("not so, and not said: %s: %s", async (...given) => {
    expect(await difference(given)).toBeUndefined();
  });

  test("nothing is said where shapes aren't known", () => {
    const unknown: readonly Case[] = [
      ["", "Add", [[2, 3]], {}, at(0)],
      [
        "",
        "MatMul",
        [
          [2, 3],
          [3, 4],
        ],
        {},
        at(0),
      ],
      ["", "Reshape", [[2, 3], list(2, 3, 1)], {}, at(0)],
      [
        "",
        "Concat",
        [
          [2, 3],
          [2, 3],
        ],
        { axis: i(0) },
        at(0, 0),
      ],
    ];
    for (const given of unknown) {
      const { graph, node } = made(given);
      const op = new Builder(graph);
      for (const name of [...node.inputs, "whole"]) op.facts.types.set(name, { dtype: "float32" });
      expect(commuting[node.opType]!(node, 0, op, given[4]), node.opType).toBeUndefined();
    }
  });
});
