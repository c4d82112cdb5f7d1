import type { Tensor } from "@camkit/cam-core/data";
import { prepareLungCt } from "../preprocess/lung-ct.ts";
import type { LungMask } from "../preprocess/lungs/lung-mask.ts";
import type { Placement } from "../preprocess/placement.ts";
import { prepareVolume } from "../preprocess/prepare-volume.ts";
import type { Volume } from "../volume/volume.ts";
import type { MedicalManifest } from "./manifest.ts";

/** A scan made ready for a network, whatever its preprocessing. */
export type PreparedScan = {
  readonly tensor: Tensor;
  readonly placement: Placement;
  readonly lungMask: LungMask | undefined;
  readonly notes: readonly string[];
  /** One line for provenance. */
  readonly words: string;
};

/** What the manifest says is done to a scan. Throws NoLungsError. */
export function prepareScan(volume: Volume, preprocess: NonNullable<MedicalManifest["preprocess"]>): PreparedScan {
  if (preprocess.kind === "volume") {
    const { tensor, placement, report } = prepareVolume(volume, preprocess);
    return { tensor, placement, lungMask: undefined, notes: report.notes, words: report.words };
  }
  const { tensor, placement, lungMask, report } = prepareLungCt(volume, preprocess);
  return { tensor, placement, lungMask, notes: report.notes, words: report.words };
}
