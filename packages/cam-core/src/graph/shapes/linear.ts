import type { DType } from "../../tensor.ts";
import { broadcastDim, broadcastShapes } from "../dims.ts";
import type { Dim, Shape } from "../graph.ts";
import type { ShapeContext, ShapeRule } from "../infer.ts";
import { alike, type ShapeRules } from "./parts.ts";

/** [..., m, k] by [..., k, n] gives [..., m, n], the leading axes broadcast; a vector's missing axis is added, then removed. */
export function matrixProduct(a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  if (!a || !b) return undefined;
  const rows: Shape = a.length === 1 ? [1, ...a] : a;
  const columns: Shape = b.length === 1 ? [...b, 1] : b;
  const batch = broadcastShapes(rows.slice(0, -2), columns.slice(0, -2));
  if (!batch) return undefined;
  return [...batch, ...(a.length === 1 ? [] : [rows.at(-2)!]), ...(b.length === 1 ? [] : [columns.at(-1)!])];
}

function product(a: number, b: number, dtype?: (node: ShapeContext) => DType): ShapeRule {
  return (node) => [{ dtype: dtype?.(node) ?? node.dtype(a), shape: matrixProduct(node.shape(a), node.shape(b)) }];
}

const gemm: ShapeRule = (node) => {
  const a = node.shape(0);
  const b = node.shape(1);
  const rows = a?.[node.int("transA", 0) === 1 ? 1 : 0] ?? null;
  const columns = b?.[node.int("transB", 0) === 1 ? 0 : 1] ?? null;
  return [{ dtype: node.dtype(0), shape: [rows, columns] }];
};

/** Every letter is an axis; an ellipsis stands for the leading axes, broadcast. Without "->" letters seen once, sorted. */
const einsum: ShapeRule = (node) => {
  const [left, right] = node.string("equation", "").replaceAll(" ", "").split("->") as [string, string?];
  const sizes = new Map<string, Dim>();
  let leading: Shape = [];
  for (const [i, term] of left.split(",").entries()) {
    const shape = node.shape(i);
    if (!shape) return [{ dtype: node.dtype(0) }];
    const [before = "", after] = term.split("...") as [string, string?];
    const last = after ?? "";
    const named: [string, number][] = [
      ...Array.from(before, (letter, at): [string, number] => [letter, at]),
      ...Array.from(last, (letter, at): [string, number] => [letter, shape.length - last.length + at]),
    ];
    for (const [letter, at] of named) sizes.set(letter, broadcastDim(sizes.get(letter) ?? 1, shape[at] ?? null));
    if (after !== undefined)
      leading = broadcastShapes(leading, shape.slice(before.length, shape.length - last.length)) ?? [];
  }
  const once = [...sizes.keys()].filter((letter) => left.split(letter).length === 2).sort();
  const output = right ?? `${left.includes("...") ? "..." : ""}${once.join("")}`;
  const shape = (output.match(/\.\.\.|./g) ?? []).flatMap((part) =>
    part === "..." ? leading : [sizes.get(part) ?? null],
  );
  return [{ dtype: node.dtype(0), shape }];
};

export const linear: ShapeRules = {
  MatMul: product(0, 1),
  ...alike(gemm, "Gemm", "FusedGemm"),
  Einsum: einsum,
  MatMulInteger: product(0, 1, () => "int32"),
  QLinearMatMul: product(0, 3, (node) => node.dtype(7)),
  // The last two axes are consumed.
  Det: (node) => [{ dtype: node.dtype(0), shape: node.shape(0)?.slice(0, -2) }],
};
