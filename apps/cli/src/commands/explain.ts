import { colormapNames, defaultColormap, methodNamed, methods, overlayViews } from "@camkit/cam-core";
import { defineCommand, option, positional } from "../command.ts";
import { deviceOption, layerOption, manifestOption, modelArgument, targetOption, threadsOption } from "../common.ts";
import { runExplain } from "../explain/run.ts";

export default defineCommand({
  summary: "Show where a model looked.",
  description:
    "Writes, per input and target, a picture and the map as .npy, and one result.json that says how each came about.",
  notes: `Methods:\n${methods.map((method) => `  ${method.name.padEnd(18)}${method.summary}`).join("\n")}`,
  parameters: {
    model: modelArgument,
    inputs: positional.many("INPUT", "pictures, .npy tensors (fed as they are), NAME=FILE.npy, folders of pictures"),
    method: option.textOr("NAME", "how the map is made", "grad-cam"),
    layer: layerOption,
    target: targetOption,
    out: option.textOr("DIR", "the folder to write to", "camkit-out"),
    raw: option.text(
      "FILE.npy",
      "also the raw map [N, …space] at the layer's own resolution; with several layers, inputs or targets a folder",
    ),
    view: option.oneOf(overlayViews, "how pictures are drawn", "overlay"),
    colormap: option.oneOf(colormapNames, "the colour scale", defaultColormap),
    format: option.oneOf(["png", "jpeg"], "of the pictures written", "png"),
    top: option.count("K", "how many predictions to list", 5),
    input: option.text("NAME", "the graph input that INPUT is for, where the model has several"),
    output: option.text("NAME", "the graph output to explain, where the model has several"),
    manifest: manifestOption,
    device: deviceOption,
    threads: threadsOption,
  },
  examples: [
    "camkit explain scenes photo.png --out maps",
    'camkit explain model.onnx photos/ --target "tabby,tiger cat" --method layer-cam --out maps',
    "camkit explain model.onnx x.npy --layer /layer4/Relu_output_0 --target 281 --raw cam.npy --out maps",
  ],
  run: async ({ inputs, top, ...request }, io) => {
    methodNamed(request.method); // an unknown one is said before anything is opened
    return runExplain({ ...request, top: top ?? 5 }, inputs, io);
  },
});
