import type { Graph } from "@camkit/cam-core";
import type { LayerList } from "../layers/define-layer.ts";
import { buildLayers } from "../layers/list.ts";
import { NetworkBuilder, type NetworkOptions } from "../network/network-builder.ts";

/** A network of layers, in inference form; what the last one makes is the output `logits`. Throws NetworkError. */
export function createNetwork(options: NetworkOptions & { readonly layers: LayerList }): Graph {
  const net = new NetworkBuilder(options);
  return net.finish({ logits: buildLayers(net, net.input, options.layers) });
}
