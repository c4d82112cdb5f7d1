import { describe, expect, test } from "vitest";
import { camkit, workspace, writeScene } from "./support.ts";

const at = workspace();

describe("the shipped CIFAKE detector", () => {
  test("is listed", async () => {
    const said = await camkit(["models"]);
    expect(said.stdout).toMatch(/^model +cifake 1\.\d\.\d$/m);
  });

  test("answers, or can't say; either side can be explained; a larger picture's loss is said", async () => {
    await writeScene(at("scene.png"), 1); // 96 × 96, neither a photograph nor generated
    const said = await camkit([
      "explain",
      "cifake",
      at("scene.png"),
      "--target",
      "FAKE,REAL",
      "--out",
      at("out"),
      "--json",
    ]);
    expect(said.code).toBe(0);
    const [{ verdict, notes, predictions, explanations }] = said.json().inputs;
    expect(notes).toContain("96 × 96 pixels, seen by the model at 32 × 32");
    expect(verdict.answered).toBe(verdict.probability >= verdict.answerAbove);
    expect(predictions[0].probability + predictions[1].probability).toBeCloseTo(1, 9);
    expect(explanations.map(({ label }: { label: string }) => label)).toEqual(["FAKE", "REAL"]);
    expect(explanations[0].score).toBeCloseTo(-explanations[1].score, 5);
  });
});
