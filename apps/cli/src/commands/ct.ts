import { describeOutput, outputKinds } from "@camkit/medical";
import { defineCommand, option, positional } from "../command.ts";
import { deviceOption, manifestOption, threadsOption } from "../common.ts";
import { dicomwebOption, headerOption, selectOption, seriesOption, studyOption } from "../ct/options.ts";
import { runCt } from "../ct/run.ts";

export default defineCommand({
  summary: "Explain a chest CT: DICOM in; prediction, 3-D map, DICOM objects and a report out.",
  description:
    "Reads a DICOM series (or radiographs, or NIfTI), runs a 3-D network on it, and writes where it looked, on the scan's own grid. For research use only: nothing that is written is a diagnosis.",
  notes: `Outputs:\n${outputKinds.map((kind) => `  ${kind.padEnd(8)}${describeOutput(kind).file.padEnd(20)}${describeOutput(kind).what}`).join("\n")}\n\nThe model that ships knows synthetic scans alone: it is a demonstration. Bring your own with --model, and say in its manifest\n(model.camkit.json, or a MONAI bundle's metadata.json) how scans become its input.`,
  parameters: {
    inputs: positional.any(
      "INPUT",
      "folders, files, zips, @lists of paths: the series is found in them; or one .nii.gz",
    ),
    model: option.textOr("MODEL", "an .onnx file, or the name of a model that ships", "chest-ct"),
    out: option.textOr("DIR", "the folder to write to", "camkit-ct"),
    dicomweb: dicomwebOption,
    study: studyOption,
    series: seriesOption,
    select: selectOption,
    header: headerOption,
    allowIrregular: option.flag(
      "resample a series with gaps, duplicates, uneven spacing or tilt, instead of refusing it",
    ),
    method: option.text("NAME", "how the map is made; default: what the model's manifest says, or grad-cam"),
    layer: option.text("LIST", "target layers; default: what the model's manifest says, or the last one"),
    target: option.textOr("CLASS", "the class to explain: a label, a number, or auto (the winner)", "auto"),
    threshold: option.number("T", "of the segmentation and of volumes: the share of the map's largest value", 0.5),
    outputs: option.textOr("LIST", "what is written, joined by commas, or all", "all"),
    metrics: option.textOr("LIST", "deletion, insertion, randomisation, joined by commas; all or none", "all"),
    store: option.flag("send the DICOM results back to the PACS, each exactly once"),
    dimse: option.text("AET@HOST:PORT", "send the DICOM results by C-STORE instead"),
    remapUids: option.flag("store results of a series whose missing or illegal UIDs had to be replaced"),
    manifest: manifestOption,
    device: deviceOption,
    threads: threadsOption,
  },
  examples: [
    "camkit ct scans/patient-7 --out results",
    "camkit ct export.zip --model my-net.onnx --target pneumonia --outputs pm,seg,report",
    "camkit ct --dicomweb https://pacs/dicom-web --study 1.2.3 --series 1.2.3.4 --store",
  ],
  run: (request, io) => runCt(request, io),
});
