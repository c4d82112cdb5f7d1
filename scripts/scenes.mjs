// The shipped model of scenes: measured, shipped, compared. Needs a build (`npm run build`).
//
//   node scripts/scenes.mjs measure MODEL.onnx            answers and maps on the 4000 test scenes, as JSON
//   node scripts/scenes.mjs ship out/scenes               measures a run's model, and puts it and its manifest into models/scenes
//   node scripts/scenes.mjs compare "TITLE|DETAIL=MODEL" … OUT.webp   the same objects in the eyes of several models, as a picture
//
// Drawings are kept in out/drawings.
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodePicture, encodePicture, loadModel, writeAtomic } from "../packages/cam-core/dist/index.js";
import {
  aimsByClass,
  drawComparison,
  drawKept,
  measureScenes,
  sceneResults,
} from "../packages/cam-train/dist/scenes/index.js";

const first = 3_000_000;
const count = 4000;
const told = {
  data: `${count} scenes, seeds ${first}-${first + count - 1}`,
  command: "node scripts/scenes.mjs measure models/scenes/model.onnx",
};

const drawn = drawKept("out/drawings", first);
const testScenes = (n = count) => Array.from({ length: n }, (_, i) => drawn(first + i));

async function measured(path) {
  const model = await loadModel(path);
  const found = await measureScenes(model, testScenes(), { threads: 1 });
  return { sha256: model.sha256(), results: await sceneResults(found, told), classes: aimsByClass(found) };
}

const commands = {
  async measure(path) {
    console.log(JSON.stringify(await measured(path), null, 2));
  },
  async ship(run) {
    const to = "models/scenes";
    const { results } = await measured(join(run, "model.onnx"));
    const manifest = JSON.parse(await readFile(join(run, "model.camkit.json"), "utf8"));
    await copyFile(join(run, "model.onnx"), join(to, "model.onnx"));
    await writeAtomic(join(to, "model.camkit.json"), `${JSON.stringify({ ...manifest, results }, null, 2)}\n`);
  },
  async compare(...given) {
    const out = given.pop();
    const scenes = testScenes(64);
    const rows = [];
    for (const each of given) {
      const [title, path] = each.split("=");
      const [name, detail = ""] = title.split("|");
      rows.push({ title: name, detail, measured: await measureScenes(await loadModel(path), scenes) });
    }
    const { svg } = await drawComparison(scenes, rows);
    const picture = await decodePicture(new TextEncoder().encode(svg), "figure");
    await writeAtomic(out, await encodePicture(picture, { format: "webp", quality: 88 }));
  },
};

const [command, ...rest] = process.argv.slice(2);
if (!commands[command] || rest.length === 0) {
  console.error("usage: node scripts/scenes.mjs measure MODEL | ship RUN | compare TITLE=MODEL … OUT.webp");
  process.exit(2);
}
await commands[command](...rest);
