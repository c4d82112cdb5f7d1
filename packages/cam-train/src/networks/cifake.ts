import { z } from "zod";
import type { LayerItem } from "../layers/define-layer.ts";
import { initSchema } from "../network/initialisers.ts";
import { definePreset } from "./preset.ts";

/**
 * The CIFAKE network: `convs` times conv 3×3, ReLU, max-pool 2; then dense layers with ReLU; then one logit, positive for
 * REAL. With the defaults 84,001 parameters, with padding "same" 141,345. Weights begin as Keras' do.
 * Source: Bird and Lotfi 2023, arXiv:2303.14126; the topology as its public reproductions read it.
 */
export const cifake = definePreset({
  network: "cifake",
  summary: "small network that tells generated pictures of 32×32 from photographs",
  sample: [3, 32, 32],
  options: {
    convs: z.int().min(1).max(4).default(2),
    filters: z.int().positive().default(32),
    denseLayers: z.int().min(0).max(4).default(1),
    units: z.int().positive().default(64),
    padding: z.enum(["valid", "same"]).default("valid"),
    outputs: z.int().positive().default(1),
    init: initSchema.default("glorot-uniform"),
  },
  layers: ({ convs, filters, denseLayers, units, padding, outputs, init }) => [
    ...numbered(convs, (i): LayerItem[] => [
      { conv: { name: `conv${i}`, filters, kernel: 3, padding, init } },
      { relu: { name: `relu${i}` } },
      { maxPool: { name: `pool${i}`, size: 2 } },
    ]),
    "flatten",
    ...numbered(denseLayers, (i): LayerItem[] => [
      { dense: { name: `dense${i}`, units, init } },
      { relu: { name: `relu${convs + i}` } },
    ]),
    { dense: { name: "head", units: outputs, init } },
  ],
});

/** What `make` gives for 1, 2 … count, in one list. */
function numbered(count: number, make: (i: number) => LayerItem[]): LayerItem[] {
  return Array.from({ length: count }, (_, i) => make(i + 1)).flat();
}
