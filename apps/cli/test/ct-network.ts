import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeModel } from "@camkit/cam-core";
import { createNetwork, type LayerList } from "@camkit/cam-train";

/** A network of fixed layers as FOLDER/NAME.onnx, with a manifest beside it; its path. */
function write(folder: string, name: string, sample: readonly number[], layers: LayerList, manifest: object): string {
  const graph = createNetwork({ name, input: { name: "image", shape: ["n", ...sample] }, seed: 4, layers });
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, writeModel(graph).model);
  const stated = { formatVersion: 1, name, output: { kind: "logits", activation: "softmax" }, ...manifest };
  writeFileSync(join(folder, `${name}.camkit.json`), JSON.stringify(stated));
  return path;
}

/** Two convolutions, an average and a head with fixed weights: trained by nobody, but its maps are not empty. */
export function writeNetwork(
  folder: string,
  name: string,
  sample: readonly number[],
  classes: readonly string[],
  more: object,
  spread = 3,
): string {
  const layers: LayerList = [
    { conv: { name: "first", filters: 6, kernel: 3, stride: 2, padding: 1 } },
    "relu",
    { conv: { name: "second", filters: 8, kernel: 3, padding: 1 } },
    { relu: { name: "features" } },
    { globalAveragePool: { name: "pool" } },
    { dense: { name: "head", units: classes.length, init: { normal: spread } } },
  ];
  return write(folder, name, sample, layers, { classes, ...more });
}

/**
 * A network whose map is known: its one feature is its input, 0 up to 1000 HU and 1 from 2000 on, and its head's weights are all 1
 * (the map is the feature) or all 0 (the map is empty).
 */
export function writeBrightness(folder: string, name: string, size: readonly number[], head: "ones" | "zeros"): string {
  const layers: LayerList = [
    { conv: { name: "same", filters: 1, kernel: 1, bias: false, init: "ones" } },
    { relu: { name: "features" } },
    { globalAveragePool: { name: "pool" } },
    { dense: { name: "head", units: 2, init: head } },
  ];
  const intensity = { kind: "window", windowHu: [1000, 2000], range: [0, 1] };
  return write(folder, name, [1, ...size], layers, {
    classes: ["dark", "bright"],
    extensions: { medical: { preprocess: { kind: "volume", size, intensity } } },
  });
}
