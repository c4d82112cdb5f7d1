import { describeOutput, outputKinds } from "@camkit/medical";
import { defineCommand, option, positional } from "../command.ts";
import {
  dicomwebOption,
  headerOption,
  jobOptions,
  selectOption,
  seriesOption,
  storeOptions,
  studyOption,
} from "../ct/options.ts";
import { runCt } from "../ct/run.ts";

export default defineCommand({
  summary: "Explain a chest CT: DICOM in; prediction, 3-D map, DICOM objects and a report out.",
  description:
    "Reads a DICOM series (or radiographs, or NIfTI), runs a 3-D network on it, and writes where it looked, on the scan's own grid. For research use only: nothing that is written is a diagnosis.",
  notes: `Outputs:\n${outputKinds.map((kind) => `  ${kind.padEnd(8)}${describeOutput(kind).file.padEnd(20)}${describeOutput(kind).what}`).join("\n")}\n\nThe model that ships knows synthetic scans alone: it is a demonstration. Bring your own with --model, and say in its manifest\n(model.camkit.json, or a MONAI bundle's metadata.json) how scans become its input.`,
  parameters: {
    inputs: positional.any("INPUT", "folders, files, zips, @lists of paths: the series is found in them; or a .nii.gz"),
    out: option.textOr("DIR", "the folder to write to", "camkit-ct"),
    dicomweb: dicomwebOption,
    study: studyOption,
    series: seriesOption,
    select: selectOption,
    header: headerOption,
    all: option.flag("every series (or .nii.gz) of the inputs, a folder each, and summary.csv"),
    resume: option.flag("with --all: keep what an earlier run of the same request finished, and go on"),
    ...jobOptions,
    ...storeOptions,
  },
  examples: [
    "camkit ct scans/patient-7 --out results",
    "camkit ct export.zip --model my-net.onnx --target pneumonia --outputs pm,seg,report",
    "camkit ct cohort/ --all --outputs pm,report --metrics none --out results",
    "camkit ct --dicomweb https://pacs/dicom-web --study 1.2.3 --series 1.2.3.4 --store",
  ],
  run: (request, io) => runCt(request, io),
});
