import { type Builder, gradient, type Method, methods, type Value } from "@camkit/cam-core";
import { z } from "zod";
import { isSoft, oneHot } from "./cross-entropy.ts";
import { type Compared, defineLoss, valueNamed } from "./define-loss.ts";
import { asMask, enlarged, layerNamed } from "./on-mask.ts";

/** Methods that make a map of activations and gradients alone, in one graph. */
const usable = methods.filter(({ needs, stages, resolution }) => {
  const [stage] = stages;
  const known = needs.every((need) => need === "activations" || need === "gradients");
  return known && stages.length === 1 && stage?.kind === "nodes" && resolution === "layer";
});

/** A map enlarged to the size of its mask [N, ...space], and what weighs as much as one logit in a mean over that space. */
type Judged = { readonly op: Builder; readonly map: Value; readonly mask: Value; readonly logit: Value };

/** What is made small, for a map >= 0; one number per sample. */
const kinds = {
  /** The share of the map's energy outside the mask: 1 - Σ map · mask / Σ map. */
  energyOutside: (judged: Judged) => judged.op.sub(1, share(judged, judged.mask)),
  /** The share inside, for masks of what isn't to be looked at. */
  energyInside: (judged: Judged) => judged.op.sub(1, share(judged, judged.op.sub(1, judged.mask))),
  /** 1 - cos(map, mask), for a given map instead of a mask: agreement whatever the scale. */
  disagreement: ({ op, map, mask }: Judged) => {
    const length = (value: Value) => op.sqrt(op.add(mean(op, op.mul(value, value)), 1e-12));
    return op.sub(1, op.div(mean(op, op.mul(map, mask)), op.mul(length(map), length(mask))));
  },
};

function mean(op: Builder, value: Value): Value {
  const axes = Array.from({ length: op.rank(value) - 1 }, (_, i) => i + 1);
  return op.reduceMean(value, { axes, keepdims: false });
}

/**
 * Σ map · part / (Σ map + 1): the sum of a map of gradients times activations is what the layer adds to the logit, so its unit
 * is one logit. The 1 is for maps of less than that. A share alone looks the same at any scale, so its gradient is the steeper
 * the less there is to share: in a fresh network it drowned all other losses and emptied the maps, from where a rectifier knows
 * no way back. And a map that is 0 everywhere has no part anywhere: it is no way out.
 */
function share({ op, map, logit }: Judged, part: Value): Value {
  return op.div(mean(op, op.mul(map, part)), op.add(mean(op, map), logit));
}

/**
 * A loss on the explanation itself: the label's map (Grad-CAM, as a rule) is built inside the training graph, enlarged to the
 * mask's size as maps are for display, and compared with the mask. Its gradient is a gradient of a gradient.
 *
 *   target = Σ over samples of the label's logit      dA = ∂target/∂A      map = method(A, dA)      loss = mean of kind(map, mask)
 *
 * Labels choose the target as they would for the map that is shown: class numbers one logit each; 0 or 1 per output the sum of
 * those that are 1; with a single logit its sign. The mask is a field of the data, [N, ...space] or [N, 1, ...space].
 *
 * A batch norm behind the layer should keep its statistics (`statistics: keep`): through a batch's own a gradient's mean over batch
 * and space is 0, and with it the mean of Grad-CAM's weights, which is not so in the network that is deployed.
 */
export const map = defineLoss({
  kind: "map",
  summary: "where the label's map lies, against a mask",
  options: {
    layer: z.string().meta({
      description:
        "the tensor that is explained, as for `camkit explain`; batch norms behind it want `statistics: keep`",
    }),
    mask: z.string().default("mask").meta({ description: "the field of the data that holds the mask" }),
    kind: z.enum(Object.keys(kinds) as (keyof typeof kinds)[]).default("energyOutside"),
    method: z.enum(usable.map(({ name }) => name)).default("grad-cam"),
  },
  build: (compared, options) => {
    const { op, y, context, refuse } = compared;
    const activations = layerNamed(compared, options.layer);
    const field = valueNamed(context.fields, options.mask, "field", refuse);
    const mask = asMask(compared, field, op.rank(activations));
    const [gradients] = gradient(op, new Map([[y, targetSeed(compared)]]), [activations]) as [Value];
    const raw = mapOf(op, usable.find(({ name }) => name === options.method)!, activations, gradients);
    const space = Array.from({ length: op.rank(raw) - 1 }, (_, i) => i + 1);
    const logit = op.reciprocal(op.cast(op.count(raw, space), op.dtype(raw)));
    const map = op.squeeze(enlarged(op, op.unsqueeze(raw, [1]), mask), [1]);
    const judged = { op, map, mask: op.squeeze(mask, [1]), logit };
    return op.reduceMean(kinds[options.kind](judged), { axes: "all", keepdims: false });
  },
});

/** d target / d y: which logits a sample's map explains. */
function targetSeed(compared: Compared): Value {
  const { op, y, t, dims } = compared;
  if (dims[1] === 1) {
    const sign = op.sub(op.mul(op.cast(t, op.dtype(y)), 2), 1);
    return op.reshapeLike(sign, y);
  }
  return isSoft(compared) ? t : oneHot(op, t, dims[1] as number);
}

function mapOf(op: Builder, method: Method, activations: Value, gradients: Value): Value {
  const [stage] = method.stages;
  if (stage?.kind !== "nodes") throw new TypeError(`${method.name} is no single graph`);
  const space = Array.from({ length: op.rank(activations) - 2 }, (_, i) => i + 2);
  const context = { op, activations, gradients, space, input: "", inputGradients: "", made: {} };
  return op.relu(stage.build(context).map!); // what display does with methods that may be negative
}
