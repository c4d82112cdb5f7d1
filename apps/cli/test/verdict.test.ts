import { readFileSync, writeFileSync } from "node:fs";
import {
  Builder,
  emptyGraph,
  encodePicture,
  float32,
  type Manifest,
  readProvenance,
  writeModel,
} from "@camkit/cam-core";
import { beforeAll, expect, test } from "vitest";
import { camkit, workspace } from "./support.ts";

const at = workspace();
const manifest: Manifest = {
  formatVersion: 1,
  name: "reds",
  inputs: { image: { layout: "NCHW", size: [8, 8] } },
  classes: ["BLUE", "RED"],
  output: { name: "logit", kind: "logits", activation: "sigmoid" },
  calibration: { temperature: 2, answerAbove: 0.7 },
  targetLayer: "seen",
};

/** One logit, 8 · (mean red − mean blue). */
function model() {
  const graph = emptyGraph("reds", new Map([["", 18]]));
  graph.inputs.push({ name: "image", dtype: "float32", shape: ["n", 3, 8, 8] });
  const op = new Builder(graph);
  const channels = op.gather("image", op.ints([0, 2]), 1);
  const seen = op.alias(op.relu(channels), "seen"); // [n, 2, 8, 8]
  const means = op.reduceMean(seen, { axes: [2, 3], keepdims: false });
  const logit = op.matMul(means, op.constant(float32([2, 1], [8, -8])));
  graph.outputs.push({ name: op.alias(logit, "logit"), dtype: "float32", shape: ["n", 1] });
  return writeModel(graph).model;
}

/** Red on the left, blue on the right, so strong. */
const picture = (red: number, blue: number) => {
  const rgb = new Uint8Array(8 * 8 * 3);
  for (let i = 0; i < 64; i++) rgb.set(i % 8 < 4 ? [red, 0, 0] : [0, 0, blue], 3 * i);
  return encodePicture({ width: 8, height: 8, rgb });
};

beforeAll(async () => {
  writeFileSync(at("reds.onnx"), model());
  writeFileSync(at("reds.camkit.json"), JSON.stringify(manifest));
  writeFileSync(at("blue.png"), await picture(0, 255)); // logit −4: sigmoid(−2) = 0.119
  writeFileSync(at("reddish.png"), await picture(255, 204)); // logit 4 − 3.2: sigmoid(0.4) = 0.599
});

const explained = async (...argv: string[]) => {
  const said = await camkit(["explain", at("reds.onnx"), ...argv, "--out", at("out"), "--json"]);
  expect(said.stderr).toBe("");
  return said.json();
};

test("one logit answers both classes: each map lies on its own colour", async () => {
  const { inputs } = await explained(at("reddish.png"), "--target", "RED,BLUE,1,0");
  const found = inputs[0].explanations;
  expect(found.map(({ label }: { label: string }) => label)).toEqual(["RED", "BLUE"]); // 1 and 0 are the same two
  expect(found[0].peak.x).toBeLessThan(4);
  expect(found[1].peak.x).toBeGreaterThan(4);
  expect(found[0].score).toBeCloseTo(0.8, 2);
  expect(found[1].score).toBeCloseTo(-0.8, 2);
});

test("a sure verdict is explained by what speaks for it", async () => {
  const { inputs, calibration } = await explained(at("blue.png"));
  expect(calibration).toEqual(manifest.calibration);
  const { verdict, explanations } = inputs[0];
  expect(verdict).toMatchObject({ answered: true, class: 0, label: "BLUE", answerAbove: 0.7 });
  expect(verdict.probability).toBeCloseTo(1 / (1 + Math.exp(-2)), 4);
  expect(explanations[0].peak.x).toBeGreaterThan(4);
});

test("an unsure one reads so: in text, in the result, inside the picture", async () => {
  const said = await camkit(["explain", at("reds.onnx"), at("reddish.png"), "--out", at("unsure")]);
  expect(said.stdout).toMatch(/cannot say \(leans to RED\) +0\.599/);
  expect(said.stdout).toMatch(/no class reaches 0\.700/);
  const { inputs } = JSON.parse(readFileSync(at("unsure/result.json"), "utf8"));
  expect(inputs[0].verdict).toMatchObject({ answered: false, class: 1, label: "RED" });
  const inside = await readProvenance(readFileSync(at("unsure/reddish.grad-cam.png")));
  expect(inside).toMatchObject({ verdict: inputs[0].verdict });
});

test("how little is left of a large picture is said", async () => {
  const rgb = new Uint8Array(40 * 24 * 3).fill(90);
  writeFileSync(at("large.png"), await encodePicture({ width: 40, height: 24, rgb }));
  const said = await camkit(["explain", at("reds.onnx"), at("large.png"), "--out", at("large")]);
  expect(said.stdout).toContain("40 × 24 pixels, seen by the model at 8 × 8");
  const { inputs } = await explained(at("blue.png"));
  expect(inputs[0].notes).toEqual([]);
});

test("names that aren't as many as the scores are warned of, in text and in the result", async () => {
  const { calibration: _, ...plain } = manifest;
  writeFileSync(at("three.json"), JSON.stringify({ ...plain, classes: ["BLUE", "RED", "GREEN"] }));
  const argv = [
    at("reds.onnx"),
    at("reddish.png"),
    "--manifest",
    at("three.json"),
    "--target",
    "0",
    "--out",
    at("three"),
  ];
  const said = await camkit(["explain", ...argv, "--json"]);
  const warning = "3 classes are named and the model has one score: names may stand at the wrong ones";
  expect(said.stderr).toBe(`warning: ${warning}\n`);
  expect(said.json().warnings).toEqual([warning]);
});
