import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AbortedError } from "@camkit/cam-core";
import { writeAtomic } from "@camkit/cam-core/data";
import { writeNifti } from "../nifti/index.ts";
import type { Provenance } from "../provenance.ts";
import { contactSheet, fusedPictures, type OutputFile, reportPage } from "../report/index.ts";
import {
  type ClassPrediction,
  lungMeasurements,
  type SegmentationResult,
  type WrittenInstance,
  writeNrrd,
  writeParametricMap,
  writeReport,
  writeSecondaryCapture,
  writeSegmentation,
} from "../write/index.ts";
import type { ExplainedScan } from "./explained-scan.ts";

/** What was written so far: later outputs refer to earlier ones. */
type Written = {
  readonly files: OutputFile[];
  readonly dicom: WrittenInstance[];
  readonly notes: string[];
  parametricMap?: WrittenInstance;
  segmentation?: SegmentationResult;
};

/** One kind of output: its name in the folder, and how it is written; answers with the DICOM instances among what it wrote. */
type Writer = {
  readonly file: string;
  readonly what: string;
  /** `undefined`: there was nothing to write, which a note explains. */
  readonly write: (
    explained: ExplainedScan,
    path: string,
    written: Written,
    signal?: AbortSignal,
  ) => Promise<readonly WrittenInstance[] | undefined>;
};

/** Every output by name, in the order in which they are written: the report refers to the DICOM objects, the page to all files. */
const writers = {
  pm: {
    file: "map.pm.dcm",
    what: "the map as a DICOM Parametric Map",
    write: async (explained, path, written) => {
      written.parametricMap = await writeParametricMap(path, explained.map, explained);
      return [written.parametricMap];
    },
  },
  seg: {
    file: "map.seg.dcm",
    what: "the map from its threshold on as a DICOM Segmentation",
    write: async (explained, path, written) => {
      const made = await writeSegmentation(path, explained.map, explained, explained.statistics.threshold);
      written.segmentation = made;
      if (made.kind === "segmentation") return [made];
      await rm(path, { force: true }); // of an earlier run
      written.notes.push(
        `no segmentation: nothing reaches ${made.threshold}, the map's largest value is ${made.largest}`,
      );
      return undefined;
    },
  },
  sc: {
    file: "pictures",
    what: "slices with the map's colours as DICOM Secondary Captures, a folder",
    write: async (explained, folder, _, signal) => {
      const { volume, map, provenance } = explained;
      const draw = await fusedPictures(volume, map, titles(explained));
      const picture = async (k: number) => {
        if (signal?.aborted) throw new AbortedError();
        return draw(k);
      };
      return writeSecondaryCapture(folder, picture, explained, { look: `${provenance.target} over lung window` });
    },
  },
  sr: {
    file: "report.sr.dcm",
    what: "prediction and measurements as a DICOM Structured Report",
    write: async (explained, path, { parametricMap, segmentation }) => [
      await writeReport(path, explained, {
        predictions: classPredictions(explained),
        measurements: lungMeasurements(explained.statistics, explained.provenance.method),
        ...(parametricMap ? { parametricMap } : {}),
        ...(segmentation ? { segmentation } : {}),
      }),
    ],
  },
  nifti: {
    file: "map.nii.gz",
    what: "the map as NIfTI, on the scan's grid",
    write: async ({ map, provenance }, path) => {
      await writeNifti(path, map, provenance);
      return [];
    },
  },
  nrrd: {
    file: "map.nrrd",
    what: "the map as NRRD, on the scan's grid",
    write: async ({ map, provenance }, path) => {
      await writeNrrd(path, map, provenance);
      return [];
    },
  },
  sheet: {
    file: "contact-sheet.png",
    what: "slices on one sheet",
    write: async (explained, path) => {
      const { volume, map, statistics, provenance } = explained;
      const options = { ...titles(explained), provenance: pictureFacts(provenance) };
      await writeAtomic(path, await contactSheet(volume, map, statistics, options));
      return [];
    },
  },
  report: {
    file: "report.html",
    what: "everything on one page, with a browser of slices",
    write: async (explained, path, { files, notes }, signal) => {
      const all = [...(explained.notes ?? []), ...notes];
      await writeAtomic(path, await reportPage({ ...explained, notes: all, files, ...(signal ? { signal } : {}) }));
      return [];
    },
  },
} satisfies Record<string, Writer>;

export type OutputKind = keyof typeof writers;

/** Every kind of output, in the order of writing. */
export const outputKinds = Object.keys(writers) as readonly OutputKind[];

/** What a kind of output is, and its name in the folder. */
export const describeOutput = (kind: OutputKind): Pick<Writer, "file" | "what"> => writers[kind];

export type WriteOptions = {
  readonly kinds?: readonly OutputKind[];
  /** Before each kind. */
  readonly onOutput?: (kind: OutputKind) => void;
  readonly signal?: AbortSignal | undefined;
};

/** What a run left: files, the DICOM instances among them, and what wasn't written, and why. */
export type WrittenOutputs = Pick<Written, "files" | "dicom" | "notes">;

/** Writes the outputs asked for, all of them by default, each under a temporary name first. Throws what the writers throw. */
export async function writeOutputs(
  explained: ExplainedScan,
  folder: string,
  { kinds = outputKinds, onOutput, signal }: WriteOptions = {},
): Promise<WrittenOutputs> {
  const written: Written = { files: [], dicom: [], notes: [] };
  for (const kind of outputKinds.filter((each) => kinds.includes(each))) {
    if (signal?.aborted) throw new AbortedError();
    onOutput?.(kind);
    const { file, what, write }: Writer = writers[kind];
    const instances = await write(explained, join(folder, file), written, signal);
    if (instances === undefined) continue;
    written.files.push({ name: file, what });
    written.dicom.push(...instances);
  }
  const { files: all, dicom, notes } = written;
  return { files: all, dicom, notes };
}

function titles({ scan, provenance: { target, probability, model, method, layers } }: ExplainedScan) {
  return {
    isProjection: scan.frameOfReferenceUid === undefined,
    title: probability === undefined ? target : `${target} ${(100 * probability).toFixed(0)} %`,
    detail: `${model.name} · ${method} at ${layers.join(", ")}`,
  };
}

const pictureFacts = ({ camkitVersion, time, ...facts }: Provenance) => ({
  software: `camkit ${camkitVersion}`,
  ...facts,
  time: time.toISOString(),
});

/** The likeliest class is the answer, unless the model may not answer so unsure; of independent classes all above one half. */
function classPredictions({ predictions, calibration, isMultiLabel = false }: ExplainedScan): ClassPrediction[] {
  return predictions.flatMap(({ label, class: index, probability }, i) => {
    if (probability === undefined) return [];
    const isPredicted = isMultiLabel ? probability > 0.5 : i === 0 && probability >= (calibration?.answerAbove ?? 0);
    return [{ label: label ?? `class ${index}`, probability, isPredicted }];
  });
}
