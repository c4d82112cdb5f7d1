// Draws the scenes of a seed range into three NumPy files for train.py:
//   PREFIX.images.npy uint8 [N, 96, 96, 3]   PREFIX.labels.npy uint8 [N, 8]   PREFIX.masks.npy uint8 [N, 96, 96]
// A mask pixel is class index + 1, or 0; the objects of a scene are of different classes and share no pixel.
//
//   node dump-scenes.mjs <first seed> <count> <prefix>
//
// Only the phantom's own files are compiled, into a temporary folder, so nothing else needs to build.
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const [first, count, prefix] = process.argv.slice(2);
if (prefix === undefined) throw new Error("usage: dump-scenes.mjs <first seed> <count> <prefix>");

const { drawScene, sceneLabels } = await compilePhantom();
const size = 96;
const images = createNpy(`${prefix}.images.npy`, [Number(count), size, size, 3]);
const labels = createNpy(`${prefix}.labels.npy`, [Number(count), sceneLabels.length]);
const masks = createNpy(`${prefix}.masks.npy`, [Number(count), size, size]);
for (let i = 0; i < Number(count); i++) {
  const scene = drawScene(Number(first) + i);
  const present = new Uint8Array(sceneLabels.length);
  const classes = new Uint8Array(size * size);
  for (const object of scene.objects) {
    present[object.classIndex] = 1;
    object.mask.forEach((inside, at) => {
      if (inside === 1) classes[at] = object.classIndex + 1;
    });
  }
  writeSync(images, scene.image);
  writeSync(labels, present);
  writeSync(masks, classes);
}
for (const file of [images, labels, masks]) closeSync(file);
writeFileSync(`${prefix}.classes.json`, JSON.stringify(sceneLabels));

async function compilePhantom() {
  const out = mkdtempSync(join(tmpdir(), "camkit-phantom-"));
  writeFileSync(join(out, "package.json"), '{"type":"module"}');
  const settings = join(out, "tsconfig.json");
  writeFileSync(
    settings,
    JSON.stringify({
      extends: join(root, "tsconfig.base.json"),
      compilerOptions: {
        outDir: join(out, "js"),
        rootDir: join(root, "packages/cam-core/src/phantom"),
        types: [],
        sourceMap: false,
      },
      files: [join(root, "packages/cam-core/src/phantom/index.ts")],
    }),
  );
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", settings], { stdio: "inherit" });
  const module = await import(pathToFileURL(join(out, "js/index.js")).href);
  rmSync(out, { recursive: true });
  return module;
}

// NPY 1.0: magic, version, header length, a Python dict padded so that the data begins at a multiple of 64.
function createNpy(path, shape) {
  const dict = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const header = `${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`;
  const file = openSync(path, "w");
  writeSync(file, Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length & 255, header.length >> 8]));
  writeSync(file, Buffer.from(header, "latin1"));
  return file;
}
