import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel, type Manifest, parseManifest, sha256Hex, writeModel } from "@camkit/cam-core";
import { afterAll, describe, expect, test } from "vitest";
import { type Drawn, drawnScores, ship } from "./ship.ts";
import { colourModel } from "./test-models.ts";

const at = mkdtempSync(join(tmpdir(), "camkit-ship-"));
afterAll(() => rmSync(at, { recursive: true, force: true }));

const config = `
network: { preset: cifake }
data: { train: somewhere }
manifest: { name: cifake, version: 1.0.0, licence: Apache-2.0, limits: [Knows one generator.], targetLayer: seen }
`;

/** A run's folder, and the one to ship to. */
function folders(name: string, change: Partial<Manifest> = {}) {
  const [run, to] = [join(at, name, "run"), join(at, name, "to")];
  mkdirSync(run, { recursive: true });
  mkdirSync(to);
  const model = colourModel([[1], [0], [-1]]);
  const bytes = writeModel(model.graph).model;
  writeFileSync(join(run, "model.onnx"), bytes);
  const manifest: Manifest = {
    ...model.manifest!,
    sha256: sha256Hex(bytes),
    limits: ["as it was worded then"],
    calibration: { temperature: 1.5, answerAbove: 0.9 },
    results: { "test/accuracy": { value: 0.96 }, "test without copies/accuracy": { value: 0.95 } },
    ...change,
  };
  writeFileSync(join(run, "model.camkit.json"), JSON.stringify(manifest));
  writeFileSync(join(to, "train.yaml"), config);
  return { run, to };
}

test("what was measured comes from the run, what is said from the configuration", async () => {
  const { run, to } = folders("good");
  await ship(run, to);
  const { manifest, sha256 } = await loadModel(join(to, "model.onnx"));
  expect(manifest).toMatchObject({
    ...{ name: "cifake", version: "1.0.0", licence: "Apache-2.0", limits: ["Knows one generator."], sha256: sha256() },
    calibration: { answerAbove: 0.9 },
    results: { "test/accuracy": { value: 0.96 } },
  });
  const { seeds, logits }: Drawn = JSON.parse(readFileSync(join(to, "drawn.json"), "utf8"));
  expect(logits).toHaveLength(seeds.length);
  expect(new Set(logits).size).toBe(seeds.length);
});

describe("not shipped", () => {
  test.each<[string, Partial<Manifest>, RegExp]>([
    ["another file's manifest", { sha256: "0".repeat(64) }, /sha256: is about another file/],
    ["no number without copies", { results: { "test/accuracy": { value: 1 } } }, /"test without copies\/accuracy"/],
    ["always an answer", { calibration: { temperature: 1 } }, /doesn't say when the model can't say/],
  ])("%s", async (name, change, message) => {
    const { run, to } = folders(name, change);
    await expect(ship(run, to)).rejects.toThrow(message);
    expect(existsSync(join(to, "model.onnx"))).toBe(false);
  });
});

const shipped = join(import.meta.dirname, "../../../../models/cifake");

describe("the shipped detector", () => {
  test("is the file that its manifest is about, and says of drawn scenes what it said when it was shipped", async () => {
    const model = await loadModel(join(shipped, "model.onnx"));
    expect(parseManifest(model.manifest, "model.camkit.json").sha256).toBe(model.sha256());
    expect(model.bytes).toBeLessThan(3e6);
    const { seeds, logits }: Drawn = JSON.parse(readFileSync(join(shipped, "drawn.json"), "utf8"));
    for (const [i, logit] of (await drawnScores(model, seeds)).entries()) expect(logit).toBeCloseTo(logits[i]!, 3);
  });

  test("states its accuracy twice, and by how much the copies help", async () => {
    const { results = {} } = (await loadModel(join(shipped, "model.onnx"))).manifest!;
    const [all, rest] = ["test", "test without copies"].map((part) => results[`${part}/accuracy`]!.value);
    expect(rest).toBeGreaterThan(0.9298); // the best of the paper's 36 variants
    expect(Math.abs(all! - rest!)).toBeLessThan(0.01);
  });
});
