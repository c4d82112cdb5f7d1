import { describe, expect, test } from "vitest";
import type { ManifestError } from "../errors.ts";
import { type Manifest, manifestJsonSchema, parseManifest } from "./manifest.ts";

const full: Manifest = {
  formatVersion: 1,
  name: "phantom-ct",
  version: "1.2.0",
  licence: "Apache-2.0",
  source: { url: "https://example.org/model", description: "trained by recipe.yaml" },
  sha256: "0123456789abcdef".repeat(4),
  inputs: {
    image: {
      layout: "NCHW",
      size: [224, 256],
      channelOrder: "BGR",
      resize: { kernel: "bicubic", antialias: true, fit: "short-side", resizeTo: 256, crop: "center" },
      range: [-1, 1],
      mean: [0.1, 0.2, 0.3],
      std: [1, 2, 3],
    },
    volume: {
      layout: "NCDHW",
      size: [32, 128, 128],
      channelOrder: "grey",
      windowHu: { center: -600, width: 1500 },
      mean: [0.5],
      std: [0.25],
    },
  },
  classes: ["crane", "crane", "healthy"],
  output: { name: "logits", kind: "logits", activation: "softmax" },
  calibration: { temperature: 1.3, answerAbove: 0.8, data: "validation" },
  targetLayer: "/features/Relu_7",
  tokens: { prefix: 1, grid: [14, 14] },
  intendedUse: "demonstration",
  limits: ["phantoms only"],
  results: {
    "top-1": { value: 0.93, baseline: 0.5, interval: [0.9, 0.95], command: "camkit test …", data: "phantom 1" },
  },
  extensions: { medical: { spacingMm: [1, 1, 1] } },
};
const broken = (change: (json: Record<string, unknown>) => void): string => {
  const json = structuredClone(full) as unknown as Record<string, unknown>;
  change(json);
  try {
    parseManifest(json, "m.camkit.json");
  } catch (error) {
    expect((error as ManifestError).code).toBe("manifest");
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
};
// biome-ignore lint/suspicious/noExplicitAny: tests reach into plain JSON
const image = (json: Record<string, unknown>): any => (json as any).inputs.image;

test("a full manifest comes back as it is; two lines are enough", () => {
  expect(parseManifest(JSON.parse(JSON.stringify(full)), "m")).toEqual(full);
  expect(parseManifest({ formatVersion: 1, name: "x" }, "m")).toEqual({ formatVersion: 1, name: "x" });
});

describe("refused, with the place", () => {
  const cases: [string, (json: Record<string, unknown>) => void, RegExp][] = [
    [
      "unknown key",
      (json) => Object.assign(image(json), { stdev: [1, 1, 1] }),
      /^ {2}inputs\.image\.stdev: unknown key$/m,
    ],
    ["unknown key at the top", (json) => Object.assign(json, { license: "MIT" }), /^ {2}license: unknown key$/m],
    ["missing name", (json) => delete json.name, /^ {2}name: /m],
    ["format version", (json) => Object.assign(json, { formatVersion: 2 }), /formatVersion: .*1/],
    ["layout", (json) => Object.assign(image(json), { layout: "CHW" }), /inputs\.image\.layout: .*NCHW/],
    ["size", (json) => Object.assign(image(json), { size: [224] }), /inputs\.image\.size: expected \[h, w\]/],
    ["depth", (json) => Object.assign(image(json), { size: [8, 224, 224] }), /size: NCHW has 2 axes to size, found 3/],
    [
      "mean",
      (json) => Object.assign(image(json), { mean: [0.5] }),
      /mean: expected 3 numbers, one per channel, found 1/,
    ],
    ["std 0", (json) => Object.assign(image(json), { std: [1, 0, 1] }), /inputs\.image\.std\.1: /],
    ["range", (json) => Object.assign(image(json), { range: [1, 1] }), /range: pixel 0 and pixel 255 become the same/],
    [
      "a size before the crop, with padding",
      (json) => Object.assign(image(json).resize, { fit: "pad" }),
      /resizeTo: has no meaning with fit/,
    ],
    [
      "a crop of a picture squashed to the model's size",
      (json) =>
        Object.assign(image(json), { resize: { kernel: "bicubic", antialias: true, fit: "squash", crop: "center" } }),
      /crop: has no meaning with fit/,
    ],
    [
      "half a pixel",
      (json) => Object.assign(image(json).resize, { resizeTo: 256.5 }),
      /resizeTo: expected whole pixels, or \[h, w\]/,
    ],
    ["NHW in colour", (json) => Object.assign(image(json), { layout: "NHW" }), /channelOrder: NHW has no channel axis/],
    ["sha256", (json) => Object.assign(json, { sha256: "ABC" }), /sha256: expected 64 lower-case/],
    ["url", (json) => Object.assign(json, { source: { url: "here" } }), /source\.url: /],
    ["temperature", (json) => Object.assign(json, { calibration: { temperature: 0 } }), /calibration\.temperature: /],
    [
      "a certainty that nothing reaches",
      (json) => Object.assign(json, { calibration: { temperature: 1, answerAbove: 1 } }),
      /calibration\.answerAbove: /,
    ],
    ["result", (json) => Object.assign(json, { results: { auc: 0.9 } }), /results\.auc: /],
  ];
  test.each(cases)("%s", (_, change, message) => expect(broken(change)).toMatch(message));

  test("every problem is listed, under the file's name", () => {
    const message = broken((json) =>
      Object.assign(json, { name: "", colour: 1, tokens: { prefix: -1, grid: [14, 14] } }),
    );
    expect(message).toMatch(/^m\.camkit\.json: not a valid manifest\n/);
    expect(
      message
        .split("\n")
        .slice(1)
        .map((line) => line.trim().split(":")[0])
        .sort(),
    ).toEqual(["colour", "name", "tokens.prefix"]);
  });

  test.each([null, [], "text", 3])("%j is no manifest", (json) =>
    expect(() => parseManifest(json, "m")).toThrow(/\(the whole file\): /),
  );
});

test("the JSON Schema refuses unknown keys and requires what the parser requires", () => {
  const schema = manifestJsonSchema() as { required: string[]; additionalProperties: boolean; properties: object };
  expect(schema.required).toEqual(["formatVersion", "name"]);
  expect(schema.additionalProperties).toBe(false);
  expect(Object.keys(schema.properties)).toEqual(Object.keys(full));
});
