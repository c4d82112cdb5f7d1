import type { Builder, Value } from "../builder.ts";
import { type Node, numberAttribute, numbersAttribute, stringAttribute } from "../graph.ts";

/** A fused node as its expansion sees it. Inputs that are absent are undefined. */
export type FusedNode = {
  readonly op: Builder;
  readonly node: Node;
  readonly inputs: readonly (Value | undefined)[];
  int(name: string, otherwise: number): number;
  float(name: string, otherwise: number): number;
  ints(name: string): readonly number[] | undefined;
  string(name: string, otherwise: string): string;
  /** Another operator of ONNX's own domain on given inputs, with this node's attributes but for some. */
  again(opType: string, inputs: readonly (Value | undefined)[], ...without: string[]): Value;
};

/** Why a node isn't expanded: what the error says when a gradient would have to pass it. */
export type Refusal = { readonly refused: string };

/** Spells a fused operator out in ONNX's own: one value per output, undefined for outputs that carry nothing. */
export type Expand = (fused: FusedNode) => readonly (Value | undefined)[] | Refusal;

export type Expansions = Readonly<Record<string, Expand>>;

export function refused(why: string): Refusal {
  return { refused: why };
}

export function fusedNode(op: Builder, node: Node): FusedNode {
  return {
    op,
    node,
    inputs: node.inputs.map((name) => (name === "" ? undefined : name)),
    int: (name, otherwise) => numberAttribute(node, name, otherwise),
    float: (name, otherwise) => numberAttribute(node, name, otherwise),
    ints: (name) => numbersAttribute(node, name),
    string: (name, otherwise) => stringAttribute(node, name, otherwise),
    again: (opType, inputs, ...without) => {
      const names = inputs.map((input) => input ?? "");
      while (names.at(-1) === "") names.pop();
      const attributes = Object.fromEntries(
        Object.entries(node.attributes).filter(([name]) => !without.includes(name)),
      );
      const name = op.fresh(opType);
      return op.append({ opType, domain: "", name, inputs: names, outputs: [name], attributes })[0]!;
    },
  };
}
