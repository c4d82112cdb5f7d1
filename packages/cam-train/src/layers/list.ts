import type { Value } from "@camkit/cam-core";
import { z } from "zod";
import type { NetworkBuilder } from "../network/network-builder.ts";
import { type AnyLayer, type LayerItem, type LayerList, nested } from "./define-layer.ts";
import { layers } from "./index.ts";

/** The schema of a list, for editors; `buildLayers` checks again and names the place of what is wrong. */
export const layerList: z.ZodType<LayerList> = z.lazy(() => {
  const all = [...layers().values()];
  const bare = all.filter(({ schema }) => schema.safeParse({}).success).map(({ kind }) => kind);
  return z.array(z.union([z.enum(bare), ...all.map(itemOf)]));
});

function itemOf({ kind, main, schema, summary }: AnyLayer) {
  const options = Object.entries(schema.shape).map(([name, option]) => {
    const inner = option instanceof z.ZodDefault ? option.unwrap() : option;
    if (inner !== nested) return [name, option] as const;
    return [name, inner === option ? layerList : layerList.optional()] as const;
  });
  const shape: Record<string, z.ZodType> = Object.fromEntries(options);
  const whole = main === undefined ? z.strictObject(shape) : z.union([z.strictObject(shape), shape[main]!]);
  return z.strictObject({ [kind]: whole }).meta({ description: summary });
}

/**
 * Builds layers one after the other. Throws NetworkError that names the place: `layers[3].conv.kernel: …`.
 *
 * @param place what the list is called in the configuration
 */
export function buildLayers(net: NetworkBuilder, x: Value, list: LayerList, place = "layers"): Value {
  return list.reduce<Value>((value, item, i) => net.at(`${place}[${i}]`, () => buildItem(net, value, item)), x);
}

function buildItem(net: NetworkBuilder, x: Value, item: LayerItem): Value {
  const { kind, given } = parted(net, item);
  const layer = layers().get(kind);
  if (!layer) throw net.refuse(`there is no layer "${kind}"`, { hint: `Known: ${[...layers().keys()].join(", ")}.` });
  return net.at(`${net.place}.${kind}`, () => layer(net, x, optionsOf(layer, given) as never));
}

function parted(net: NetworkBuilder, item: LayerItem): { kind: string; given: unknown } {
  if (typeof item === "string") return { kind: item, given: {} };
  const entries = item !== null && typeof item === "object" && !Array.isArray(item) ? Object.entries(item) : [];
  const [only, ...rest] = entries;
  if (!only || rest.length > 0)
    throw net.refuse(`found ${JSON.stringify(item)}; it wants one layer: its kind, or { kind: options }`);
  return { kind: only[0], given: only[1] };
}

/** What stands for the main option alone becomes options. */
function optionsOf(layer: AnyLayer, given: unknown): unknown {
  const bare = given === null || typeof given !== "object" || Array.isArray(given);
  return bare && layer.main !== undefined && given !== null ? { [layer.main]: given } : (given ?? {});
}
