import type { Graph } from "@camkit/cam-core";
import { rewriteGraph } from "../../network/rewrite.ts";
import { denseProduct } from "./dense.ts";
import { depthwiseProduct } from "./depthwise.ts";
import { siteOf } from "./site.ts";

/**
 * Writes convolutions as matrix products where those are faster, forward and backward: over small maps. All sizes must be
 * known, as they are in a training step; other convolutions stay as they are.
 */
export function convsAsProducts(graph: Graph): Graph {
  return rewriteGraph(graph, "product", (node, op) => {
    if (node.domain !== "" || node.opType !== "Conv") return undefined;
    const site = siteOf(node, op);
    const y = site && (denseProduct(site) ?? depthwiseProduct(site));
    return y === undefined ? undefined : [y];
  });
}
