import { describe, expect, test } from "vitest";
import type { Graph } from "../../graph/graph.ts";
import { tinyModel } from "../../testing/tiny-models.ts";
import { foreignFormats, foreignManifest } from "./index.ts";

const graphOf = (shape: readonly (number | string)[]): Graph => {
  const { graph } = tinyModel({ images: shape }, (op, { images }) => ({ logits: op.relu(images!) }));
  return graph;
};
const read = (graph: Graph, files: Readonly<Record<string, unknown>> = {}) =>
  foreignManifest(foreignFormats, { graph, name: "model", json: (file) => files[file], called: (file) => file });
const picture = ["n", 3, 64, 64];
const names = "{0: 'person', 1: 'cat'}";
const yolo = (graph: Graph, more: Readonly<Record<string, string>> = {}) => {
  graph.metadata = new Map(Object.entries({ stride: "32", imgsz: "[64, 64]", names, ...more }));
  return read(graph);
};

test("Ultralytics: names that nobody gave are none", () => {
  expect(yolo(graphOf(picture)).manifest).toMatchObject({ classes: ["person", "cat"], name: "model" });
  expect(yolo(graphOf(picture), { names: "{0: '0', 1: '1'}" }).manifest?.classes).toBeUndefined();
});

describe("Hugging Face", () => {
  const config = { model_type: "vit", architectures: ["ViTForImageClassification"], id2label: { 1: "dog", 0: "cat" } };
  const processor = {
    image_processor_type: "ViTImageProcessor",
    size: { height: 32, width: 32 },
    resample: 2,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  };
  const files = { "config.json": config, "preprocessor_config.json": processor };
  const input = (made: ReturnType<typeof read>) => made.manifest?.inputs?.images;

  test("a graph of another size decides, which is said; a crop keeps its proportion", () => {
    const made = read(graphOf(picture), files);
    expect(input(made)?.size).toEqual([64, 64]);
    expect(made.notes).toEqual(["it describes pictures of 32 x 32, the graph takes 64 x 64: the graph decides"]);
    const clip = {
      size: { shortest_edge: 40 },
      do_center_crop: true,
      crop_size: 32,
      resample: 3,
      image_mean: 0.5,
      image_std: 1,
    };
    expect(input(read(graphOf(picture), { "preprocessor_config.json": clip }))).toMatchObject({
      size: [64, 64],
      resize: { kernel: "bicubic", fit: "short-side", resizeTo: 80 },
      mean: [0.5, 0.5, 0.5],
    });
  });

  test("earlier versions' plain numbers: a square, or before a crop the short side, or for some a square", () => {
    const old = (more: object) =>
      input(
        read(graphOf(["n", 3, "h", "w"]), {
          "preprocessor_config.json": { resample: 2, image_mean: [0, 0, 0], image_std: [1, 1, 1], ...more },
        }),
      );
    expect(old({ feature_extractor_type: "ViTFeatureExtractor", size: 96 })).toMatchObject({
      size: [96, 96],
      resize: { fit: "squash" },
    });
    const crop = { size: 40, do_center_crop: true, crop_size: 32 };
    expect(old({ feature_extractor_type: "CLIPFeatureExtractor", ...crop })?.resize).toMatchObject({
      fit: "short-side",
      resizeTo: 40,
    });
    expect(old({ feature_extractor_type: "DeiTFeatureExtractor", ...crop })?.resize).toMatchObject({
      fit: "squash",
      resizeTo: 40,
    });
  });

  test("the newer processor_config.json", () =>
    expect(
      input(read(graphOf(["n", 3, 32, 32]), { "processor_config.json": { image_processor: processor } })),
    ).toMatchObject({
      size: [32, 32],
      mean: [0.5, 0.5, 0.5],
    }));

  test("what can't be done as the processor does is said", () => {
    const detr = {
      size: { shortest_edge: 800, longest_edge: 1333 },
      resample: 4,
      do_pad: true,
      image_mean: 0.5,
      image_std: 0.5,
    };
    expect(read(graphOf(picture), { "preprocessor_config.json": detr }).notes).toEqual([
      "the processor resizes with Pillow's filter 4: here bilinear",
      "the processor keeps proportions (shortest_edge 800, longest_edge 1333); here pictures are squashed to one size",
      "it describes pictures of 800 x 800, the graph takes 64 x 64: the graph decides",
    ]);
  });

  test("a grey input takes one of three alike", () =>
    expect(input(read(graphOf(["n", 1, 32, 32]), files))).toMatchObject({
      channelOrder: "grey",
      mean: [0.5],
      std: [0.5],
    }));

  test("a text model takes no pictures", () =>
    expect(
      read(graphOf(["n", 77]), { ...files, "config.json": { model_type: "bert" } }).manifest?.inputs,
    ).toBeUndefined());

  test("pipelines' ways from logits to probabilities", () => {
    const output = (more: object) => read(graphOf(picture), { "config.json": { ...config, ...more } }).manifest?.output;
    expect(output({})?.activation).toBe("softmax");
    expect(output({ problem_type: "multi_label_classification" })?.activation).toBe("sigmoid");
    expect(output({ id2label: { 0: "cat" } })?.activation).toBe("sigmoid");
    expect(output({ problem_type: "regression" })).toEqual({ name: "logits", kind: "logits" });
    expect(output({ architectures: ["ViTModel"] })).toBeUndefined();
  });
});

