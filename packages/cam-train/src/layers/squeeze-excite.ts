import type { Value } from "@camkit/cam-core";
import { z } from "zod";
import type { NetworkBuilder } from "../network/network-builder.ts";
import { conv } from "./conv.ts";
import { defineLayer } from "./define-layer.ts";

const activations = {
  relu: ({ op }: NetworkBuilder, x: Value) => op.relu(x),
  silu: ({ op }: NetworkBuilder, x: Value) => op.mul(x, op.sigmoid(x)),
};

const gates = {
  sigmoid: ({ op }: NetworkBuilder, x: Value) => op.sigmoid(x),
  // max(0, min(1, x / 6 + 1/2)); ONNX's own default slope is 0.2
  hardSigmoid: ({ op }: NetworkBuilder, x: Value) => op.node("HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 })[0]!,
};

/**
 * Squeeze and excite: channels are weighed by what the mean over space says of them, x · gate(fc2(activation(fc1(mean x)))).
 * Parameters as in torchvision.ops.SqueezeExcitation. Source: Hu et al. 2017, arXiv:1709.01507, eq. 2-4.
 */
export const squeezeExcite = defineLayer({
  kind: "squeezeExcite",
  summary: "weighs channels by their means",
  main: "channels",
  options: {
    channels: z.int().positive().meta({ description: "in the middle, between the two dense layers" }),
    activation: z.enum(["relu", "silu"]).default("relu"),
    gate: z.enum(["sigmoid", "hardSigmoid"]).default("sigmoid"),
  },
  build: (net, x, { channels, activation, gate }) => {
    const mean = net.op.node("GlobalAveragePool", [x])[0]!;
    const squeezed = activations[activation](net, conv(net, mean, { name: "fc1", filters: channels, kernel: 1 }));
    const excited = conv(net, squeezed, { name: "fc2", filters: net.size(x, 1), kernel: 1 });
    return net.op.mul(x, gates[gate](net, excited));
  },
});
