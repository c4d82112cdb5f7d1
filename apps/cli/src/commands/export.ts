import { methodNamed } from "@camkit/cam-core";
import { defineCommand, option } from "../command.ts";
import { deviceOption, layerOption, manifestOption, modelArgument, threadsOption } from "../common.ts";
import { runExport } from "../export/run.ts";

export default defineCommand({
  summary: "Write a model that explains itself.",
  description:
    "An ONNX file with the model's own outputs, then `cam`, the raw map as explain --raw gives it, and `cam_map`, upsampled and scaled to 0..1. It runs in any ONNX Runtime: no camkit is needed there.",
  notes: [
    "The class is chosen in each run by the input cam_target, int64 [N] or [1]: -1 is the winner, and what is explained where",
    "the input is left out. A number that is no class makes that sample's maps NaN.",
    "onnxruntime-node and -web want every input fed: there, feed -1. --target-input required makes cam_target a plain tensor",
    "for servers that know no optional inputs (Triton, OpenVINO, TensorRT).",
  ].join("\n"),
  parameters: {
    model: modelArgument,
    out: option.required(
      "FILE.onnx",
      "the file to write; where its weights don't fit into it, FILE.onnx.data lies beside it",
    ),
    method: option.textOr("NAME", "how the map is made", "grad-cam"),
    layer: layerOption,
    target: option.text("T", "explain this, always: a class number or label, A-B, OUTPUT[i,j], mask:FILE, auto"),
    allClasses: option.flag(
      "cam holds a map per class [N, classes, …]; where pooling and one linear layer follow the layer",
    ),
    targetInput: option.oneOf(["optional", "required"], "whether cam_target may be left out", "optional"),
    foldPreprocessing: option.flag(
      "take pictures, uint8 [N, H, W, 3] RGB of any size, prepared in the graph as the manifest says",
    ),
    prefix: option.textOr("NAME", "what the added names begin with", "cam"),
    externalData: option.flag("weights into FILE.onnx.data, also where they would fit into the file"),
    skipCheck: option.flag("don't run the file beside explain on a random input before it is written"),
    input: option.text("NAME", "the graph input to explain, where the model has several"),
    output: option.text("NAME", "the graph output to explain, where the model has several"),
    manifest: manifestOption,
    device: deviceOption,
    threads: threadsOption,
  },
  examples: [
    "camkit export model.onnx --out explained.onnx",
    "camkit export model.onnx --method hires-cam --layer /layer4/Relu_output_0 --target tabby --out tabby.onnx",
    "camkit export model.onnx --all-classes --fold-preprocessing --out explained.onnx",
  ],
  run: async (request, io) => {
    methodNamed(request.method); // an unknown one is said before anything is opened
    return runExport(request, io);
  },
});
