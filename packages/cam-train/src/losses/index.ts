import type { Value } from "@camkit/cam-core";
import { z } from "zod";
import { NetworkError } from "../errors.ts";
import { binary } from "./binary.ts";
import { cells } from "./cells.ts";
import { cosine } from "./cosine.ts";
import { crossEntropy } from "./cross-entropy.ts";
import type { AnyLoss, LossContext } from "./define-loss.ts";
import { focal } from "./focal.ts";
import { infoNce } from "./info-nce.ts";
import { kl } from "./kl.ts";
import { map } from "./map.ts";
import { l1, meanSquared } from "./regression.ts";
import { segment } from "./segment.ts";

/** Every loss that a configuration may name. A new one is a file beside this one and a line here. */
export const losses: ReadonlyMap<string, AnyLoss> = new Map(
  [crossEntropy, binary, focal, meanSquared, l1, kl, cosine, infoNce, cells, map, segment].map((loss: AnyLoss) => [
    loss.kind,
    loss,
  ]),
);

/** A loss as a configuration writes it: its kind, or its kind with options. */
export type LossItem = string | { readonly [kind: string]: unknown };

const item = z.union([
  z.enum([...losses.keys()]),
  ...[...losses.values()].map(({ kind, schema, summary }) =>
    z.strictObject({ [kind]: schema }).meta({ description: summary }),
  ),
]);

/** The schema of one loss, or of several that are added up, each times its `weight`. */
export const lossList = z.union([item, z.array(item).min(1)]);

/**
 * The sum of losses, and each one by its kind (`binary`, `binary 2`) where there are several. Throws NetworkError for an
 * unknown one, and for options and shapes that don't fit.
 */
export function buildLoss(
  context: LossContext,
  given: LossItem | readonly LossItem[],
): { readonly loss: Value; readonly terms: Readonly<Record<string, Value>> } {
  const list = Array.isArray(given) ? (given as readonly LossItem[]) : [given as LossItem];
  const terms: Record<string, Value> = {};
  for (const item of list) {
    const { kind, value } = oneLoss(context, item);
    const same = Object.keys(terms).filter((name) => name.replace(/ \d+$/, "") === kind).length;
    terms[same === 0 ? kind : `${kind} ${same + 1}`] = value;
  }
  const loss = Object.values(terms).reduce((sum, value) => context.op.add(sum, value));
  return { loss, terms: list.length === 1 ? {} : terms };
}

function oneLoss(context: LossContext, given: LossItem): { kind: string; value: Value } {
  const entries = typeof given === "string" ? [[given, {}] as const] : Object.entries(given);
  const [kind, options] = entries[0] ?? ["", {}];
  const loss = losses.get(kind);
  if (loss && entries.length === 1) return { kind, value: loss(context, options as never) };
  throw new NetworkError(`there is no loss ${JSON.stringify(given)}`, {
    hint: `Known: ${[...losses.keys()].join(", ")}.`,
  });
}
