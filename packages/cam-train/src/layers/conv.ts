import { z } from "zod";
import { biasInit, initSchema } from "../network/initialisers.ts";
import { type NetworkBuilder, shapeText } from "../network/network-builder.ts";
import { counts, defineLayer, perAxis } from "./define-layer.ts";
import { windowOptions, windows } from "./windows.ts";

const shared = {
  kernel: counts.default(3),
  groups: z.int().positive().default(1),
  bias: z.boolean().default(true),
  init: initSchema.default("pytorch"),
};

/**
 * Convolution over one to three axes of space: [N, C, ...in] with `weight` [filters, C / groups, ...kernel] and `bias`
 * [filters] gives [N, filters, ...out]. `depthwise`: each channel by itself, `filters` of which default to as many.
 */
export const conv = defineLayer({
  kind: "conv",
  summary: "convolution, 1-D to 3-D by its input",
  main: "filters",
  options: {
    filters: z.int().positive().exactOptional(),
    ...shared,
    ...windowOptions,
    depthwise: z.boolean().default(false),
  },
  build: (net, x, options) => {
    const channels = net.size(x, 1);
    const filters = options.filters ?? (options.depthwise ? channels : undefined);
    if (filters === undefined) throw net.refuse("how many there are must be said", { option: "filters" });
    const group = options.depthwise ? channels : options.groups;
    if (channels % group !== 0 || filters % group !== 0) throw indivisible(net, group, channels, filters);
    const window = windows(net, x, options.kernel, options, "kernel");
    const shape = [filters, channels / group, ...window.kernel_shape];
    const weight = net.parameter("weight", shape, options.init);
    const bias = options.bias ? net.parameter("bias", [filters], biasInit(options.init, shape)) : undefined;
    return net.op.node("Conv", [x, weight, bias], { ...window, group })[0]!;
  },
});

/**
 * The transpose of a convolution, which enlarges: [N, C, ...in] with `weight` [C, filters / groups, ...kernel] gives
 * stride · (in - 1) + dilation · (kernel - 1) + 1 + outputPadding - 2 · padding positions.
 */
export const convTranspose = defineLayer({
  kind: "convTranspose",
  summary: "transposed convolution, 1-D to 3-D by its input",
  main: "filters",
  options: {
    filters: z.int().positive(),
    ...shared,
    stride: counts.default(1),
    dilation: counts.default(1),
    padding: z.union([z.int().nonnegative(), z.array(z.int().nonnegative()).min(1)]).default(0),
    outputPadding: z.union([z.int().nonnegative(), z.array(z.int().nonnegative()).min(1)]).default(0),
  },
  build: (net, x, options) => {
    const dims = net.dims(x);
    const axes = dims.length - 2;
    if (axes < 1) throw net.refuse(`its input is ${shapeText(dims)}; it wants [n, channels, ...space]`);
    const channels = net.size(x, 1);
    const { filters, groups } = options;
    if (channels % groups !== 0 || filters % groups !== 0) throw indivisible(net, groups, channels, filters);
    const kernel = perAxis(net, options.kernel, axes, "kernel");
    const pads = perAxis(net, options.padding, axes, "padding");
    const shape = [channels, filters / groups, ...kernel];
    const weight = net.parameter("weight", shape, options.init);
    const bias = options.bias ? net.parameter("bias", [filters], biasInit(options.init, shape)) : undefined;
    return net.op.node("ConvTranspose", [x, weight, bias], {
      kernel_shape: kernel,
      strides: perAxis(net, options.stride, axes, "stride"),
      dilations: perAxis(net, options.dilation, axes, "dilation"),
      output_padding: perAxis(net, options.outputPadding, axes, "outputPadding"),
      pads: [...pads, ...pads],
      group: groups,
    })[0]!;
  },
});

function indivisible(net: NetworkBuilder, groups: number, channels: number, filters: number): Error {
  const reason = `${groups} groups must divide both the ${channels} channels of its input and its ${filters} filters`;
  return net.refuse(reason, { option: "groups" });
}
