import { preprocessingOf } from "@camkit/cam-core";
import { compact, dataSpec, environmentOf, type Measured, refuseRun, testModel } from "@camkit/cam-train";
import { defineCommand, option, positional } from "../command.ts";
import { manifestOption, modelArgument, threadsOption } from "../common.ts";
import { timeOf } from "../explain/provenance.ts";
import { warn } from "../io.ts";
import { checkOutput, mainInput, openModelArgument } from "../model.ts";
import { openBar } from "../progress.ts";
import { excludedIn, testData } from "../train/test-arguments.ts";
import { testFiles, writeTest } from "../train/test-report.ts";
import { testText } from "../train/text.ts";
import { version } from "../version.ts";

export default defineCommand({
  summary: "Measure a classifier on labelled samples.",
  description:
    "Every metric with its 95 % interval, each class against all others, the confusion matrix and how far its sureness can be trusted. Classes are matched by name.",
  parameters: {
    model: modelArgument,
    data: positional.many(
      "DATA",
      "folders with a folder per class, .csv lists, pairs of .npy files, YAML files that describe data",
    ),
    out: option.text("DIR", "also write result.json, report.html and predictions.csv there"),
    classes: option.text("LIST", "names of the classes in the order of the outputs, where the manifest has none"),
    output: option.text("NAME", "the graph output to judge, where the model has several"),
    exclude: option.text("FILE", "also measure without these samples: a path in each line, as in predictions.csv"),
    withoutDuplicatesOf: option.text("DATA", "also measure without what is, to the byte, among these training samples"),
    batch: option.count("N", "samples in a run", 64),
    workers: option.count("N", "threads that read pictures", 1),
    seed: option.count("N", "of the resamples behind the intervals", 1),
    manifest: manifestOption,
    threads: threadsOption,
  },
  examples: [
    "camkit test runs/mine/model.onnx photos/test --out runs/mine/test",
    "camkit test cifake cifake/test --without-duplicates-of cifake/train",
    "camkit test model.onnx images.npy labels.npy --classes cat,dog",
  ],
  run: async ({ model: given, data, out, manifest, ...options }, io) => {
    if (out !== undefined) await refuseRun(out);
    const model = await openModelArgument(given, manifest);
    const { output, classes, exclude, withoutDuplicatesOf, seed = 1, ...running } = options;
    checkOutput(model, output);
    const specs = await testData(data);
    const input = mainInput(model, undefined);
    const takesPictures = model.manifest?.inputs?.[input.name] !== undefined || input.shape?.length === 4;
    const preprocessing = takesPictures ? preprocessingOf(model, input) : undefined;
    const bar = openBar(io, "{bar} {value}/{total} samples · {part}", { part: "" });
    try {
      const tested = await testModel(model, preprocessing?.input, {
        ...running,
        ...{ output, seed, signal: io.signal, data: specs, exclude: excludedIn(exclude) },
        classes: classes?.split(",").map((name) => name.trim()),
        trainingData: withoutDuplicatesOf === undefined ? undefined : dataSpec(withoutDuplicatesOf, (path) => path),
        onProgress: (part, done, total) => bar.show(done, total, { part }),
      });
      bar.stop();
      const pictures = tested.judged.some(({ part }) => part.dataset.fields.input?.dtype === "uint8");
      const stated = [...(model.manifestFrom?.notes ?? []), ...(pictures ? (preprocessing?.notes ?? []) : [])];
      const warnings = [...stated, ...tested.warnings];
      for (const warning of warnings) warn(io, warning);
      const environment = environmentOf({ threads: running.threads, workers: running.workers ?? 1 });
      const document = {
        ...{ camkit: version, command: "test", time: timeOf() },
        model: { name: model.name, file: model.path, sha256: model.sha256() },
        preprocessing: (pictures && preprocessing) || null,
        data: specs,
        measured: tested.measured.map((each: Measured) => compact(each)),
        ...{ seed, environment },
        warnings,
        files: out === undefined ? [] : testFiles,
      };
      if (out !== undefined)
        await writeTest(out, tested, {
          ...{ title: model.name, generator: `camkit ${version}`, time: document.time, document },
          environment: Object.entries(environment).map(([name, value]) => [name, String(value)]),
        });
      return { document: { out: out ?? null, ...document }, text: () => testText(document.measured, out, testFiles) };
    } finally {
      bar.stop();
    }
  },
});
