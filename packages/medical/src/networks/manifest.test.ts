import { type Manifest, parseManifest } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { medicalManifest } from "./manifest.ts";
import { manifestFromMonai } from "./monai.ts";
import { manifestFromNnunet } from "./nnunet.ts";

const stating = (medical: unknown): Manifest => ({ formatVersion: 1, name: "m", extensions: { medical } });

test("extensions.medical: defaults filled in, both kinds of preprocessing", () => {
  expect(medicalManifest({ formatVersion: 1, name: "m" })).toBeUndefined();
  expect(medicalManifest(stating({ preprocess: { size: [32, 128, 128] } }))).toEqual({
    task: "classification",
    preprocess: {
      kind: "lung-ct",
      size: [32, 128, 128],
      windowHu: [-1200, 600],
      slices: "even",
      crop: "lungs",
      marginMm: 10,
      outside: "keep",
    },
  });
  const volume = medicalManifest(stating({ task: "segmentation", preprocess: { kind: "volume", orientation: "RAS" } }));
  expect(volume?.preprocess).toMatchObject({ kind: "volume", orientation: "RAS" });
});

test("extensions.medical: every problem, by its place", () => {
  expect(() =>
    medicalManifest(stating({ task: "detection", slidingWindow: { size: [1, 2], overlap: 1 } }), "m.json"),
  ).toThrow(/m\.json: .*\n.*extensions\.medical\.task.*\n.*slidingWindow\.size.*\n.*slidingWindow\.overlap/s);
});

/** In the form of the spleen segmentation bundle. */
const metadata = {
  version: "0.5.3",
  name: "Spleen CT segmentation",
  description: "A pre-trained model for volumetric (3D) segmentation of the spleen from CT image",
  intended_use: "This is an example, not to be used for diagnostic purposes",
  network_data_format: {
    inputs: {
      image: {
        type: "image",
        format: "hounsfield",
        modality: "CT",
        num_channels: 1,
        spatial_shape: [96, 96, 96],
        dtype: "float32",
        value_range: [0, 1],
        is_patch_data: true,
        channel_def: { "0": "image" },
      },
    },
    outputs: {
      pred: {
        type: "image",
        format: "segmentation",
        num_channels: 2,
        spatial_shape: [96, 96, 96],
        dtype: "float32",
        value_range: [0, 1],
        is_patch_data: true,
        channel_def: { "0": "background", "1": "spleen" },
      },
    },
  },
};
const inference = {
  preprocessing: {
    _target_: "Compose",
    transforms: [
      { _target_: "LoadImaged", keys: "image" },
      { _target_: "Orientationd", keys: "image", axcodes: "RAS" },
      { _target_: "Spacingd", keys: "image", pixdim: [1.5, 1.5, 2.0], mode: "bilinear" },
      { _target_: "ScaleIntensityRanged", keys: "image", a_min: -57, a_max: 164, b_min: 0, b_max: 1, clip: true },
    ],
  },
  inferer: {
    _target_: "SlidingWindowInferer",
    roi_size: [96, 96, 96],
    sw_batch_size: 4,
    overlap: 0.5,
    mode: "gaussian",
  },
};

test("a MONAI bundle with its inference configuration: nothing about its input is assumed", () => {
  const { manifest, notes } = manifestFromMonai(metadata, inference);
  expect(parseManifest(manifest, "made")).toEqual(manifest);
  expect(manifest.classes).toEqual(["background", "spleen"]);
  expect(medicalManifest(manifest)).toEqual({
    task: "segmentation",
    preprocess: {
      kind: "volume",
      orientation: "RAS",
      spacingMm: [1.5, 1.5, 2],
      intensity: { kind: "window", windowHu: [-57, 164], range: [0, 1] },
    },
    slidingWindow: { size: [96, 96, 96], overlap: 0.5, weights: "gaussian" },
  });
  expect(notes.filter((note) => note.includes("assumed"))).toEqual([]);
});

test("metadata alone: what it doesn't say is assumed, and said", () => {
  const { manifest, notes } = manifestFromMonai(metadata);
  expect(medicalManifest(manifest)?.slidingWindow).toEqual({ size: [96, 96, 96], overlap: 0.25, weights: "constant" });
  for (const word of ["orientation", "spacing", "intensities", "windows"])
    expect(notes.some((note) => note.startsWith(word) && note.includes("assumed"))).toBe(true);
});

