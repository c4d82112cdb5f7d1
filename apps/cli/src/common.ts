import { autoOrder, deviceNames } from "@camkit/cam-core";
import { option, positional } from "./command.ts";

/** Parameters that several commands share, worded once. */

export const modelArgument = positional.one("MODEL", "an .onnx file, or the name of a model that ships");

export const layerOption = option.textOr("TENSOR", "the target layer, several joined by commas, or auto", "auto");

export const targetOption = option.textOr(
  "LIST",
  "what is explained: auto (the winner), a class number or label, A-B, OUTPUT[i,j], mask:FILE; several joined by commas",
  "auto",
);

export const deviceOption = option.textOr(
  "NAME",
  `where to run: ${deviceNames.join(", ")}, or auto: ${autoOrder.join(", else ")}`,
  "auto",
);

export const threadsOption = option.count("N", "threads inside an operator; default: one per physical core");

export const manifestOption = option.text("FILE", "the manifest to use instead of the one beside the model");
