import { z } from "zod";
import type { LayerItem } from "../layers/define-layer.ts";
import { definePreset } from "./preset.ts";

/** Stages of inverted residuals: expansion t, channels c, blocks n, stride s of the first. Source: table 2. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * MobileNetV2 with torchvision's names and first values: convolutions Kaiming's normal, the head normal with deviation 0.01.
 * Source: Sandler et al. 2018, arXiv:1801.04381; torchvision 0.28, models/mobilenetv2.py.
 */
export const mobilenetV2 = definePreset({
  network: "mobilenetV2",
  summary: "MobileNetV2, inverted residuals with depthwise convolutions",
  sample: [3, 224, 224],
  options: {
    outputs: z.int().positive().default(1000),
    width: z.number().positive().default(1).meta({ description: "multiplies the channels of every layer" }),
    dropout: z.number().min(0).lt(1).default(0.2),
  },
  layers: ({ outputs, width, dropout }) => {
    let channels = inEights(32 * width);
    const features: LayerItem[] = [convNormRelu("0", { filters: channels, kernel: 3, stride: 2, padding: 1 })];
    for (const [expansion, c, count, s] of stages)
      for (let i = 0; i < count; i++) {
        const filters = inEights(c * width);
        const stride = i === 0 ? s : 1;
        features.push(inverted(String(features.length), { channels, expansion, filters, stride }));
        channels = filters;
      }
    features.push(convNormRelu(String(features.length), { filters: inEights(1280 * Math.max(1, width)), kernel: 1 }));
    const head = { name: "1", units: outputs, init: { normal: 0.01 } };
    return [
      { block: { name: "features", layers: features } },
      { globalAveragePool: { name: "pool" } },
      { block: { name: "classifier", layers: [{ dropout: { name: "0", ratio: dropout } }, { dense: head }] } },
    ];
  },
});

/** Expand by 1×1, one 3×3 filter per channel, project by 1×1 without activation; plus x where the shape stays. */
function inverted(
  name: string,
  { channels, expansion, filters, stride }: { channels: number; expansion: number; filters: number; stride: number },
): LayerItem {
  const parts = [
    ...(expansion === 1 ? [] : [{ filters: channels * expansion, kernel: 1 }]),
    { depthwise: true, kernel: 3, stride, padding: 1 },
  ];
  const main = [
    ...parts.map((options, i) => convNormRelu(String(i), options)),
    convolution(String(parts.length), { filters, kernel: 1 }),
    { batchNorm: { name: String(parts.length + 1) } },
  ];
  const conv = { block: { name: "conv", layers: main } };
  return stride === 1 && channels === filters
    ? { residual: { name, main: [conv] } }
    : { block: { name, layers: [conv] } };
}

function convNormRelu(name: string, options: Readonly<Record<string, unknown>>): LayerItem {
  return {
    block: { name, layers: [convolution("0", options), { batchNorm: { name: "1" } }, { relu6: { name: "2" } }] },
  };
}

function convolution(name: string, options: Readonly<Record<string, unknown>>): LayerItem {
  return { conv: { name, ...options, bias: false, init: "kaiming-normal" } };
}

/** The nearest multiple of 8 that is not more than 10 % below. */
function inEights(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}
