import { cifake } from "./cifake.ts";
import { covidnet3d } from "./covidnet-3d.ts";
import { mobilenetV2 } from "./mobilenet-v2.ts";
import type { AnyPreset } from "./preset.ts";
import { r3d18 } from "./r3d-18.ts";
import { resnet } from "./resnet.ts";
import { scenes } from "./scenes.ts";

/** Every known network. A new one is a file beside this one and a line here. */
export const presets: ReadonlyMap<string, AnyPreset> = new Map(
  [cifake, covidnet3d, resnet, mobilenetV2, r3d18, scenes].map((preset: AnyPreset) => [preset.network, preset]),
);
