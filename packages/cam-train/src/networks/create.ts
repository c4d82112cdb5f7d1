import type { Graph } from "@camkit/cam-core";
import { z } from "zod";
import { NetworkError } from "../errors.ts";
import type { LayerList } from "../layers/define-layer.ts";
import { buildLayers, layerList } from "../layers/list.ts";
import { NetworkBuilder, type NetworkOptions } from "../network/network-builder.ts";
import { presets } from "./index.ts";

/** A network of layers, in inference form; what the last one makes is the output `logits`. Throws NetworkError. */
export function createNetwork(options: NetworkOptions & { readonly layers: LayerList }): Graph {
  const net = new NetworkBuilder(options);
  return net.finish({ logits: buildLayers(net, net.input, options.layers) });
}

/** A network as a configuration writes it: a known one, one with options, or layers: `cifake`, `{ resnet: { depth: 34 } }`. */
export type NetworkItem = string | { readonly [preset: string]: unknown };

/** The schema of a network, for editors; `layersOf` and `createNetwork` check again and name the place. */
export const networkItem: z.ZodType<NetworkItem> = z.lazy(() => {
  const all = [...presets.values()];
  const names = all.map(({ network }) => network);
  return z.union([
    z.enum(names),
    ...all.map(({ network, schema, summary }) => z.strictObject({ [network]: schema }).meta({ description: summary })),
    z.strictObject({ layers: layerList }),
  ]);
});

/** The layers of a network as a configuration writes it. Throws NetworkError for one that isn't known. */
export function layersOf(item: NetworkItem): LayerList {
  const entries = typeof item === "string" ? [[item, {}] as const] : Object.entries(item);
  const [name, options] = entries[0] ?? ["", {}];
  const preset = presets.get(name);
  if (entries.length === 1 && preset) return preset((options ?? {}) as never);
  if (entries.length === 1 && name === "layers" && Array.isArray(options)) return options as LayerList;
  throw new NetworkError(`network: there is none that is called ${JSON.stringify(item)}`, {
    hint: `Known: ${[...presets.keys()].join(", ")}, or layers: [ … ].`,
  });
}
