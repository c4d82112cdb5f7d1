import { cifake } from "./cifake.ts";
import type { Preset } from "./preset.ts";

/** Every known network. A new one is a file beside this one and a line here. */
export const presets: ReadonlyMap<string, Preset> = new Map(
  ([cifake] as unknown as Preset[]).map((preset) => [preset.network, preset]),
);
