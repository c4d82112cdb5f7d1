import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openModel } from "@camkit/cam-core";
import { float32, type Tensor } from "@camkit/cam-core/data";
import { describe, expect, test } from "vitest";
import { EmptyClassError } from "../src/errors.ts";
import { explainSegmentation, segmentVolume } from "../src/networks/index.ts";

type Case = {
  name: string;
  shape: [number, number, number];
  overlap: number;
  mode: "gaussian" | "constant";
  maskCells: number;
  cells: number[];
  logits: number[][];
  map: number[];
  mapSum: number;
  logitSums: number[];
};
const golden = join(import.meta.dirname, "golden");
const {
  cases,
  roi,
  class: classIndex,
} = JSON.parse(readFileSync(join(golden, "sliding-window.json"), "utf8")) as {
  cases: Case[];
  roi: [number, number, number];
  class: number;
};
const model = openModel(readFileSync(join(golden, "tiny-unet.onnx")), { name: "tiny-unet" });
/** The innermost block of the U. */
const layer = "/model/model.1/submodule/submodule.1/submodule/Add_output_0";

/** As scripts/golden/sliding_window.py makes it. */
function volume([d, h, w]: [number, number, number]): Tensor {
  const at = (i: number) => [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w] as const;
  const values = Array.from({ length: d * h * w }, (_, i) => {
    const [z, y, x] = at(i);
    return Math.sin(0.7 * z) + Math.cos(0.5 * y + 0.3 * x) + 0.5 * Math.sin(0.11 * z * y);
  });
  return float32([1, 1, d, h, w], values);
}

const farthest = (found: ArrayLike<number>, cells: readonly number[], wanted: readonly number[]) =>
  cells.reduce((most, cell, i) => Math.max(most, Math.abs(found[cell]! - wanted[i]!)), 0);
const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);

test("a segmentation that was made before saves a pass and changes nothing; a class without a voxel is refused", async () => {
  const x = volume([16, 16, 16]);
  const segmentation = await segmentVolume(model, x, { threads: 1 });
  const fresh = await explainSegmentation(model, x, { classIndex, threads: 1 });
  const given = await explainSegmentation(model, x, { classIndex, threads: 1, segmentation });
  expect(given).toEqual(fresh);
  const nowhere = { ...segmentation, labels: segmentation.labels.map(() => 0) };
  const asked = explainSegmentation(model, x, { classIndex, threads: 1, segmentation: nowhere });
  await expect(asked).rejects.toThrow(EmptyClassError);
});

test("a mask of one's own is what is explained", async () => {
  const x = volume([16, 16, 16]);
  const mask = new Uint8Array(16 ** 3);
  mask[1000] = 1;
  const { score, cells } = await explainSegmentation(model, x, { classIndex, mask, threads: 1 });
  const { logits } = await segmentVolume(model, x, { threads: 1 });
  expect(cells).toBe(1);
  expect(score).toBeCloseTo((logits.data as Float32Array)[classIndex * 16 ** 3 + 1000]!, 5);
});

test("several layers at once are what each is alone", async () => {
  const x = volume([16, 20, 16]);
  const window = { size: roi, overlap: 0.5, weights: "gaussian" as const };
  const segmentation = await segmentVolume(model, x, { window, threads: 1 });
  const layers = [layer, "/model/model.0/Add_output_0"];
  const maps = async (layers: readonly string[]) =>
    (await explainSegmentation(model, x, { window, classIndex, layers, threads: 1, segmentation })).maps;
  const together = await maps(layers);
  expect(together.map((map) => map.layer)).toEqual(layers);
  for (const [i, name] of layers.entries()) {
    const [alone] = await maps([name]);
    const [found, wanted] = [together[i]!, alone!].map(({ raw }) => raw.data as Float32Array) as [
      Float32Array,
      Float32Array,
    ];
    expect(Math.max(...wanted)).toBeGreaterThan(0.1);
    expect(Math.max(...wanted.map((value, v) => Math.abs(value - found[v]!)))).toBeLessThan(1e-5);
  }
});

test("a class that there can't be, and a mask of another size, are refused", async () => {
  const x = volume([16, 16, 16]);
  for (const classIndex of [-1, 0.5, 3])
    await expect(explainSegmentation(model, x, { classIndex, threads: 1 })).rejects.toThrow(
      `class ${classIndex} does not exist: the network has 3 channels`,
    );
  const mask = new Uint8Array(10).fill(1);
  await expect(explainSegmentation(model, x, { classIndex, mask, threads: 1 })).rejects.toThrow(
    "the mask has 10 cells, the volume 4096",
  );
});

describe.each(cases)("against MONAI's sliding_window_inference and PyTorch's gradients: $name", (wanted) => {
  const window = { size: roi, overlap: wanted.overlap, weights: wanted.mode };

  test("stitched logits", async () => {
    const { logits } = await segmentVolume(model, volume(wanted.shape), { window, threads: 1 });
    const data = logits.data as Float32Array;
    const cells = data.length / 3;
    for (const [channel, values] of wanted.logits.entries()) {
      const of = data.subarray(channel * cells, (channel + 1) * cells);
      expect(farthest(of, wanted.cells, values)).toBeLessThan(1e-4);
      expect(Math.abs(sum(of) - wanted.logitSums[channel]!) / cells).toBeLessThan(1e-5);
    }
  });

  test("stitched Seg-Grad-CAM", async () => {
    const segmentation = await segmentVolume(model, volume(wanted.shape), { window, threads: 1 });
    const options = { window, classIndex, layers: [layer], threads: 1, segmentation };
    const found = await explainSegmentation(model, volume(wanted.shape), options);
    expect(Math.abs(found.cells - wanted.maskCells)).toBeLessThanOrEqual(1); // a tie within rounding
    const data = found.maps[0]!.raw.data as Float32Array;
    expect(farthest(data, wanted.cells, wanted.map)).toBeLessThan(1e-4);
    expect(Math.abs(sum(data) - wanted.mapSum) / wanted.mapSum).toBeLessThan(1e-4);
    expect(Math.max(...wanted.map)).toBeGreaterThan(0.3); // 1e-4 is small beside it
  });
});
