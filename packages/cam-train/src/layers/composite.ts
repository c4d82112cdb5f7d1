import type { Value } from "@camkit/cam-core";
import { z } from "zod";
import { type NetworkBuilder, shapeText } from "../network/network-builder.ts";
import { defineLayer, nested } from "./define-layer.ts";
import { buildLayers } from "./list.ts";

/** Layers that are made of layers. */

/** Layers under one name: `layer1.conv1.weight`. */
export const block = defineLayer({
  kind: "block",
  summary: "layers under one name",
  main: "layers",
  options: { layers: nested },
  build: (net, x, { layers }) => buildLayers(net, x, layers, `${net.place}.layers`),
});

/** The same layers several times, each time with weights of their own, under the names 0, 1, 2 … */
export const repeat = defineLayer({
  kind: "repeat",
  summary: "the same layers several times, each time with weights of their own",
  options: { times: z.int().positive(), layers: nested },
  build: (net, x, { times, layers }) => {
    const once = (value: Value) => buildLayers(net, value, layers, `${net.place}.layers`);
    return Array.from({ length: times }).reduce<Value>((value, _, i) => net.layer(String(i), () => once(value)), x);
  },
});

/**
 * main(x) + shortcut(x), then `after`, which is a ReLU in most networks. Without layers of its own the shortcut is x itself.
 * Source: He et al. 2015, arXiv:1512.03385, eq. 1 and 2.
 */
export const residual = defineLayer({
  kind: "residual",
  summary: "what its layers make of x, plus x itself",
  main: "main",
  options: { main: nested, shortcut: nested.default([]), after: nested.default([]) },
  build: (net, x, { main, shortcut, after }) => {
    const a = buildLayers(net, x, main, `${net.place}.main`);
    const b = buildLayers(net, x, shortcut, `${net.place}.shortcut`);
    return buildLayers(net, add(net, a, b), after, `${net.place}.after`);
  },
});

/** The sum of two values of one shape. */
function add(net: NetworkBuilder, a: Value, b: Value): Value {
  const [left, right] = [net.dims(a), net.dims(b)];
  if (left.length !== right.length || left.some((dim, i) => dim !== right[i]))
    throw net.refuse(
      `its layers make ${shapeText(left)}, its shortcut makes ${shapeText(right)}; a sum wants one shape`,
      {
        hint: "Give it a shortcut such as [{ conv: { filters: 64, kernel: 1, stride: 2 } }].",
      },
    );
  return net.op.add(a, b);
}
