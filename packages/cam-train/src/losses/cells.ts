import { z } from "zod";
import { shapeText } from "../network/network-builder.ts";
import { binary } from "./binary.ts";
import { defineLoss } from "./define-loss.ts";

/**
 * Asks that some single cell of a layer can tell each label, for a network that ends with an average over space and a dense
 * layer. The average is content with evidence anywhere: a corner seen from beside an object counts as much as its middle.
 *
 *   M[c] = Σ over k of w[c, k] · A[k] + b[c]        y[c] = log( mean over cells of exp(r · M[c]) ) / r        loss = binary(y, labels)
 *
 * A: the layer [N, K, H, W]; w, b: the dense layer's weights [C, K] and bias [C]; M: class maps, whose mean is the logit. The
 * larger r (`sharpness`), the closer to the largest cell alone. The cell that sees a whole object tells best, and it lies in
 * the object's middle: this draws evidence into objects, and no mask is needed. What is deployed is the average alone.
 * Source: Pinheiro and Collobert 2015, arXiv:1411.6228, eq. 6.
 */
export const cells = defineLoss({
  kind: "cells",
  summary: "yes or no for each output from single cells of a layer",
  options: {
    layer: z.string().meta({ description: "the tensor whose cells are asked: what the average is taken of" }),
    weights: z.string().meta({ description: "the weights of the dense layer behind that average" }),
    bias: z.string().exactOptional().meta({ description: "its bias, where it has one" }),
    sharpness: z.number().positive().default(0.3).meta({ description: "how much the largest cell counts" }),
  },
  build: ({ op, t, context, refuse }, { layer, weights, bias, sharpness }) => {
    const [a, w] = [op.dims(layer), op.dims(weights)];
    const [outputs, channels] = w ?? [];
    if (a?.length !== 4 || w?.length !== 2 || a[1] !== channels || typeof outputs !== "number")
      throw refuse(
        `layer "${layer}" is ${a ? shapeText(a) : "unknown"} and its weights "${weights}" are ${w ? shapeText(w) : "unknown"}`,
        "It wants a layer [n, channels, h, w] and weights [classes, channels].",
      );
    const shift = bias === undefined ? undefined : op.dims(bias);
    if (bias !== undefined && (shift?.length !== 1 || shift[0] !== outputs))
      throw refuse(`its bias "${bias}" is ${shift ? shapeText(shift) : "unknown"}`, `It wants [${outputs}].`);
    const space = { axes: [2, 3], keepdims: true };
    const scores = op.conv(layer, op.reshape(weights, [outputs, channels as number, 1, 1]));
    const shifted = bias === undefined ? scores : op.add(scores, op.reshape(bias, [outputs, 1, 1]));
    const maps = op.mul(shifted, sharpness);
    const largest = op.reduceMax(maps, space); // taken out of the exponential, which can't overflow then
    const mean = op.reduceMean(op.exp(op.sub(maps, largest)), space);
    const cell = op.div(op.squeeze(op.add(op.log(mean), largest), [2, 3]), sharpness);
    return binary(
      { op, outputs: { ...context.outputs, cell }, fields: { ...context.fields, label: t } },
      { output: "cell" },
    );
  },
});
