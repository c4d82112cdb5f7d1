import type { GraphProto, ModelProto, NodeProto } from "onnx-buf";
import type { Rng } from "../../rng.ts";

/** A model on its way to being damaged, and the files beside it. */
export type Victim = {
  readonly model: ModelProto;
  /** By name; `{ link }` becomes a symbolic link to that path. */
  readonly files: Map<string, Uint8Array<ArrayBuffer> | { readonly link: string }>;
};

/** Damages a model in one way that knows its structure. Returns false where the model has nothing that could be damaged so. */
export type Mutation = (victim: Victim, random: Rng) => boolean;

export type Mutations = Readonly<Record<string, Mutation>>;

export function pick<T>(random: Rng, from: readonly T[]): T | undefined {
  return from.length === 0 ? undefined : from[random.int(from.length)];
}

/** Every graph of the model: the outermost first, then those inside attributes. */
export function graphsOf({ model }: Victim): GraphProto[] {
  const found: GraphProto[] = model.graph ? [model.graph] : [];
  for (const graph of found)
    for (const node of graph.node) for (const attribute of node.attribute) if (attribute.g) found.push(attribute.g);
  return found;
}

/** Every node, those of sub-graphs and functions included. */
export function nodesOf(victim: Victim): NodeProto[] {
  return [...graphsOf(victim).flatMap((graph) => graph.node), ...victim.model.functions.flatMap((each) => each.node)];
}

/** The outermost graph's names of values. */
export function valuesOf({ model }: Victim): string[] {
  const graph = model.graph;
  if (!graph) return [];
  return [
    ...graph.input.map((info) => info.name),
    ...graph.initializer.map((tensor) => tensor.name),
    ...graph.node.flatMap((node) => node.output),
  ].filter((name) => name !== "");
}

/** Whole numbers at the edges of what a program may take for granted. */
export const hostileInts: readonly number[] = [
  0,
  1,
  2,
  3,
  7,
  -1,
  -2,
  -3,
  -7,
  100,
  -100,
  65536,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 31,
  2 ** 33,
  2 ** 40,
  2 ** 53,
  2 ** 62,
  -(2 ** 62),
  -(2 ** 63),
];

export const hostileFloats: readonly number[] = [
  0,
  -0,
  -1,
  1e-45,
  1e9,
  -1e9,
  3e38,
  3.4e38,
  NaN,
  Infinity,
  -Infinity,
  0.5,
];

/** Names that are empty, look like JavaScript's own, like ours, like an expression, or like nothing. */
export const hostileNames: readonly string[] = [
  "",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "camkit/raw.0.0",
  "camkit/gradient",
  "camkit/Relu_0",
  "a*b+(",
  "floor(",
  "floor(n/0)",
  "min(n,",
  "(n+1)",
  "‹›",
  "‹n",
  "n·0",
  "-1",
  "99999999999999999999",
  "𝔘 �\u0000\u202e",
  "../../x",
  "x".repeat(20000),
];
