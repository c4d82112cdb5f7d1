import { z } from "zod";
import { shapeText } from "../network/network-builder.ts";
import { binaryCrossEntropy } from "./binary.ts";
import { isSoft, oneHot } from "./cross-entropy.ts";
import { defineLoss, valueNamed } from "./define-loss.ts";
import { asMask, enlarged, layerNamed } from "./on-mask.ts";

/**
 * Asks the first channels of a layer, one per class, to be a segmentation: where the label's mask is, its channel says yes, and
 * everywhere else each says no. A volume has one label but thousands of cells, so a network that hardly learns from labels does
 * from masks; what follows the layer finds the answer ready. No weights are added, and nothing of it is deployed.
 *
 *   y = A[:, 0 … C-1], enlarged to the mask's size      t[c] = mask · (label = c)
 *   loss = mean over cells and classes of  p · t · softplus(-y) + (1 - t) · softplus(y)
 *
 * A: the layer [N, K ≥ C, ...space], before an activation. The mask is a field of the data, [N, ...space] or [N, 1, ...space],
 * 0 everywhere for classes that lie nowhere; p (`positiveWeight`) is for masks that are small.
 * Source: deep supervision, Lee et al. 2015, arXiv:1409.5185, of channels instead of a head beside the network.
 */
export const segment = defineLoss({
  kind: "segment",
  summary: "a layer's first channels, one per class, against a mask",
  options: {
    layer: z.string().meta({ description: "the tensor whose first channels are asked" }),
    mask: z.string().default("mask").meta({ description: "the field of the data that holds the mask" }),
    positiveWeight: z.number().positive().default(1).meta({ description: "how much a cell of the mask counts" }),
  },
  build: (compared, { layer, mask: name, positiveWeight }) => {
    const { op, t, dims, context, refuse } = compared;
    const features = layerNamed(compared, layer);
    const mask = asMask(compared, valueNamed(context.fields, name, "field", refuse), op.rank(features));
    const classes = dims[1];
    const channels = op.dims(features)![1];
    if (typeof classes !== "number" || typeof channels !== "number" || channels < classes)
      throw refuse(
        `layer "${layer}" is ${shapeText(op.dims(features)!)}, it wants a channel for each of ${classes} classes`,
      );
    const space = Array.from({ length: op.rank(features) - 2 }, (_, i) => i + 2);
    const said = enlarged(op, op.slice(features, { axes: [1], starts: [0], ends: [classes] }), mask);
    const label = isSoft(compared) ? t : oneHot(op, t, classes);
    const truth = op.mul(op.unsqueeze(label, space), mask);
    return binaryCrossEntropy(op, said, truth, positiveWeight);
  },
});
