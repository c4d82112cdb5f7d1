import type { Value } from "@camkit/cam-core";
import { z } from "zod";
import { biasInit, type Init, initSchema } from "../network/initialisers.ts";
import { type NetworkBuilder, shapeText } from "../network/network-builder.ts";
import { defineLayer } from "./define-layer.ts";

/**
 * A fully connected layer: y = x · weightᵀ + bias over the last axis, `weight` [units, in] and `bias` [units] as in
 * torch.nn.Linear. x is [N, in], or [N, tokens, in].
 */
export const dense = defineLayer({
  kind: "dense",
  summary: "fully connected",
  main: "units",
  options: {
    units: z.int().positive(),
    bias: z.boolean().default(true),
    init: initSchema.default("pytorch"),
  },
  build: (net, x, { units, bias, init }) => {
    const dims = net.dims(x);
    if (dims.length !== 2 && dims.length !== 3)
      throw net.refuse(`its input is ${shapeText(dims)}; it wants [n, features] or [n, tokens, features]`, {
        hint: "Put flatten or globalAveragePool before it.",
      });
    return linear(net, x, units, { bias, init });
  },
});

/** The parameters and nodes of a fully connected layer, for layers that hold several. */
export function linear(
  net: NetworkBuilder,
  x: Value,
  units: number,
  options: { bias: boolean; init: Init; biasInit?: Init; weightName?: string; biasName?: string },
): Value {
  const { init, weightName = "weight", biasName = "bias" } = options;
  const features = net.size(x, -1);
  const shape = [units, features];
  const weight = net.parameter(weightName, shape, init);
  const bias = options.bias ? net.parameter(biasName, [units], options.biasInit ?? biasInit(init, shape)) : undefined;
  const { op } = net;
  const product = (rows: Value) => op.node("Gemm", [rows, weight, bias], { transB: 1 })[0]!;
  if (net.dims(x).length === 2) return product(x);
  // One large product: MatMul would have a gradient per sample to add up afterwards.
  const rows = op.reshape(x, [-1, features]);
  return op.reshape(product(rows), [-1, net.size(x, 1), units]);
}
