import { checkRun, prepareRun, type RunOptions, runConfig, runUnits, trainJsonSchema } from "@camkit/cam-train";
import { defineCommand, type Outcome, option, positional } from "../command.ts";
import { UsageError } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { timeOf } from "../explain/provenance.ts";
import type { Io } from "../io.ts";
import { toJson } from "../output.ts";
import { startTrainingProgress } from "../train/progress.ts";
import { openRequest, type Requested } from "../train/request.ts";
import { checkText, runText, unitsText } from "../train/text.ts";
import { version } from "../version.ts";

export default defineCommand({
  summary: "Train a network or fine-tune one, and deploy it.",
  description:
    "Writes a model with its manifest, recipe, log, curve, report and checkpoints into the run's folder. A run that was stopped goes on with --resume to exactly the weights that it would have had.",
  parameters: {
    config: positional.optional("CONFIG", "a YAML or JSON file; without one, --model and --data"),
    model: option.text("MODEL", "the model to go on from: a file, or the name of one that ships"),
    data: option.text("DIR", "the training pictures, a folder per class, or a .csv list"),
    set: option.many("KEY=VALUE", "changes one setting: rate=0.01, network.filters=64; may be given several times"),
    out: option.text("DIR", "the run's folder; default: the configuration's, else runs/NAME beside it"),
    resume: option.flag("go on with the run in that folder"),
    check: option.flag("say what the run would be, draw a batch as training sees it, train nothing"),
    schema: option.flag("print the JSON Schema of configurations, by which editors complete and check them"),
  },
  examples: [
    "camkit train cifake.yaml --set network.filters=64 --set epochs=10",
    "camkit train --model mobilenet.onnx --data photos/ --out runs/mine",
  ],
  run: async ({ resume, check, schema, ...request }, io) => {
    if (schema) return { document: trainJsonSchema(), text: () => toJson(trainJsonSchema()) };
    if (request.config === undefined && request.model === undefined && request.data === undefined)
      throw new UsageError("no configuration was given", { hint: "See `camkit train --help`." });
    const requested = await openRequest(request);
    return check ? checkFirst(requested) : runRequested(requested, resume, io);
  },
});

/** Checks the first training; those of a sweep have the same data. */
async function checkFirst({ units, out }: Requested): Promise<Outcome> {
  const [unit] = units;
  const document = await checkRun(await prepareRun(unit!.config, unit!.fold), out);
  return { document: { out, ...document }, text: () => checkText(document, out) };
}

async function runRequested({ units, out, again }: Requested, resume: boolean, io: Io): Promise<Outcome> {
  const progress = startTrainingProgress(io);
  const interrupted = (where: object, said: string): Outcome => ({
    document: { out, interrupted: true, ...where, resume: again },
    text: () => `interrupted ${said}; what was learned is saved. Go on with\n  ${again}`,
    exitCode: exitCodes.interrupted,
  });
  const options: RunOptions = {
    ...{ out, resume, signal: io.signal, generator: `camkit ${version}`, time: timeOf() },
    onEvent: progress.onEvent,
  };
  try {
    const [only, ...others] = units;
    if (only!.name !== "" || others.length > 0) {
      const onUnit = ({ name }: { name: string }, i: number) => progress.say(`${i + 1} of ${units.length}: ${name}`);
      const { state, done, document } = await runUnits(units, { ...options, onUnit });
      if (state === "interrupted") return interrupted({ done, of: units.length }, `after ${done} of ${units.length}`);
      const failed = document.rows.some(({ error }) => error !== undefined);
      return {
        document: { out, ...document },
        text: () => unitsText(document, out),
        exitCode: failed ? exitCodes.failed : exitCodes.done,
      };
    }
    const result = await runConfig(only!.config, options);
    if (result.state === "interrupted") {
      const { step, steps } = result.trained;
      return interrupted({ step, steps }, `after step ${step} of ${steps}`);
    }
    const { state, document } = result;
    const before = state === "already" ? "This run was finished before; nothing was done.\n\n" : "";
    return { document: { out, state, ...document }, text: () => before + runText(document, out) };
  } finally {
    progress.stop();
  }
}
