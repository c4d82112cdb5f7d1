// CIFAKE: its data, and what a trained detector is asked. Needs a build (`npm run build`); docs/cifake.md shows it at work.
//
//   node scripts/cifake.mjs prepare                        checks out/cifake-data, lists what its photographs show
//   node scripts/cifake.mjs evidence MODEL OBJECTS OUT [N] where verdicts' evidence lies, by the maps of a classifier of objects
//   node scripts/cifake.mjs robustness MODEL OUT [N]       the same test pictures saved again, blurred, resized, cropped
//   node scripts/cifake.mjs document OUT                   puts OUT's tables into docs/cifake.md, at their model's place
//   node scripts/cifake.mjs ship RUN                       puts a run's model into models/cifake, its manifest with what train.yaml says
//
// Tables are printed and written into the folder OUT, with all numbers as JSON; N test pictures, drawn by seed 1, instead of all.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodePicture, encodePicture, loadModel, writeAtomic } from "../packages/cam-core/dist/index.js";
import {
  drawExamples,
  drawMasks,
  evidenceTable,
  measureEvidence,
  measureRobustness,
  objectTable,
  readPictures,
  robustnessTable,
  ship,
  writeObjects,
} from "../packages/cam-train/dist/cifake/index.js";

const data = "out/cifake-data";
const onStep = (step) => console.error(step);
const pictures = (count) => readPictures(data, count === undefined ? undefined : Number(count));

async function writeDrawing(file, { svg }) {
  const picture = await decodePicture(new TextEncoder().encode(svg), file);
  await writeAtomic(file, await encodePicture(picture, { format: "webp", quality: 82 }));
}

async function writeTables(out, name, tables, numbers) {
  const text = `${tables.join("\n\n")}\n`;
  await writeAtomic(join(out, `${name}.md`), text);
  await writeAtomic(join(out, `${name}.json`), `${JSON.stringify(numbers, null, 2)}\n`);
  process.stdout.write(text);
}

const about = (model, shown) => ({ model: model.name, sha256: model.sha256(), pictures: shown.count });

const commands = {
  async prepare() {
    console.log(`all pictures are there; ${await writeObjects(data)} photographs listed by what they show`);
  },
  async evidence(path, objects, out, count) {
    const [detector, classifier, shown] = [await loadModel(path), await loadModel(objects), await pictures(count)];
    const found = await measureEvidence(detector, classifier, shown, { onStep });
    const numbers = { ...about(detector, shown), objects: classifier.sha256(), rows: found.rows };
    await writeTables(out, "evidence", [evidenceTable(found.rows), objectTable(found.rows)], numbers);
    await writeDrawing(join(out, "examples.webp"), await drawExamples(shown, found));
    await writeDrawing(join(out, "masks.webp"), await drawMasks(shown, found.masks));
  },
  async robustness(path, out, count) {
    const [detector, shown] = [await loadModel(path), await pictures(count)];
    const rows = await measureRobustness(detector, shown, { onStep });
    await writeTables(out, "robustness", [robustnessTable(rows)], { ...about(detector, shown), rows });
  },
  async document(out) {
    const page = "docs/cifake.md";
    let text = await readFile(page, "utf8");
    for (const name of ["evidence", "robustness"]) {
      if (!existsSync(join(out, `${name}.json`))) continue;
      const told = JSON.parse(await readFile(join(out, `${name}.json`), "utf8"));
      const of = `Model \`${told.model}\` (sha256 ${told.sha256.slice(0, 12)}…), ${told.pictures} test pictures.`;
      const table = await readFile(join(out, `${name}.md`), "utf8");
      const place = new RegExp(
        `(<!-- ${name} of ${told.model}: begin -->).*?(<!-- ${name} of ${told.model}: end -->)`,
        "s",
      );
      if (!place.test(text)) continue;
      console.error(`${page}: ${name} of ${told.model}`);
      text = text.replace(place, (_, begin, end) => `${begin}\n${of}\n\n${table}${end}`);
    }
    await writeAtomic(page, text);
  },
  async ship(run) {
    await ship(run, "models/cifake");
  },
};

/** The fewest arguments of each. */
const least = { prepare: 0, evidence: 3, robustness: 2, document: 1, ship: 1 };

const [command, ...rest] = process.argv.slice(2);
if (!(command in least) || rest.length < least[command]) {
  console.error(
    "usage: node scripts/cifake.mjs prepare | evidence MODEL OBJECTS OUT [N] | robustness MODEL OUT [N] | document OUT | ship RUN",
  );
  process.exit(2);
}
await commands[command](...rest);
