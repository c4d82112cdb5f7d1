import { z } from "zod";
import type { LayerItem } from "../layers/define-layer.ts";
import { definePreset } from "./preset.ts";

/**
 * ResNet-18 with 3-D convolutions, for clips [n, 3, frames, h, w], with torchvision's names and first values.
 * Source: Tran et al. 2017, arXiv:1711.11248, table 1 (R3D); torchvision 0.28, models/video/resnet.py.
 */
export const r3d18 = definePreset({
  network: "r3d18",
  summary: "ResNet-18 with 3-D convolutions, for clips",
  sample: [3, 16, 112, 112],
  options: { outputs: z.int().positive().default(400) },
  layers: ({ outputs }) => [
    {
      block: {
        name: "stem",
        layers: convNormRelu({ filters: 64, kernel: [3, 7, 7], stride: [1, 2, 2], padding: [1, 3, 3] }),
      },
    },
    ...[64, 128, 256, 512].map((filters, i): LayerItem => {
      const blocks = [basic("0", filters, i > 0), basic("1", filters, false)];
      return { block: { name: `layer${i + 1}`, layers: blocks } };
    }),
    { globalAveragePool: { name: "avgpool" } },
    { dense: { name: "fc", units: outputs, init: { normal: 0.01 } } },
  ],
});

function basic(name: string, filters: number, halves: boolean): LayerItem {
  const stride = halves ? 2 : 1;
  const shape = { filters, kernel: 3, padding: 1 };
  const [conv, norm] = convNormRelu({ filters, kernel: 1, stride }) as [LayerItem, LayerItem];
  return {
    residual: {
      name,
      main: [
        { block: { name: "conv1", layers: convNormRelu({ ...shape, stride }) } },
        { block: { name: "conv2", layers: convNormRelu(shape).slice(0, 2) } },
      ],
      ...(halves && { shortcut: [{ block: { name: "downsample", layers: [conv, norm] } }] }),
      after: ["relu"],
    },
  };
}

function convNormRelu(options: Readonly<Record<string, unknown>>): LayerItem[] {
  return [
    { conv: { name: "0", ...options, bias: false, init: "kaiming-normal" } },
    { batchNorm: { name: "1" } },
    { relu: { name: "2" } },
  ];
}