test("a classifier that takes whole volumes is resized to; an open size stays open", () => {
  const classifier = structuredClone(metadata) as typeof metadata & { network_data_format: { outputs: object } };
  classifier.network_data_format.inputs.image.is_patch_data = false;
  classifier.network_data_format.outputs = {
    pred: { type: "probabilities", format: "classes", num_channels: 2 },
  } as never;
  const { manifest } = manifestFromMonai(classifier);
  expect(medicalManifest(manifest)).toMatchObject({ task: "classification", preprocess: { size: [96, 96, 96] } });
  const open = structuredClone(metadata) as unknown as {
    network_data_format: { inputs: { image: { spatial_shape: unknown } } };
  };
  open.network_data_format.inputs.image.spatial_shape = ["16*n", "16*n", "*"];
  expect(manifestFromMonai(open).notes.join()).toMatch(/\[16\*n, 16\*n, \*\] leaves the size open/);
});

test("MONAI: four channels, or no metadata, are refused by name", () => {
  const four = structuredClone(metadata);
  four.network_data_format.inputs.image.num_channels = 4;
  expect(() => manifestFromMonai(four)).toThrow(/inputs\.image has 4 channels/);
  expect(() => manifestFromMonai({ version: "1" })).toThrow(/network_data_format/);
});

const plans = {
  dataset_name: "Dataset006_Lung",
  transpose_forward: [0, 1, 2],
  foreground_intensity_properties_per_channel: {
    "0": {
      mean: -158.5,
      std: 324.7,
      percentile_00_5: -1024,
      percentile_99_5: 275,
      max: 3000,
      min: -1024,
      median: -100,
    },
  },
  configurations: {
    "2d": { patch_size: [512, 512], spacing: [1, 1], normalization_schemes: ["CTNormalization"] },
    "3d_fullres": { patch_size: [80, 192, 160], spacing: [1.25, 0.8, 0.8], normalization_schemes: ["CTNormalization"] },
  },
};

test("nnU-Net's plans: patch, spacing, CT normalisation, labels in their order", () => {
  const { manifest, notes } = manifestFromNnunet(plans, { labels: { background: 0, cancer: 1 } });
  expect(manifest.classes).toEqual(["background", "cancer"]);
  expect(medicalManifest(manifest)).toEqual({
    task: "segmentation",
    preprocess: {
      kind: "volume",
      orientation: "SPL",
      spacingMm: [1.25, 0.8, 0.8],
      intensity: { kind: "ct-normalisation", clipHu: [-1024, 275], meanHu: -158.5, stdHu: 324.7 },
    },
    slidingWindow: { size: [80, 192, 160], overlap: 0.5, weights: "gaussian" },
  });
  expect(notes[0]).toMatch(/orientation was assumed/);
  const turned = manifestFromNnunet({ ...plans, transpose_forward: [2, 0, 1] }, { labels: { background: 0 } });
  expect(medicalManifest(turned.manifest)?.preprocess).toMatchObject({ orientation: "LSP" });
});

test("nnU-Net: regions, another normalisation and a 2-D configuration are refused", () => {
  expect(() => manifestFromNnunet(plans, { labels: { background: 0, whole: [1, 2] } })).toThrow(/region/);
  expect(() => manifestFromNnunet(plans, { labels: {} }, "2d")).toThrow(/patch_size/);
  expect(() => manifestFromNnunet(plans, { labels: {} }, "3d_lowres")).toThrow(/no configuration/);
});

test("of the two kinds of preprocessing, what is wrong with the one that was meant", () => {
  const refusal = (preprocess: unknown) => {
    try {
      medicalManifest(stating({ preprocess }));
    } catch (error) {
      return (error as Error).message.split("\n").slice(1);
    }
    return [];
  };
  const place = "  extensions.medical.preprocess";
  expect(refusal({ kind: "lung-ct", size: [8, 8] })).toEqual([
    `${place}.size: Too small: expected array to have >=3 items`,
  ]);
  expect(refusal({ kind: "volume", spacing: [1, 1, 1] })).toEqual([`${place}: Unrecognized key: "spacing"`]);
  expect(refusal({ kind: "lungs" })).toEqual([
    `${place}.kind: Invalid input: expected "lung-ct"; or Invalid input: expected "volume"`,
  ]);
});
