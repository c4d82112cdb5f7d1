import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { decodePicture } from "../../image/decode.ts";
import type { Picture } from "../../image/picture.ts";
import { pixelAffine, preparePicture } from "../../image/prepare.ts";
import { testPicture } from "../../image/test-picture.ts";
import { tinyModel } from "../../testing/tiny-models.ts";
import type { InputManifest } from "../manifest.ts";
import cases from "./golden/processors.json" with { type: "json" };
import { foreignFormats, foreignManifest } from "./index.ts";

type Case = Omit<(typeof cases)[number], "files" | "metadata"> & {
  files: Record<string, unknown>;
  metadata: Record<string, string>;
};

/** What the formats make of a case's files, beside a graph with an input of this shape. */
function read({ files, metadata }: Pick<Case, "files" | "metadata">, shape: readonly (number | string)[]) {
  const { graph } = tinyModel({ pixel_values: shape }, (op, { pixel_values: x }) => ({ logits: op.relu(x!) }));
  graph.metadata = new Map(Object.entries(metadata));
  return foreignManifest(foreignFormats, {
    graph,
    name: "model",
    json: (file) => files[file],
    called: (file) => file,
  });
}

/** The values that a picture becomes, [1, C, H, W]. */
function values(picture: Picture, input: InputManifest): Float64Array {
  const { tensor } = preparePicture(picture, input);
  const { scale, offset } = pixelAffine(input);
  const bytes = tensor.data as Uint8Array;
  const cells = bytes.length / 3;
  const laid = new Float64Array(bytes.length);
  for (let cell = 0; cell < cells; cell++)
    for (let c = 0; c < 3; c++) laid[c * cells + cell] = bytes[cell * 3 + c]! * scale[c]! + offset[c]!;
  return laid;
}

/** Compares what a picture becomes with what the processor made of it. */
function compare({ name }: Case, input: InputManifest, picture: Picture, expected: Case["drawn"]) {
  const prepared = values(picture, input);
  // Pillow's pixels are ours, bit for bit; OpenCV's fixed point may round the other way, and timm's tensors are float32.
  const grey = name === "YOLO, detection" ? 1.001 : 0;
  const tolerance = grey * Math.max(...pixelAffine(input).scale) + 1e-4;
  for (const [index, value] of expected as [number, number][])
    expect(Math.abs(prepared[index % prepared.length]! - value), `value ${index}`).toBeLessThan(tolerance);
}

const all = cases as unknown as Case[];

describe("pictures are prepared as the processor does (scripts/golden/processors.py)", () => {
  test.each(all)("$name", (each) => {
    const { shape } = each;
    const { manifest, notes } = read(each, shape);
    const input = manifest!.inputs!.pixel_values!;
    expect(input.size).toEqual(shape.length === 5 ? [shape[1], ...shape.slice(3)] : shape.slice(2));
    compare(each, input, testPicture(75, 53), each.drawn);
    expect(notes).toEqual([]);
    // Where the graph leaves its sizes open, the description says the same.
    const open = shape.map((dim, axis) => (axis === shape.length - 3 ? dim : "any"));
    if (shape.length === 4) expect(read(each, open).manifest?.inputs?.pixel_values).toEqual(input);
  });
});

const photo = new URL("../../../../../../shared/data/photos/coral/cat.bmp", import.meta.url);
describe.skipIf(!existsSync(photo))("so are photographs (needs ../shared)", () => {
  test.each(all)("$name", async (each) => {
    const input = read(each, each.shape).manifest!.inputs!.pixel_values!;
    compare(each, input, await decodePicture(fileURLToPath(photo)), each.photo);
  });
});

const named = (name: string): Case => all.find((each) => each.name === name)!;
const manifestOf = (name: string) => read(named(name), named(name).shape).manifest!;

test("classes, what turns logits into probabilities, and how tokens lie", () => {
  expect(manifestOf("ViT")).toMatchObject({
    classes: ["cat", "dog"],
    output: { name: "logits", kind: "logits", activation: "softmax" },
    tokens: { prefix: 1, grid: [3, 2] },
  });
  expect(manifestOf("DeiT")).toMatchObject({ output: { activation: "sigmoid" }, tokens: { prefix: 2, grid: [2, 2] } });
  expect(manifestOf("DINOv2 with registers")).toMatchObject({ tokens: { prefix: 5, grid: [2, 2] } });
  expect(manifestOf("DINOv2 with registers").classes).toBeUndefined(); // LABEL_0, LABEL_1
  expect(manifestOf("CLIP").tokens).toEqual({ prefix: 1, grid: [2, 2] });
  expect(manifestOf("SigLIP").tokens).toEqual({ prefix: 0, grid: [2, 2] });
  expect(manifestOf("VideoMAE").tokens).toEqual({ prefix: 0, grid: [2, 2, 2] });
  expect(manifestOf("Swin").tokens).toBeUndefined();
  expect(manifestOf("timm, crop")).toMatchObject({ classes: ["tench", "n01443537"] });
  expect(manifestOf("YOLO, classification")).toMatchObject({ name: "YOLO11n", classes: ["person", "o'clock"] });
});
