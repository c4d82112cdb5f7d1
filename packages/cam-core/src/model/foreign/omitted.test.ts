import { describe, expect, test } from "vitest";
import { tinyModel } from "../../testing/tiny-models.ts";
import { foreignFormats, foreignManifest } from "./index.ts";

/** What descriptions leave out, or say in their older spellings. The defaults are those of the programs that wrote them. */
function read(
  files: Readonly<Record<string, unknown>>,
  shape: readonly (number | string | null)[] = ["n", 3, "h", "w"],
) {
  const { graph } = tinyModel({ x: shape }, (op, { x }) => ({ logits: op.relu(x!) }));
  const found = foreignManifest(foreignFormats, {
    graph,
    name: "model",
    json: (file) => files[file],
    called: (file) => file,
  })!;
  const manifest = found.manifest!;
  return { ...found, manifest, input: manifest.inputs?.x };
}

describe("timm 1.0", () => {
  const timm = (cfg: object, more: object = {}, shape?: readonly (number | string)[]) =>
    read({ "config.json": { architecture: "resnet18", pretrained_cfg: cfg, ...more } }, shape);

  test("says nothing: 224 × 224 out of the middle of 256, bicubic, ImageNet's mean and std", () => {
    const { manifest, input, notes } = timm({});
    expect(manifest).toMatchObject({ name: "resnet18" });
    expect(manifest).not.toHaveProperty("licence");
    expect(manifest).not.toHaveProperty("classes");
    // floor(224 / 0.875) = 256
    expect(input).toMatchObject({
      size: [224, 224],
      resize: { kernel: "bicubic", antialias: true, fit: "short-side", resizeTo: 256 },
      channelOrder: "RGB",
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    });
    expect(notes).toEqual([]);
  });

  test("a file at the size that was tested takes that size's crop", () => {
    const cfg = { input_size: [3, 224, 224], crop_pct: 0.9, test_input_size: [3, 288, 288], test_crop_pct: 0.95 };
    // floor(288 / 0.95) = 303, floor(224 / 0.9) = 248
    expect(timm(cfg, {}, ["n", 3, 288, 288]).input).toMatchObject({ size: [288, 288], resize: { resizeTo: 303 } });
    expect(timm(cfg, {}, ["n", 3, 224, 224]).input).toMatchObject({ size: [224, 224], resize: { resizeTo: 248 } });
    const untested = { input_size: [3, 224, 224], crop_pct: 0.9, test_input_size: [3, 288, 288] };
    expect(timm(untested, {}, ["n", 3, 288, 288]).input).toMatchObject({ resize: { resizeTo: 320 } }); // 288 / 0.9
  });

  test("its three ways to crop, and one that it doesn't have", () => {
    const resize = (cfg: object) => timm(cfg).input?.resize;
    expect(resize({ crop_mode: "squash", crop_pct: 1 })).toMatchObject({ fit: "squash" });
    expect(resize({ crop_mode: "squash", crop_pct: 1 })).not.toHaveProperty("resizeTo");
    expect(resize({ crop_mode: "squash", crop_pct: 0.5 })).toMatchObject({ fit: "squash", resizeTo: 448 });
    const oblong = { crop_mode: "squash", crop_pct: 0.5, input_size: [3, 100, 200] };
    expect(resize(oblong)).toMatchObject({ fit: "squash", resizeTo: [200, 400] });
    expect(timm({ crop_mode: "border" })).toMatchObject({
      input: { resize: { fit: "pad" } },
      notes: [expect.stringMatching(/border/)],
    });
    expect(timm({ crop_mode: "spiral" })).toMatchObject({
      input: { resize: { fit: "short-side" } },
      notes: [expect.stringContaining('crop_mode "spiral" isn\'t known')],
    });
  });

  test("a filter that isn't known is told, a tag and a licence are taken over", () => {
    const { manifest, input, notes } = timm({ interpolation: "random", tag: "a1_in1k", license: "apache-2.0" });
    expect(input?.resize).toMatchObject({ kernel: "bilinear" });
    expect(notes).toEqual([expect.stringContaining('interpolation "random" isn\'t known')]);
    expect(manifest).toMatchObject({ name: "resnet18.a1_in1k", licence: "apache-2.0" });
    expect(read({ "config.json": { architecture: "", pretrained_cfg: {} } }).manifest.name).toBe("model");
  });

  test("grey, and labels with and without descriptions", () => {
    const grey = timm({ input_size: [1, 28, 28], mean: [0.5], std: [0.25] }, {}, ["n", 1, 28, 28]);
    expect(grey.input).toMatchObject({ channelOrder: "grey", mean: [0.5], std: [0.25] });
    const labelled = { label_names: ["n1", "n2"], label_descriptions: { n1: "tench" } };
    expect(timm({}, labelled).manifest.classes).toEqual(["tench", "n2"]);
    expect(timm({ label_names: ["a", "b"] }).manifest.classes).toEqual(["a", "b"]);
  });

  test("a model that takes no picture has no preprocessing", () => {
    expect(read({ "config.json": { architecture: "mlp", pretrained_cfg: {} } }, ["n", 12]).manifest).not.toHaveProperty(
      "inputs",
    );
  });
});

