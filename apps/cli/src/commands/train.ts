import { type RunResult, runConfig } from "@camkit/cam-train";
import { defineCommand, type Outcome, option, positional } from "../command.ts";
import { UsageError } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { timeOf } from "../explain/provenance.ts";
import { startTrainingProgress } from "../train/progress.ts";
import { openRequest, type Requested } from "../train/request.ts";
import { runText } from "../train/text.ts";
import { version } from "../version.ts";

export default defineCommand({
  summary: "Train a network, or fine-tune one, and deploy it.",
  description:
    "Writes a model with its manifest, recipe, log, curve, report and checkpoints into the run's folder. A run that was stopped goes on with --resume to exactly the weights it would have had.",
  parameters: {
    config: positional.optional("CONFIG", "a YAML or JSON file; without one, --model and --data"),
    model: option.text("MODEL", "the model to go on from, instead of the configuration's"),
    data: option.text("DIR", "the training pictures, a folder per class, instead of the configuration's"),
    set: option.many("KEY=VALUE", "changes one setting: rate=0.01, network.filters=64; may be given several times"),
    out: option.text("DIR", "the run's folder; default: the configuration's, else runs/NAME beside it"),
    resume: option.flag("go on with the run in that folder"),
  },
  examples: [
    "camkit train cifake.yaml --set network.filters=64",
    "camkit train --model mobilenet.onnx --data photos/ --out runs/mine",
  ],
  run: async ({ resume, ...request }, io) => {
    if (request.config === undefined && request.model === undefined && request.data === undefined)
      throw new UsageError("no configuration was given", { hint: "See `camkit train --help`." });
    const requested = await openRequest(request);
    const progress = startTrainingProgress(io);
    try {
      const result = await runConfig(requested.config, {
        out: requested.out,
        resume,
        signal: io.signal,
        generator: `camkit ${version}`,
        time: timeOf(),
        onEvent: progress.onEvent,
      });
      return outcomeOf(result, requested);
    } finally {
      progress.stop();
    }
  },
});

function outcomeOf(result: RunResult, { again }: Requested): Outcome {
  const { out } = result;
  if (result.state === "interrupted") {
    const { step, steps } = result.trained;
    const said = `interrupted after step ${step} of ${steps}; what it has learned is saved. Go on with\n  ${again}`;
    return {
      document: { out, interrupted: true, step, steps, resume: again },
      text: () => said,
      exitCode: exitCodes.interrupted,
    };
  }
  const { state, document } = result;
  const before = state === "already" ? "This run was finished before; nothing was done.\n\n" : "";
  return { document: { out, state, ...document }, text: () => before + runText(document, out) };
}
