import { defineCommand, option } from "../command.ts";
import { manifestOption, modelArgument } from "../common.ts";
import { inspectModel } from "../inspect/facts.ts";
import { inspectionText } from "../inspect/text.ts";
import { checkOutput, openModelArgument } from "../model.ts";

export default defineCommand({
  summary: "Say what is in a model, and where it can be explained.",
  parameters: {
    model: modelArgument,
    input: option.text("NAME", "the graph input to explain, where the model has several"),
    output: option.text("NAME", "the graph output to explain, where the model has several"),
    manifest: manifestOption,
    all: option.flag("list every candidate layer"),
  },
  examples: ["camkit inspect scenes", "camkit inspect model.onnx --json | jq -r '.layers[] | select(.default).tensor'"],
  run: async ({ model: given, input, output, manifest, all }) => {
    const model = await openModelArgument(given, manifest);
    checkOutput(model, output);
    const document = inspectModel(model, { input, output });
    return { document, text: () => inspectionText(document, { all }) };
  },
});
