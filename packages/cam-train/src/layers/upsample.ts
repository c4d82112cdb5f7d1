import { z } from "zod";
import { shapeText } from "../network/network-builder.ts";
import { counts, defineLayer, perAxis } from "./define-layer.ts";

/** How each mode samples, in ONNX's words; both as torch.nn.functional.interpolate does with align_corners off. */
const modes = {
  nearest: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  linear: { mode: "linear", coordinate_transformation_mode: "half_pixel" },
} as const;

/** Enlarges space by whole factors: [N, C, ...in] gives [N, C, ...scale · in]. */
export const upsample = defineLayer({
  kind: "upsample",
  summary: "enlarges by repeating or interpolating",
  main: "scale",
  options: { scale: counts.default(2), mode: z.enum(["nearest", "linear"]).default("nearest") },
  build: (net, x, { scale, mode }) => {
    const dims = net.dims(x);
    if (dims.length < 3) throw net.refuse(`its input is ${shapeText(dims)}; it wants [n, channels, ...space]`);
    return net.op.resize(x, { scales: [1, 1, ...perAxis(net, scale, dims.length - 2, "scale")] }, modes[mode]);
  },
});
