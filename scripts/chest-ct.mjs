// The shipped model of synthetic chest CTs: its maps compared, measured, shipped. Needs a build (`npm run build`).
//
//   node scripts/chest-ct.mjs compare MODEL.onnx                 many ways to make its map, on the validation phantoms
//   node scripts/chest-ct.mjs measure MODEL.onnx                 answers and maps on the test phantoms, as JSON
//   node scripts/chest-ct.mjs ship out/chest-ct                  measures a run's model, and puts it and its manifest into models/chest-ct
//   node scripts/chest-ct.mjs real MODEL.onnx SERIES LABELS.npy ROW   a real scan, with no pass mark: lungs, and agreement with slice labels
//
// Prepared phantoms are kept in out/phantoms.
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeNpy, loadModel, writeAtomic } from "../packages/cam-core/dist/index.js";
import {
  accuracyOf,
  aimsBySize,
  meanAims,
  measurePhantoms,
  phantomResults,
} from "../packages/medical/dist/chest-ct/index.js";
import { explainSeries, openScanModel, openStudy, phantoms, selectSeries } from "../packages/medical/dist/index.js";

const folder = "models/chest-ct";
const size = [48, 96, 96];
const keep = "out/phantoms";
const validation = { first: 2_000_000, count: 150, size, keep };
const test = { first: 4_000_000, count: 300, size, keep };

const way = (method, ...layers) => ({ name: `${method} at ${layers.join(", ")}`, method, layers });
/** CovidNet3D's own. */
const paper = way("cam", "mix");

async function shippedWay(path) {
  const { medical } = JSON.parse(await readFile(path, "utf8")).extensions;
  return way(medical.method, ...medical.layers);
}

async function measured(path, shipped) {
  const model = await loadModel(path);
  const cases = await measurePhantoms(model, phantoms(test), { ways: [shipped, paper], threads: 1 });
  const results = phantomResults(cases, {
    way: shipped.name,
    paper: paper.name,
    data: `${test.count} synthetic scans, seeds ${test.first}-${test.first + test.count - 1}`,
    command: `node scripts/chest-ct.mjs measure ${folder}/model.onnx`,
  });
  return { results, bySize: aimsBySize(cases, shipped.name) };
}

/** How well the share of the map per slice tells labelled slices from others: the area under the ROC curve. */
function areaUnderRoc(scores, labels) {
  const [inside, outside] = [1, 0].map((label) => scores.filter((_, i) => labels[i] === label));
  const wins = inside.reduce((sum, a) => sum + outside.reduce((won, b) => won + (a > b ? 1 : a === b ? 0.5 : 0), 0), 0);
  return wins / (inside.length * outside.length);
}

const commands = {
  async compare(path) {
    const model = await loadModel(path);
    const stages = ["stage3", "stage1", "stage0", "block0"];
    const ways = [
      paper,
      way("grad-cam", "mix"),
      ...stages.flatMap((layer) => ["grad-cam", "hires-cam", "layer-cam"].map((method) => way(method, layer))),
      ...["hires-cam", "layer-cam"].flatMap((method) => [
        way(method, "stage0", "stage1"),
        way(method, "block0", "stage0", "stage1"),
      ]),
    ];
    const cases = await measurePhantoms(model, phantoms(validation), { ways, threads: 1 });
    const rows = ways.map(({ name }) => ({ way: name, ...meanAims(cases, name) }));
    console.log(JSON.stringify({ accuracy: accuracyOf(cases), ways: rows }, null, 2));
  },
  async measure(path) {
    const manifest = path.replace(/\.onnx$/, ".camkit.json");
    console.log(JSON.stringify(await measured(path, await shippedWay(manifest)), null, 2));
  },
  async ship(run) {
    const medical = JSON.parse(await readFile(join(folder, "medical.json"), "utf8"));
    const { results } = await measured(join(run, "model.onnx"), way(medical.method, ...medical.layers));
    const manifest = JSON.parse(await readFile(join(run, "model.camkit.json"), "utf8"));
    const whole = { ...manifest, results, extensions: { medical } };
    await copyFile(join(run, "model.onnx"), join(folder, "model.onnx"));
    await writeAtomic(join(folder, "model.camkit.json"), `${JSON.stringify(whole, null, 2)}\n`);
  },
  async real(path, series, labels, row) {
    const model = await openScanModel(path);
    const study = await openStudy([series]);
    const explained = await explainSeries(selectSeries(study.series).series, {
      model,
      target: "auto",
      threshold: 0.5,
      metrics: [],
      camkitVersion: "-",
      time: new Date(),
    });
    const table = decodeNpy(await readFile(labels));
    const [, columns] = table.shape;
    const slices = explained.scan.geometry.shape[0];
    const of = Array.from({ length: slices }, (_, i) => Number(table.data[Number(row) * columns + i]));
    // Labels follow SliceLocation, which falls where the scan's slices rise to the head.
    const { massPerSlice, energyInLungs } = explained.statistics;
    const result = {
      predictions: explained.predictions,
      energyInLungs,
      labelledSlices: of.filter(Boolean).length,
      aucBySlice: { feetFirst: areaUnderRoc(massPerSlice, of), headFirst: areaUnderRoc(massPerSlice.toReversed(), of) },
      massPerSlice,
    };
    console.log(JSON.stringify(result, null, 2));
    process.exit(0);
  },
};

const [command, ...rest] = process.argv.slice(2);
if (!commands[command] || rest.length === 0) {
  console.error(
    "usage: node scripts/chest-ct.mjs compare MODEL | measure MODEL | ship RUN | real MODEL SERIES LABELS.npy ROW",
  );
  process.exit(2);
}
await commands[command](...rest);
