import { z } from "zod";
import { shapeText } from "../network/network-builder.ts";
import { binary } from "./binary.ts";
import { oneHot } from "./cross-entropy.ts";
import { defineLoss } from "./define-loss.ts";

/**
 * Asks that some single cell of a layer can tell each label, for a network that ends with an average over space and a dense
 * layer. The average is content with evidence anywhere: a corner seen from beside an object counts as much as its middle.
 *
 *   M[c] = Σ over k of w[c, k] · A[k]        y[c] = log( mean over cells of exp(r · (M[c] - θ)) )        loss = binary(y, labels)
 *
 * A: the layer [N, K, ...space]; w: the dense layer's weights [C, K]; M: class maps, whose mean is the logit without its bias. The
 * larger r (`sharpness`), the closer to the largest cell alone. θ (`threshold`) is what a cell has to say: an object that covers
 * one cell in twelve says twelve times its logit there, and cells beside it may then say nothing instead of the contrary. The
 * cell that sees a whole object tells best, and it lies in the object's middle: this draws evidence into objects, and no mask
 * is needed. What is deployed is the average alone.
 * Source: Pinheiro and Collobert 2015, arXiv:1411.6228, eq. 6, without its division by r.
 */
export const cells = defineLoss({
  kind: "cells",
  summary: "yes or no for each output from single cells of a layer",
  options: {
    layer: z.string().meta({ description: "the tensor whose cells are asked: what the average is taken of" }),
    weights: z.string().meta({ description: "the weights of the dense layer behind that average" }),
    sharpness: z.number().positive().default(0.1).meta({ description: "how much the largest cell counts" }),
    threshold: z.number().default(0).meta({ description: "what a cell has to say, in logits" }),
  },
  build: ({ op, t, labelDims, context, refuse }, { layer, weights, sharpness, threshold }) => {
    const [a, w] = [op.dims(layer), op.dims(weights)];
    const [outputs, channels] = w ?? [];
    if (!a || a.length < 3 || w?.length !== 2 || a[1] !== channels || typeof outputs !== "number")
      throw refuse(
        `layer "${layer}" is ${a ? shapeText(a) : "unknown"} and its weights "${weights}" are ${w ? shapeText(w) : "unknown"}`,
        "It wants a layer [n, channels, ...space] and weights [classes, channels].",
      );
    const axes = a.slice(2).map((_, i) => i + 2);
    const space = { axes, keepdims: true };
    const kernels = op.reshape(weights, [outputs, channels as number, ...axes.map(() => 1)]);
    const maps = op.mul(op.conv(layer, kernels), sharpness);
    const largest = op.reduceMax(maps, space); // taken out of the exponential, which can't overflow then
    const mean = op.reduceMean(op.exp(op.sub(maps, largest)), space);
    const cell = op.sub(op.squeeze(op.add(op.log(mean), largest), axes), sharpness * threshold);
    // A class number says yes to one output and no to the others.
    const numbers = /^u?int/.test(op.dtype(t)) && labelDims.length === 1 && outputs > 1;
    const labels = numbers ? oneHot(op, t, outputs) : t;
    return binary(
      { op, outputs: { ...context.outputs, cell }, fields: { ...context.fields, label: labels } },
      { output: "cell" },
    );
  },
});
