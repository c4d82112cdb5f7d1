import { z } from "zod";
import type { LayerItem } from "../layers/define-layer.ts";
import { definePreset } from "./preset.ts";

/** Blocks per stage. */
const depths = { "18": [2, 2, 2, 2], "34": [3, 4, 6, 3] } as const;

/**
 * A residual network of basic blocks, with torchvision's names. `stem: cifar` is the one for small pictures: conv 3×3 without
 * stride or pooling. Convolutions begin with Kaiming's normal values, as there.
 * Source: He et al. 2015, arXiv:1512.03385, table 1; torchvision 0.28, models/resnet.py.
 */
export const resnet = definePreset({
  network: "resnet",
  summary: "residual network of 18 or 34 layers",
  sample: [3, 224, 224],
  options: {
    depth: z.literal([18, 34]).default(18),
    outputs: z.int().positive().default(1000),
    width: z.int().positive().default(64).meta({ description: "channels of the first stage" }),
    stem: z.enum(["imagenet", "cifar"]).default("imagenet"),
  },
  layers: ({ depth, outputs, width, stem }) => {
    const stage = (count: number, index: number): LayerItem => {
      const filters = width * 2 ** index;
      const blocks = Array.from({ length: count }, (_, i) => basic(String(i), filters, i === 0 && index > 0));
      return { block: { name: `layer${index + 1}`, layers: blocks } };
    };
    return [
      ...stems[stem](width),
      ...depths[`${depth}`].map(stage),
      { globalAveragePool: { name: "avgpool" } },
      { dense: { name: "fc", units: outputs } },
    ];
  },
});

const stems = {
  imagenet: (filters: number): LayerItem[] => [
    convolution("conv1", { filters, kernel: 7, stride: 2, padding: 3 }),
    { batchNorm: { name: "bn1" } },
    "relu",
    { maxPool: { name: "maxpool", size: 3, stride: 2, padding: 1 } },
  ],
  cifar: (filters: number): LayerItem[] => [
    convolution("conv1", { filters, kernel: 3, padding: 1 }),
    { batchNorm: { name: "bn1" } },
    "relu",
  ],
};

/** Two convolutions and x itself; the first block of a stage halves space and brings x to its shape. */
function basic(name: string, filters: number, halves: boolean): LayerItem {
  const stride = halves ? 2 : 1;
  const downsample = [convolution("0", { filters, kernel: 1, stride }), { batchNorm: { name: "1" } }];
  return {
    residual: {
      name,
      main: [
        convolution("conv1", { filters, kernel: 3, padding: 1, stride }),
        { batchNorm: { name: "bn1" } },
        "relu",
        convolution("conv2", { filters, kernel: 3, padding: 1 }),
        { batchNorm: { name: "bn2" } },
      ],
      ...(halves && { shortcut: [{ block: { name: "downsample", layers: downsample } }] }),
      after: ["relu"],
    },
  };
}

function convolution(name: string, options: Readonly<Record<string, unknown>>): LayerItem {
  return { conv: { name, ...options, bias: false, init: "kaiming-normal" } };
}
