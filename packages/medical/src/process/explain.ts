import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

import { type Instance, isRadiograph, type Scan, type Series, scanOf } from "../dicom/index.ts";
import { loadVolume } from "../dicom/pixels/index.ts";
import { radiographOf } from "../dicom/radiograph.ts";
import { resampled } from "../dicom/resampling.ts";
import { derivedUid } from "../dicom/uids.ts";
import { readNifti } from "../nifti/index.ts";
import type { Volume } from "../volume/volume.ts";
import { explainPicture } from "./explain-picture.ts";
import { explainScan } from "./explain-scan.ts";
import type { ExplainedScan } from "./explained-scan.ts";
import type { ExplainRequest } from "./request.ts";
import { stagesOf } from "./stages.ts";

/**
 * Explains a network's answer about one DICOM series: a scan, or a radiograph. Throws IrregularSeriesError and
 * MissingGeometryError, what decoding, preparing and running throw, AbortedError.
 */
export async function explainSeries(series: Series, request: ExplainRequest): Promise<ExplainedScan> {
  const stages = stagesOf(request);
  const { instance } = series.slices[0]!;
  if (series.slices.length === 1 && isRadiograph(instance)) return explainInstance(instance, request);
  const { scan, source, resampling } = await stages.run("ordering", () => scanOf(series, request));
  const { signal } = request;
  const volume = await stages.run("loading", async (onProgress) => {
    const loaded = await loadVolume(source, { onProgress, ...(signal ? { signal } : {}) });
    return resampling ? resampled(loaded, resampling) : loaded;
  });
  return explainScan(scan, volume, request, stages);
}

async function explainInstance(instance: Instance, request: ExplainRequest): Promise<ExplainedScan> {
  const stages = stagesOf(request);
  const radiograph = await stages.run("loading", () => radiographOf(instance));
  return explainPicture(radiograph, request, stages);
}

/** The same for a NIfTI scan, which belongs to no study: it has no instances that DICOM results could refer to. */
export async function explainNifti(path: string, request: ExplainRequest): Promise<ExplainedScan> {
  const stages = stagesOf(request);
  const volume = await stages.run("loading", () => readNifti(path));
  return explainScan(await scanOfNifti(path, volume), volume, request, stages);
}

async function scanOfNifti(path: string, { geometry }: Volume): Promise<Scan> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part);
  const digest = hash.digest("hex");
  return {
    modality: "CT",
    geometry,
    frameOfReferenceUid: derivedUid(digest, "frame"),
    slices: [],
    identity: { StudyInstanceUID: derivedUid(digest, "study"), SeriesInstanceUID: derivedUid(digest, "series") },
    remapped: [],
    notes: ["a NIfTI file: taken for a CT in HU; there is no DICOM study that results could belong to"],
  };
}
