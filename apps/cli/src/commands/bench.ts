import { benchModel, ranOnText, ranOnWarnings } from "@camkit/cam-core";
import { defineCommand, option } from "../command.ts";
import { deviceOption, layerOption, modelArgument, targetOption, threadsOption } from "../common.ts";
import { UsageError } from "../errors.ts";
import { milliseconds } from "../format.ts";
import { warn } from "../io.ts";
import { layersArgument, openModelArgument } from "../model.ts";
import { facts } from "../table.ts";
import { targetsArgument } from "../targets.ts";

export default defineCommand({
  summary: "Measure an explanation against the untouched file's forward pass.",
  description:
    "Both run in one process on the same random input, in alternating pairs; medians. `explain` is from decoded tensor to finished map.",
  parameters: {
    model: modelArgument,
    method: option.textOr("NAME", "a method, or gradient for the bare input gradient", "grad-cam"),
    layer: layerOption,
    target: targetOption,
    against: option.text("FILE.onnx", "measure this exported file instead of an explanation made here"),
    pairs: option.count("N", "pairs to measure", 30),
    device: deviceOption,
    threads: threadsOption,
  },
  examples: [
    "camkit bench scenes --threads 2",
    "camkit bench resnet50.onnx --method grad-cam --json",
    "camkit bench resnet50.onnx --against explained.onnx",
  ],
  run: async ({ model: given, method, layer, target, against, pairs, device, threads }, io) => {
    const model = await openModelArgument(given);
    const [wanted, ...more] = await targetsArgument(target, model);
    if (!wanted || more.length > 0) throw new UsageError("bench measures one target");
    const layers = layersArgument(layer, model);
    const measured = await benchModel(model.path, {
      method,
      layers,
      target: wanted.target,
      against,
      device,
      ...(pairs === undefined ? {} : { pairs }),
      threads,
    });
    for (const warning of ranOnWarnings(measured.ranOn)) warn(io, warning);
    return {
      document: {
        model: model.name,
        file: model.path,
        ...(against === undefined ? { method } : { against }),
        ...measured,
      },
      text: () =>
        facts([
          ["model", model.name],
          [
            "explained",
            `${against === undefined ? method : `by ${against}`}${measured.layers.length > 0 ? ` at ${measured.layers.join(", ")}` : ""}`,
          ],
          ["forward", milliseconds(measured.forwardMs)],
          ["explain", milliseconds(measured.explainMs)],
          ["ratio", `${measured.ratio.toFixed(2)} ×`],
          [
            "open",
            `${milliseconds(measured.openMs)} the file alone, ${milliseconds(measured.prepareMs)} prepared to explain`,
          ],
          ["memory", `${Math.round(measured.peakMb)} MB at the most`],
          ["ran on", `${ranOnText(measured.ranOn)}, ${measured.threads} threads, medians of ${measured.pairs} pairs`],
        ]),
    };
  },
});
