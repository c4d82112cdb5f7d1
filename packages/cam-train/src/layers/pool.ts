import type { Value } from "@camkit/cam-core";
import { z } from "zod";
import { type NetworkBuilder, shapeText } from "../network/network-builder.ts";
import { counts, defineLayer } from "./define-layer.ts";
import { windowOptions, windows } from "./windows.ts";

const size = counts.default(2);
const { stride, padding } = windowOptions;

/** The largest value in each window; windows lie side by side unless `stride` says otherwise. */
export const maxPool = defineLayer({
  kind: "maxPool",
  summary: "the largest value in each window",
  main: "size",
  options: { size, ...windowOptions },
  build: (net, x, { size, ...rest }) =>
    net.op.maxPool(x, windows(net, x, size, { ...rest, stride: rest.stride ?? size }, "size")),
});

/** The mean of each window; padding counts as zeros only with `countPadding` (PyTorch's default; Keras' is the other one). */
export const averagePool = defineLayer({
  kind: "averagePool",
  summary: "the mean of each window",
  main: "size",
  options: { size, stride, padding, countPadding: z.boolean().default(false) },
  build: (net, x, { size, stride = size, padding, countPadding }) => {
    // AveragePool has no dilations before opset 19.
    const { dilations: _, ...window } = windows(net, x, size, { stride, padding, dilation: 1 }, "size");
    return net.op.averagePool(x, { ...window, count_include_pad: Number(countPadding) });
  },
});

/** The mean over all of space: [N, C, ...space] gives [N, C]. */
export const globalAveragePool = defineLayer({
  kind: "globalAveragePool",
  summary: "the mean over space: one number per channel",
  options: {},
  build: (net, x) => overSpace(net, x, "GlobalAveragePool"),
});

/** The largest value over all of space: [N, C, ...space] gives [N, C]. */
export const globalMaxPool = defineLayer({
  kind: "globalMaxPool",
  summary: "the largest value over space: one number per channel",
  options: {},
  build: (net, x) => overSpace(net, x, "GlobalMaxPool"),
});

function overSpace(net: NetworkBuilder, x: Value, opType: string): Value {
  const dims = net.dims(x);
  if (dims.length < 3) throw net.refuse(`its input is ${shapeText(dims)}; it wants [n, channels, ...space]`);
  return net.op.node("Flatten", [net.op.node(opType, [x])[0]!], { axis: 1 })[0]!;
}

/** [N, ...] gives [N, everything else], row-major. */
export const flatten = defineLayer({
  kind: "flatten",
  summary: "all axes but the batch's as one",
  options: {},
  build: ({ op }, x) => (op.rank(x) === 2 ? x : op.node("Flatten", [x], { axis: 1 })[0]!),
});
