import { z } from "zod";
import { shapeText } from "../network/network-builder.ts";
import { defineLayer } from "./define-layer.ts";
import { linear } from "./dense.ts";

/**
 * Multi-head self-attention over tokens [N, T, E], D = E / heads:
 *
 *   [q; k; v] = x · in_proj_weightᵀ + in_proj_bias      y = concat over heads of softmax(q · kᵀ / √D) · v, projected out
 *
 * Parameters as in torch.nn.MultiheadAttention (batch first): in_proj_weight [3E, E], out_proj.weight [E, E] and their
 * biases. Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 1 and section 3.2.2.
 */
export const attention = defineLayer({
  kind: "attention",
  summary: "multi-head self-attention over tokens",
  main: "heads",
  options: { heads: z.int().positive(), bias: z.boolean().default(true) },
  build: (net, x, { heads, bias }) => {
    const { op } = net;
    const dims = net.dims(x);
    if (dims.length !== 3) throw net.refuse(`its input is ${shapeText(dims)}; it wants [n, tokens, features]`);
    const [tokens, features] = [net.size(x, 1), net.size(x, 2)];
    if (features % heads !== 0)
      throw net.refuse(`${heads} heads don't divide ${features} features`, { option: "heads" });
    const size = features / heads;
    const projected = linear(net, x, 3 * features, {
      bias,
      init: "glorot-uniform",
      weightName: "in_proj_weight",
      biasName: "in_proj_bias",
    });
    const parts = op.reshape(projected, [-1, tokens, 3 * heads, size]);
    const [q, k, v] = op.split(op.transpose(parts, [0, 2, 1, 3]), {
      axis: 1,
      sizes: [heads, heads, heads],
      outputs: 3,
    }) as [string, string, string]; // each [N, heads, T, D]
    const scores = op.matMul(op.mul(q, 1 / Math.sqrt(size)), op.transpose(k, [0, 1, 3, 2]));
    const mixed = op.matMul(op.softmax(scores, -1), v);
    const joined = op.reshape(op.transpose(mixed, [0, 2, 1, 3]), [-1, tokens, features]);
    return net.scope("out_proj", () => linear(net, joined, features, { bias, init: "pytorch", biasInit: "zeros" }));
  },
});
