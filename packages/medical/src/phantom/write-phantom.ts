import { join } from "node:path";
import { encodeNpy, writeAtomic } from "@camkit/cam-core/data";
import { writeCtSeries } from "../write/ct-series.ts";
import { drawThorax, type Thorax, type ThoraxOptions } from "./draw.ts";

/**
 * Draws a phantom and writes it: `series/`, real CT images; `lesions.npy` and `lungs.npy`, uint8 on the series' grid; `truth.json`,
 * its class, lesions and geometry. Returns what was drawn and the series' files in the order of the slices.
 */
export async function writePhantom(
  seed: number,
  folder: string,
  options: ThoraxOptions = {},
): Promise<{ readonly thorax: Thorax; readonly files: readonly string[] }> {
  const thorax = drawThorax(seed, options);
  const { volume, label, lesions, lesionMask, lungMask } = thorax;
  const files = await writeCtSeries(volume, join(folder, "series"), {
    key: `phantom ${seed} ${label} ${JSON.stringify(volume.geometry)}`,
    patientId: `PHANTOM-${seed}`,
    seriesDescription: `Phantom ${seed}`,
  });
  const shape = [...volume.geometry.shape];
  await writeAtomic(join(folder, "lesions.npy"), encodeNpy({ dtype: "uint8", shape, data: lesionMask }));
  await writeAtomic(join(folder, "lungs.npy"), encodeNpy({ dtype: "uint8", shape, data: lungMask }));
  const truth = { seed, label, lesions, geometry: volume.geometry, lungs: { 1: "right", 2: "left" } };
  await writeAtomic(join(folder, "truth.json"), new TextEncoder().encode(`${JSON.stringify(truth, null, 2)}\n`));
  return { thorax, files };
}
