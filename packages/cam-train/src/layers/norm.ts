import { float32 } from "@camkit/cam-core";
import { z } from "zod";
import { defineLayer } from "./define-layer.ts";

const epsilon = z.number().positive().default(1e-5);

/**
 * Batch normalisation: y = weight · (x - running_mean) / √(running_var + ε) + bias, per channel (axis 1).
 * `momentum` is PyTorch's: how much of a batch's statistics the running ones take in training (ONNX keeps 1 - momentum).
 * Source: Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1 and 2.
 */
export const batchNorm = defineLayer({
  kind: "batchNorm",
  summary: "batch normalisation, with running statistics",
  options: { epsilon, momentum: z.number().gt(0).lt(1).default(0.1), scale: z.enum(["ones", "zeros"]).default("ones") },
  build: (net, x, options) => {
    const channels = [net.size(x, 1)];
    const inputs = [
      x,
      net.parameter("weight", channels, options.scale),
      net.parameter("bias", channels, "zeros"),
      net.parameter("running_mean", channels, "zeros"),
      net.parameter("running_var", channels, "ones"),
    ];
    return net.op.node("BatchNormalization", inputs, { epsilon: options.epsilon, momentum: 1 - options.momentum })[0]!;
  },
});

/**
 * Layer normalisation over the last `axes` axes of each sample, with `weight` and `bias` of their shape.
 * Source: Ba et al. 2016, arXiv:1607.06450, eq. 4; ε inside the root as in torch.nn.LayerNorm.
 */
export const layerNorm = defineLayer({
  kind: "layerNorm",
  summary: "layer normalisation over the last axes",
  main: "axes",
  options: { axes: z.int().positive().default(1), epsilon },
  build: (net, x, options) => {
    const rank = net.dims(x).length;
    if (options.axes >= rank) throw net.refuse(`its input has ${rank - 1} besides the batch's`, { option: "axes" });
    const shape = Array.from({ length: options.axes }, (_, i) => net.size(x, i - options.axes));
    const inputs = [x, net.parameter("weight", shape, "ones"), net.parameter("bias", shape, "zeros")];
    return net.op.node("LayerNormalization", inputs, { axis: -options.axes, epsilon: options.epsilon })[0]!;
  },
});

/**
 * Group normalisation: over space and the channels of a group, per sample; `weight` and `bias` per channel.
 * Opset 18's GroupNormalization scales groups, not channels: it is written as InstanceNormalization over the groups, as
 * PyTorch exports it. Source: Wu and He 2018, arXiv:1803.08494, eq. 7.
 */
export const groupNorm = defineLayer({
  kind: "groupNorm",
  summary: "normalisation over space and groups of channels",
  main: "groups",
  options: { groups: z.int().positive(), epsilon },
  build: (net, x, { groups, epsilon }) => {
    const { op } = net;
    const channels = net.size(x, 1);
    if (channels % groups !== 0) throw net.refuse(`${groups} don't divide ${channels} channels`, { option: "groups" });
    const each = (value: number) => op.constant(float32([groups], Array<number>(groups).fill(value)));
    const grouped = op.reshape(x, [0, groups, -1]); // [N, groups, channels / groups · space]
    const unit = op.node("InstanceNormalization", [grouped, each(1), each(0)], { epsilon })[0]!;
    const perChannel = (name: string, init: "ones" | "zeros") => {
      const value = net.parameter(name, [channels], init);
      return op.reshape(value, [channels, ...Array<number>(op.rank(x) - 2).fill(1)]);
    };
    return op.add(op.mul(op.reshapeLike(unit, x), perChannel("weight", "ones")), perChannel("bias", "zeros"));
  },
});
