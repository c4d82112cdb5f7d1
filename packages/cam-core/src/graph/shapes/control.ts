import { sameShape } from "../dims.ts";
import type { Inferred, ShapeRule } from "../infer.ts";
import type { ShapeRules } from "./parts.ts";

/** What both branches say; the branch that is taken where the condition is known. */
const branches: ShapeRule = (node) => {
  const yes = node.branch("then_branch");
  const no = node.branch("else_branch");
  const condition = node.integers(0)?.[0];
  if (condition !== undefined) return condition !== 0 ? yes : no;
  return node.node.outputs.map((_, i) => agreed(yes[i], no[i]));
};

function agreed(a: Inferred | undefined, b: Inferred | undefined): Inferred | undefined {
  if (!a || !b || a.dtype !== b.dtype) return undefined;
  if (sameShape(a.shape, b.shape)) return { dtype: a.dtype, shape: a.shape };
  if (a.shape?.length !== b.shape?.length) return { dtype: a.dtype };
  return { dtype: a.dtype, shape: a.shape?.map((dim, i) => (dim === b.shape![i] ? dim : null)) };
}

export const control: ShapeRules = { If: branches };
