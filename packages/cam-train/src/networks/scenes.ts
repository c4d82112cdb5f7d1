import { z } from "zod";
import type { LayerItem } from "../layers/define-layer.ts";
import { definePreset } from "./preset.ts";

/**
 * Layers that halve have kernel 4 and pad 1: output i sees inputs 2i - 1 … 2i + 2, centred between 2i and 2i + 1, so a
 * feature cell is centred on its own 8 × 8 pixels and a map upsampled with half-pixel centres lies on the object. With
 * kernel 3 the centre is at 2i, and after three of them every map lies 3.5 pixels too far right and down.
 */
const rows = [
  { name: "stem", filters: 16, kernel: 4, stride: 2, adds: false },
  { name: "down1", filters: 32, kernel: 4, stride: 2, adds: false },
  { name: "mix1", filters: 32, kernel: 3, stride: 1, adds: true },
  { name: "down2", filters: 48, kernel: 4, stride: 2, adds: false },
  { name: "mix2", filters: 48, kernel: 3, stride: 1, adds: true },
  { name: "features", filters: 64, kernel: 1, stride: 1, adds: false },
];

/**
 * The network of the shipped scene model: [n, 3, 96, 96] to features [n, 64, 12, 12] (stride 8) to one logit per class. A
 * mean and a linear head follow the features, so Grad-CAM there equals relu(CAM) / 144. First values as PyTorch's.
 */
export const scenes = definePreset({
  network: "scenes",
  summary: "small network whose maps lie where its objects are, for pictures of 96×96",
  sample: [3, 96, 96],
  options: { outputs: z.int().positive().default(8) },
  layers: ({ outputs }) => [
    ...rows.map(({ name, filters, kernel, stride, adds }): LayerItem => {
      const padding = Math.floor((kernel - 1) / 2);
      const main = [{ conv: { filters, kernel, stride, padding, bias: false } }, { batchNorm: { name: "norm" } }];
      return adds ? { residual: { name, main, after: ["relu"] } } : { block: { name, layers: [...main, "relu"] } };
    }),
    { globalAveragePool: { name: "embedding" } },
    { dense: { name: "head", units: outputs } },
  ],
});
