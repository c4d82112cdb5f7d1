import { z } from "zod";
import { shapeText } from "../network/network-builder.ts";
import { defineLayer } from "./define-layer.ts";

/** What turns pictures into the tokens of a transformer and back. Source: Dosovitskiy et al. 2020, arXiv:2010.11929, eq. 1-4. */

/** [N, C, ...space] gives [N, tokens, C], positions row by row. */
export const tokens = defineLayer({
  kind: "tokens",
  summary: "positions of a picture as tokens",
  options: {},
  build: (net, x) => {
    const dims = net.dims(x);
    if (dims.length < 3) throw net.refuse(`its input is ${shapeText(dims)}; it wants [n, channels, ...space]`);
    return net.op.transpose(net.op.reshape(x, [0, net.size(x, 1), -1]), [0, 2, 1]);
  },
});

/** Puts a learned token before all others: [N, T, E] gives [N, 1 + T, E]. */
export const classToken = defineLayer({
  kind: "classToken",
  summary: "one learned token before all others",
  options: {},
  build: (net, x) => {
    const { op } = net;
    const token = net.parameter("weight", [1, 1, net.size(x, 2)], "zeros");
    return op.concat([op.expand(token, op.concat([op.dim(x, 0), op.ints([1, 1])], 0)), x], 1);
  },
});

/** Adds a learned vector to each position: `weight` [1, T, E]. */
export const positionEmbedding = defineLayer({
  kind: "positionEmbedding",
  summary: "a learned vector for each position",
  main: "deviation",
  options: { deviation: z.number().positive().default(0.02) },
  build: (net, x, { deviation }) =>
    net.op.add(x, net.parameter("weight", [1, net.size(x, 1), net.size(x, 2)], { truncatedNormal: deviation })),
});

/** The token at the front, as features: [N, T, E] gives [N, E]. */
export const firstToken = defineLayer({
  kind: "firstToken",
  summary: "the first token alone",
  options: {},
  build: ({ op }, x) => op.squeeze(op.slice(x, { axes: [1], starts: [0], ends: [1] }), [1]),
});

/** The mean of all tokens, as features: [N, T, E] gives [N, E]. */
export const meanToken = defineLayer({
  kind: "meanToken",
  summary: "the mean of all tokens",
  options: {},
  build: ({ op }, x) => op.reduceMean(x, { axes: [1], keepdims: false }),
});