describe("others' files", () => {
  test("a config.json of another program is none of ours", () =>
    expect(read(graphOf(picture), { "config.json": { port: 80 }, "preprocessor_config.json": [] })).toEqual({
      manifest: undefined,
      files: [],
      notes: [],
    }));

  test("speech has a preprocessor_config.json, too", () =>
    expect(
      read(graphOf(picture), {
        "preprocessor_config.json": { feature_extractor_type: "WhisperFeatureExtractor", size: 80 },
      }).manifest,
    ).toBeUndefined());

  test("ONNX's own metadata of pictures", () => {
    const graph = graphOf(picture);
    graph.metadata = new Map([
      ["Image.BitmapPixelFormat", "Bgr8"],
      ["Image.NominalPixelRange", "Normalized_0_1"],
    ]);
    expect(read(graph).manifest?.inputs?.images).toMatchObject({ channelOrder: "BGR", range: [0, 1], size: [64, 64] });
  });
});

describe("damaged: left out, with a note that names the file and the place", () => {
  const cases: [string, Readonly<Record<string, unknown>>, RegExp][] = [
    [
      "size",
      { "preprocessor_config.json": { image_processor_type: "ViTImageProcessor", size: { height: -1, width: 32 } } },
      /preprocessor_config\.json: .*\n {2}size/,
    ],
    ["std 0", { "preprocessor_config.json": { do_resize: true, image_std: [1, 0, 1] } }, /image_std/],
    [
      "labels",
      { "config.json": { model_type: "vit", id2label: { many: "cat" } } },
      /config\.json: id2label: "many" is no number of a class/,
    ],
    [
      "a label beyond all bounds",
      { "config.json": { model_type: "vit", id2label: { 4294967295: "cat" } } },
      /no number of a class/,
    ],
    [
      "timm",
      { "config.json": { architecture: "resnet18", pretrained_cfg: { input_size: [3, "a", 2] } } },
      /pretrained_cfg\.input_size/,
    ],
  ];
  test.each(cases)("%s", (_, files, note) => {
    const made = read(graphOf(picture), files);
    expect(made.manifest).toBeUndefined();
    expect(made.notes[0]).toMatch(note);
    expect(made.notes[0]).toMatch(/it is left out$/);
  });

  test("Ultralytics names that are no literal", () => {
    const made = yolo(graphOf(picture), { names: "{0: person}" });
    expect(made.manifest).toBeUndefined();
    expect(made.notes[0]).toMatch(/Ultralytics metadata: can't be understood\n {2}names/);
  });
});
