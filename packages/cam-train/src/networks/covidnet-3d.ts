import { z } from "zod";
import type { LayerItem } from "../layers/define-layer.ts";
import { architectureSchema, type CovidnetOp, covidnetCells, defaultOp, mbconvShapes } from "./covidnet-cells.ts";
import { definePreset } from "./preset.ts";

/** Stride of each stage's first cell, and channels by width. Source: the `small` and `large` settings of the authors' code. */
const strides = [2, 2, 2, 1, 2, 1];
const widths = { small: [24, 40, 80, 96, 192, 320], large: [32, 64, 128, 256, 512, 1024] } as const;

/**
 * CovidNet3D: [n, 1, D, H, W] to maps `mix` [n, 1280, D/32, H/32, W/32] (each rounded up), their mean over space, one linear
 * head: the class activation map is exact there. Stages are called `stage0` … `stage5`; `stage3` has stride 16, `stage1` 8.
 * Every cell is a 1³ convolution and one op, searched or given; without `cells` 2.80 M parameters, 10.7 MB.
 *
 *   first cell of a stage: op(x)      later ones: x + op(x), where op "zero" leaves x and "identity" doubles it
 *
 * Weights of an op bear its name, so that every architecture finds its own in a network that has them all.
 * Source: He et al. 2021, arXiv:2101.05442; github.com/marsggbo/CovidNet3D, from where norms and widths are.
 */
export const covidnet3d = definePreset({
  network: "covidnet3d",
  summary: "CovidNet3D, a searched network for volumes of chest CT",
  sample: [1, 32, 128, 128],
  options: {
    outputs: z.int().positive().default(3),
    width: z
      .enum(["small", "large"])
      .default("small")
      .meta({ description: "channels of the stages: 24 to 320, or 32 to 1024" }),
    dropout: z.number().min(0).lt(1).default(0.5),
    start: z.enum(["pytorch", "shortcut"]).default("pytorch").meta({
      description:
        "first values. pytorch: the authors'. shortcut: later cells begin as what they are beside their op, x, and learn many times faster",
    }),
    cells: architectureSchema
      .default({})
      .meta({ description: "what each cell computes, by name: s0_c0 to s5_c0. Default: mbconv_3_3 everywhere" }),
  },
  layers: ({ outputs, width, dropout, start, cells }) => [
    { block: { name: "stem", layers: convNormRelu({ filters: 32, kernel: 3, stride: 2 }) } },
    {
      block: {
        name: "block0",
        layers: [
          { block: { name: "depthwise", layers: convNormRelu({ depthwise: true, kernel: 3 }) } },
          { block: { name: "project", layers: convNorm({ filters: 16, kernel: 1 }) } },
        ],
      },
    },
    ...widths[width].map(
      (filters, stage): LayerItem => ({
        block: {
          name: `stage${stage}`,
          layers: covidnetCells
            .filter((each) => each.stage === stage)
            .map(({ name, cell }) => cellLayers(cell, cells[name] ?? defaultOp, filters, strides[stage]!, start)),
        },
      }),
    ),
    { block: { name: "mix", layers: convNormRelu({ filters: 1280, kernel: 1 }) } },
    { globalAveragePool: { name: "pool" } },
    { dropout: { name: "dropout", ratio: dropout } },
    { dense: { name: "head", units: outputs } },
  ],
});

type Start = "pytorch" | "shortcut";

/** With `shortcut` a later cell begins as x: its calibrating convolution as the identity, its op's last norm at a scale of 0. */
function cellLayers(cell: number, op: CovidnetOp, filters: number, stride: number, start: Start): LayerItem {
  const passes = start === "shortcut" && cell > 0;
  const init = passes ? "identity" : "pytorch";
  const calibrate = { conv: { name: "calibrate", filters, kernel: 1, stride: cell === 0 ? stride : 1, init } };
  const main = mbconv(op, filters, passes ? "zeros" : "ones");
  const joined = cell === 0 ? main : op === "zero" ? [] : [{ residual: { name: "sum", main } }];
  return { block: { name: String(cell), layers: [calibrate, ...joined] } };
}

/** 1³ to e times as many channels, one k³ filter for each, 1³ back without activation. Identity: nothing. */
function mbconv(op: CovidnetOp, filters: number, scale: "ones" | "zeros"): LayerItem[] {
  const shape = mbconvShapes.get(op);
  if (!shape) return [];
  const parts: LayerItem[] = [
    { block: { name: "expand", layers: convNormRelu({ filters: filters * shape.expansion, kernel: 1 }) } },
    { block: { name: "depthwise", layers: convNormRelu({ depthwise: true, kernel: shape.kernel }) } },
    { block: { name: "project", layers: convNorm({ filters, kernel: 1 }, scale) } },
  ];
  return [{ block: { name: op, layers: parts } }];
}

function convNormRelu(options: ConvOptions): LayerItem[] {
  return [...convNorm(options), { relu6: { name: "relu" } }];
}

type ConvOptions = { filters?: number; depthwise?: boolean; kernel: number; stride?: number };

/** Padding k // 2, so that a stride of 2 leaves ceil(n / 2) positions; ε is the authors'. */
function convNorm(options: ConvOptions, scale: "ones" | "zeros" = "ones"): LayerItem[] {
  return [
    { conv: { name: "conv", ...options, padding: Math.floor(options.kernel / 2), bias: false } },
    { batchNorm: { name: "norm", epsilon: 1e-3, scale } },
  ];
}
