import { expansions, whyNotExpanded } from "../graph/fused/index.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { settledOperators } from "../graph/passes/settle-control.ts";
import { replacedOperators } from "../graph/upgrade/index.ts";
import { rules } from "./rules/index.ts";

/** How a gradient passes an operator, or why it doesn't. */
export type Support =
  /** It has a gradient rule; `why` where the rule stands in for a derivative that is 0 almost everywhere. */
  | { readonly kind: "rule"; readonly why?: string }
  /** It is replaced by operators that have rules; `unless`: what holds of a node that is left over. */
  | { readonly kind: "rewrite"; readonly how: string; readonly unless?: string }
  /** Nothing flows through it, on purpose. */
  | { readonly kind: "zero"; readonly why: string }
  /** A gradient that would have to pass it is refused. */
  | { readonly kind: "refused"; readonly why: string; readonly instead: string };

export type Refusal = { readonly why: string; readonly instead: string };

const optional: Refusal = {
  why: "an optional value may hold a tensor, a sequence or nothing, which the run decides",
  instead: "Export the model without optional inputs.",
};

/** What has no rule, by the name that a rule would have. The one list to add to. */
export const refusals: Readonly<Record<string, Refusal>> = {
  MaxRoiPool: {
    why: "the edges of its regions are rounded to whole pixels, and it doesn't say which pixel was the largest",
    instead: "Export the model with RoiAlign.",
  },
  SequenceMap: {
    why: "its body runs once for each tensor of a sequence, as many as the run brings",
    instead: "Export the model with the loop written out.",
  },
  Optional: optional,
  OptionalGetElement: optional,
};

/** Of operators outside ONNX's own domain that nothing else is known of. */
const byDomain: Readonly<Record<string, Refusal>> = {
  "com.microsoft": {
    why: "an operator of ONNX Runtime's own that is not spelled out in ONNX's",
    instead: "Use the file as it was before it was optimised.",
  },
  "ai.onnx.ml": {
    why: "classical machine learning: trees and tables have no derivative",
    instead: "Explain the network alone, without what was put before or behind it.",
  },
};

const sequences = {
  how: "replaced by the tensors themselves, where a sequence's are known one by one",
  unless: "which tensors the sequence holds is known in the run only",
};

const settled: Readonly<Record<string, { how: string; unless: string }>> = {
  If: {
    how: "replaced by the branch that is taken, where the condition is known before the run",
    unless: "which branch is taken is known in the run only",
  },
  Loop: {
    how: "written out round by round, where their number is known before the run and at most 256",
    unless: "how often it runs is known in the run only, or it is more than 256 times",
  },
};

/**
 * What becomes of an operator, by the name that rules have it by (`domain:Name` outside ONNX's own domain). Undefined for one
 * that nothing is known of.
 */
export function supportOf(name: string): Support | undefined {
  if (name in expansions) return { kind: "rewrite", how: "spelled out in simpler operators where a gradient passes" };
  const rule = rules[name];
  if (rule?.kind === "zero") return { kind: "zero", why: rule.why };
  if (rule) return rule.kind === "surrogate" ? { kind: "rule", why: rule.why } : { kind: "rule" };
  if (settledOperators.has(name)) return { kind: "rewrite", ...(settled[name] ?? sequences) };
  const successor = replacedOperators[name];
  if (successor) return { kind: "rewrite", how: `${successor} since, and read as that` };
  const refusal = refusals[name] ?? byDomain[name.slice(0, Math.max(0, name.lastIndexOf(":")))];
  return refusal && { kind: "refused", ...refusal };
}

/** Why a gradient can't pass a node of the graph, and the way out; undefined where it can, or where nothing flows through it. */
export function refusalOf(graph: Graph, node: Node): Refusal | undefined {
  const name = node.domain === "" ? node.opType : `${node.domain}:${node.opType}`;
  if (rules[name]) return undefined;
  const reason = whyNotExpanded(graph, node);
  if (reason) return { why: reason, instead: "Use the file as it was before it was optimised." };
  const support = supportOf(name);
  if (!support) return { why: "an operator that nothing is known of", instead: "Add a rule in autodiff/rules." };
  if (support.kind === "refused") return { why: support.why, instead: support.instead };
  if (support.kind === "rewrite" && support.unless)
    return { why: support.unless, instead: "Export the model with what this depends on fixed." };
  return undefined;
}
