import type { Attribute } from "../graph.ts";
import { table } from "./table.ts";

/** How many must be there, the most that there can be, and from which position on none may be absent. */
export type Count = { readonly least: number; readonly most: number; readonly allFrom: number };

/** What an operator's schema says of a node's form. */
export type Signature = {
  readonly inputs: Count;
  readonly outputs: Count;
  readonly attributes: readonly {
    readonly name: string;
    readonly type: Attribute["type"];
    readonly required: boolean;
  }[];
};

type Version = { readonly since: number; readonly signature: Signature };

const types: Readonly<Record<string, Attribute["type"] | undefined>> = {
  i: "int",
  f: "float",
  s: "string",
  t: "tensor",
  g: "graph",
  I: "ints",
  F: "floats",
  S: "strings",
};

let versions: Map<string, Version[]> | undefined;

/**
 * The signature that an operator has in a version of its domain; undefined for operators that neither ONNX nor ONNX Runtime
 * defines, or not yet in that version.
 */
export function signatureOf(domain: string, opType: string, opset: number): Signature | undefined {
  versions ??= parsed();
  return versions.get(domain === "" ? opType : `${domain}:${opType}`)?.findLast(({ since }) => since <= opset)
    ?.signature;
}

function parsed(): Map<string, Version[]> {
  const found = new Map<string, Version[]>();
  for (const row of table.trim().split("\n")) {
    const [operator, since, inputs, outputs, ...attributes] = row.split(" ") as [string, string, string, string];
    const signature = {
      inputs: countOf(inputs),
      outputs: countOf(outputs),
      attributes: attributes.flatMap(attributeOf),
    };
    const version = { since: Number(since), signature };
    found.set(operator, [...(found.get(operator) ?? []), version]);
  }
  return found;
}

/** "2", "1-4", "1+2". */
function countOf(text: string): Count {
  const [, first, sign, second] = /^(\d+)(?:([-+])(\d+))?$/.exec(text)!;
  const open = sign === "+";
  return {
    least: Number(first),
    most: open ? Number.POSITIVE_INFINITY : Number(second ?? first),
    allFrom: open ? Number(second) : Number.POSITIVE_INFINITY,
  };
}

/** "axis:i", "perm!:I"; none for a type that no node of ours can hold. */
function attributeOf(text: string): Signature["attributes"][number][] {
  const [name, letter] = text.split(":") as [string, string];
  const type = types[letter];
  return type === undefined ? [] : [{ name: name.replace("!", ""), type, required: name.endsWith("!") }];
}