describe("transformers' processors", () => {
  const processor = (fields: object, shape?: readonly (number | string | null)[], config: object = {}) =>
    read(
      { "config.json": { model_type: "vit", ...config }, "preprocessor_config.json": { do_resize: true, ...fields } },
      shape,
    );

  test.each<[string, object, object, RegExp | undefined]>([
    [
      "no filter",
      { size: 32 },
      { size: [32, 32], resize: { kernel: "bilinear", fit: "squash" } },
      /doesn't say how it resizes/,
    ],
    ["Hamming's filter", { resample: 5, size: 32 }, { resize: { kernel: "bilinear" } }, /Pillow's filter 5/],
    ["bytes as they are", { resample: 2, size: 32, do_rescale: false }, { range: [0, 255] }, undefined],
    ["around zero", { resample: 2, size: 32, rescale_factor: 1 / 127.5, offset: true }, { range: [-1, 1] }, undefined],
    [
      "a mean alone",
      { resample: 2, size: 32, image_mean: [0.1, 0.2, 0.3] },
      { mean: [0.1, 0.2, 0.3], std: [0.5, 0.5, 0.5] },
      /mean and std both/,
    ],
    [
      "one number for all channels",
      { resample: 2, size: 32, image_mean: 0.25, image_std: 0.5 },
      { mean: [0.25, 0.25, 0.25] },
      undefined,
    ],
    [
      "no standardising",
      { resample: 2, size: 32, do_normalize: false, image_mean: [1, 1, 1] },
      { range: [0, 1] },
      undefined,
    ],
    [
      "std twice",
      { resample: 2, size: 32, include_top: true, image_mean: 0, image_std: 0.5 },
      { std: [0.25, 0.25, 0.25] },
      undefined,
    ],
    ["blue first", { resample: 2, size: 32, do_flip_channel_order: true }, { channelOrder: "BGR" }, undefined],
    ["height and width", { resample: 2, size: { height: 20, width: 30 } }, { size: [20, 30] }, undefined],
    ["a list", { resample: 2, size: [20, 30] }, { size: [20, 30] }, undefined],
    [
      "no resizing",
      { resample: 2, do_resize: false, size: 32 },
      { size: [224, 224], resize: { fit: "squash" } },
      /doesn't resize/,
    ],
    [
      "no resizing, but a crop",
      { resample: 2, do_resize: false, do_center_crop: true, crop_size: 48 },
      { size: [48, 48] },
      /doesn't resize/,
    ],
    [
      "a short side and a crop",
      { resample: 2, size: 40, do_center_crop: true, crop_size: 32 },
      { size: [32, 32], resize: { fit: "short-side", resizeTo: 40 } },
      undefined,
    ],
    [
      "a square before a crop",
      { resample: 2, image_processor_type: "DeiTImageProcessor", size: 40, do_center_crop: true, crop_size: 32 },
      { size: [32, 32], resize: { fit: "squash", resizeTo: 40 } },
      undefined,
    ],
    [
      "an oblong before a crop",
      { resample: 2, size: [40, 50], do_center_crop: true, crop_size: { height: 32, width: 16 } },
      { size: [32, 16], resize: { fit: "squash", resizeTo: [40, 50] } },
      undefined,
    ],
    [
      "a long side, padded",
      { resample: 2, size: { longest_edge: 64 }, do_pad: true },
      { size: [64, 64], resize: { fit: "pad" } },
      /pads on the right/,
    ],
    [
      "proportions",
      { resample: 2, size: { shortest_edge: 64, longest_edge: 96 } },
      { size: [64, 64], resize: { fit: "squash" } },
      /keeps proportions \(shortest_edge 64, longest_edge 96\)/,
    ],
    // ConvNeXt: floor(192 / (224/256)) = 219; Levit: floor(256/224 · 224) = 256; PoolFormer: floor(224 / 0.95) = 235.
    [
      "ConvNeXt's own share",
      { resample: 2, image_processor_type: "ConvNextImageProcessor", size: { shortest_edge: 192 } },
      { size: [192, 192], resize: { fit: "short-side", resizeTo: 219 } },
      undefined,
    ],
    [
      "ConvNeXt without a size",
      { resample: 2, image_processor_type: "ConvNextImageProcessor" },
      { size: [384, 384], resize: { fit: "squash" } },
      undefined,
    ],
    [
      "Levit",
      { resample: 2, feature_extractor_type: "LevitFeatureExtractor" },
      { size: [224, 224], resize: { resizeTo: 256 } },
      undefined,
    ],
    [
      "Levit without a crop",
      { resample: 2, image_processor_type: "LevitImageProcessor", do_center_crop: false, size: 48 },
      { size: [48, 48], resize: { fit: "squash" } },
      undefined,
    ],
    [
      "PoolFormer",
      { resample: 2, image_processor_type: "PoolFormerImageProcessor", size: { shortest_edge: 224 }, crop_pct: 0.95 },
      { resize: { resizeTo: 235 } },
      undefined,
    ],
    [
      "PoolFormer without a share",
      { resample: 2, image_processor_type: "PoolFormerImageProcessor", size: 48 },
      { size: [48, 48] },
      undefined,
    ],
    [
      "Perceiver",
      { resample: 2, image_processor_type: "PerceiverImageProcessor", size: 224, crop_size: 256 },
      { size: [224, 224], resize: { fit: "short-side", resizeTo: 256 } },
      /crops before it resizes/,
    ],
    [
      "Perceiver without a crop",
      { resample: 2, image_processor_type: "PerceiverImageProcessor", do_center_crop: false, size: 48 },
      { size: [48, 48], resize: { fit: "squash" } },
      undefined,
    ],
  ])("%s", (_, fields, input, note) => {
    const found = processor(fields);
    expect(found.input).toMatchObject(input);
    if (note) expect(found.notes).toContainEqual(expect.stringMatching(note));
    else expect(found.notes).toEqual([]);
  });

  test("a speech model's processor is none for pictures", () => {
    const found = read({ "config.json": { model_type: "vit" }, "preprocessor_config.json": { feature_size: 80 } });
    expect(found.input).toBeUndefined();
  });

  test("tokens before the patches, by architecture, and none said of one that isn't known", () => {
    const tokens = (config: object) => processor({ resample: 2, size: 32 }, ["n", 3, 32, 32], config).manifest.tokens;
    expect(tokens({ model_type: "vit", patch_size: 16 })).toEqual({ prefix: 1, grid: [2, 2] });
    expect(tokens({ model_type: "deit", patch_size: [16, 8] })).toEqual({ prefix: 2, grid: [2, 4] });
    expect(tokens({ model_type: "dinov2_with_registers", patch_size: 8 })).toEqual({ prefix: 5, grid: [4, 4] });
    expect(tokens({ model_type: "dinov3_vit", patch_size: 8, num_register_tokens: 0 })).toEqual({
      prefix: 1,
      grid: [4, 4],
    });
    expect(tokens({ model_type: "siglip", patch_size: 8 })).toEqual({ prefix: 0, grid: [4, 4] });
    expect(tokens({ model_type: "unheard", patch_size: 8 })).toBeUndefined();
    expect(tokens({ model_type: "vit" })).toBeUndefined();
    expect(tokens({ model_type: "vit", patch_size: 64 })).toBeUndefined();
  });

  test("labels that are only numbers are none; one score is a sigmoid's, several a softmax's", () => {
    const found = (config: object) =>
      processor({ resample: 2, size: 32 }, undefined, { architectures: ["ViTForImageClassification"], ...config })
        .manifest;
    expect(found({ id2label: { 0: "LABEL_0", 1: "LABEL_1" } })).not.toHaveProperty("classes");
    expect(found({ id2label: { 0: "cat" } }).output).toMatchObject({ activation: "sigmoid" });
    expect(found({ id2label: { 0: "cat", 1: "dog" } })).toMatchObject({
      classes: ["cat", "dog"],
      output: { activation: "softmax" },
    });
    expect(found({ problem_type: "regression" }).output).toEqual({ name: "logits", kind: "logits" });
    expect(found({ architectures: ["ViTModel"] })).not.toHaveProperty("output");
  });
});
