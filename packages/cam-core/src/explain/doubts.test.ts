import { describe, expect, test } from "vitest";
import type { Manifest } from "../model/manifest.ts";
import { createExplainer } from "../runtime/explain.ts";
import { bool, float32 } from "../tensor.ts";
import { rng } from "../testing/rng.ts";
import { tinyModel } from "../testing/tiny-models.ts";

/** Conv, Relu, Dropout, mean and a linear layer with so many scores. */
function network(scores: number, classes: readonly string[], training = false) {
  const manifest = { formatVersion: 1, name: "tiny", classes } as Manifest;
  return tinyModel(
    { x: ["n", 2, 6, 6] },
    (op) => {
      const kernel = op.constant(rng(1).normal([4, 2, 3, 3]));
      const features = op.alias(op.relu(op.conv("x", kernel)), "features");
      const ratio = op.constant(float32([], [0.5]));
      const dropped = op.node("Dropout", [features, ratio, op.constant(bool([], [training]))], { seed: 1 })[0]!;
      const pooled = op.reduceMean(dropped, { axes: [2, 3], keepdims: false });
      return { y: op.matMul(pooled, op.constant(rng(2).normal([4, scores]))) };
    },
    classes.length > 0 ? { manifest } : {},
  );
}

async function doubts(...given: Parameters<typeof network>): Promise<readonly string[]> {
  const explainer = await createExplainer(network(...given), { layers: ["features"] });
  await explainer.close();
  return explainer.doubts;
}

describe("doubts about a model", () => {
  test("none where the names are as many as the scores, where there are none, and for one score between two", async () => {
    expect(await doubts(3, ["a", "b", "c"])).toEqual([]);
    expect(await doubts(3, [])).toEqual([]);
    expect(await doubts(1, ["no", "yes"])).toEqual([]);
  });

  test.each([
    ["3 scores", 3, ["a", "b"]],
    ["2 scores", 2, ["a", "b", "c"]],
    ["one score", 1, ["a", "b", "c"]],
  ])("%s and too few or too many names", async (said, scores, names) => {
    const found = await doubts(scores, names);
    expect(found).toEqual([
      expect.stringMatching(`^${names.length} classes are named and the model has ${said}: names`),
    ]);
  });

  test("Dropout in training mode", async () => {
    expect(await doubts(3, [], true)).toEqual([expect.stringMatching(/^Dropout ".*" is in training mode/)]);
  });
});
