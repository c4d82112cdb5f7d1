import { expect, test } from "vitest";
import type { Model } from "../model/model.ts";
import { createExplainer } from "../runtime/explain.ts";
import { float32, type Tensor, viewBytes } from "../tensor.ts";
import { formula, referenceInput, referenceNetwork, tinyModel } from "../testing/tiny-models.ts";
import { randomisation } from "./randomisation.ts";
import { weightedLayers, withRedrawn } from "./redraw.ts";

const model = referenceNetwork();

async function mapOf(of: Model, method = "grad-cam"): Promise<Tensor> {
  const explainer = await createExplainer(of, { method, optimize: "disabled" }, [{ kind: "class", index: 1 }]);
  try {
    return (await explainer.run({ x: referenceInput })).explanations[0]!.map!;
  } finally {
    await explainer.close();
  }
}

test("layers are those with weights, the one nearest the output first", () => {
  const shapes = weightedLayers(model.graph).map(({ weights }) =>
    weights.map((name) => model.graph.initializers.get(name)!.shape),
  );
  expect(shapes).toEqual([[[3, 4]], [[4, 12]], [[3, 1, 3, 3]]]);
});

test("new weights have the old mean and deviation, or are the old ones in another order; the rest is shared", () => {
  const wide = tinyModel({ x: ["n", 100] }, (op, { x }) => {
    const table = op.constant(formula([200, 100], (n) => 3 + Math.sin(n)));
    return { y: op.node("Gemm", [x!, table, op.constant(float32([200], new Array(200).fill(1)))], { transB: 1 })[0]! };
  });
  const { weights } = weightedLayers(wide.graph)[0]!;
  const valuesOf = (of: Model) => [
    ...(viewBytes("float32", of.graph.initializers.get(weights[0]!)!.bytes) as Float32Array),
  ];
  const moments = (values: number[]) => {
    const mean = values.reduce((a, b) => a + b) / values.length;
    return [mean, Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)] as const;
  };
  const before = valuesOf(wide);
  const normal = valuesOf(withRedrawn(wide, weights, 1, "normal"));
  // 20,000 numbers: the mean's own deviation is 0.005, the deviation's 0.0035.
  expect(moments(normal)[0]).toBeCloseTo(moments(before)[0], 1);
  expect(Math.abs(moments(normal)[1] - moments(before)[1])).toBeLessThan(0.02);
  expect(normal).not.toEqual(before);
  expect(valuesOf(withRedrawn(wide, weights, 1, "normal"))).toEqual(normal);
  const shuffled = valuesOf(withRedrawn(wide, weights, 1, "permuted"));
  expect(shuffled).not.toEqual(before);
  expect(shuffled.toSorted()).toEqual(before.toSorted());
  expect(valuesOf(wide)).toEqual(before);
});

test("integer weights behind a DequantizeLinear are found, and permuted", () => {
  const quantised = tinyModel({ x: ["n", 4] }, (op, { x }) => {
    const table = op.constant({ dtype: "int8", shape: [2, 4], data: Int8Array.of(1, -2, 3, -4, 5, -6, 7, -8) });
    const real = op.node("DequantizeLinear", [table, op.constant(float32([], [0.5]))], {})[0]!;
    return { y: op.node("Gemm", [x!, real], { transB: 1 })[0]! };
  });
  const [layer] = weightedLayers(quantised.graph);
  const drawn = withRedrawn(quantised, layer!.weights, 3, "normal").graph.initializers.get(layer!.weights[0]!)!;
  expect(drawn.dtype).toBe("int8");
  const values = [...(viewBytes("int8", drawn.bytes) as Int8Array)];
  expect(values).not.toEqual([1, -2, 3, -4, 5, -6, 7, -8]);
  expect(values.toSorted((a, b) => a - b)).toEqual([-8, -6, -4, -2, 1, 3, 5, 7]);
});

test("a map made from the weights changes; each stage stands on those before it", async () => {
  const map = await mapOf(model, "input-x-gradient");
  const drawnFor: string[][] = [];
  const found = await randomisation.measure(
    {
      map,
      model,
      explain: async (changed) => {
        const names = weightedLayers(model.graph).flatMap(({ weights }) => weights);
        drawnFor.push(
          names.filter((name) => changed.graph.initializers.get(name) !== model.graph.initializers.get(name)),
        );
        return mapOf(changed, "input-x-gradient");
      },
    },
    { seed: 1 },
  );
  expect(drawnFor.map((names) => names.length)).toEqual([1, 2, 3]);
  expect(found.stages).toHaveLength(3);
  expect(found.value).toBe(found.stages[2]!.spearman);
  expect(Math.abs(found.value)).toBeLessThan(0.7);
  expect(found.warnings).toEqual([]);
});

test("a map of the input alone is caught, by name", async () => {
  const map = formula([1, 4, 4], (n) => (referenceInput.data as Float32Array)[n]!);
  const found = await randomisation.measure({ map, model, explain: async () => map }, {});
  expect(found.value).toBeCloseTo(1, 12);
  expect(found.stages.every(({ ssim }) => Math.abs(ssim - 1) < 1e-9)).toBe(true);
  expect(found.warnings).toEqual([
    expect.stringMatching(/doesn't depend on the weights of/),
    expect.stringMatching(/may show the input more than what the model learnt/),
  ]);
});

test("layers can be put together, and each drawn alone", async () => {
  const map = formula([1, 2, 2], (n) => n);
  const seen: number[] = [];
  const explain = async (changed: Model) => {
    seen.push(
      [...changed.graph.initializers].filter(([name, value]) => model.graph.initializers.get(name) !== value).length,
    );
    return formula([1, 2, 2], (n) => 4 - n);
  };
  const both = await randomisation.measure({ map, model, explain }, { stages: 2 });
  expect(both.stages.map(({ layers }) => layers.length)).toEqual([2, 1]);
  expect(both.value).toBeCloseTo(-1, 12);
  const alone = await randomisation.measure({ map, model, explain }, { order: "independent" });
  expect(seen).toEqual([2, 3, 1, 1, 1]);
  expect(alone.value).toBeCloseTo(-1, 12);
});

test("a map that vanishes has no rank correlation; a model without weights is refused", async () => {
  const map = formula([1, 2, 2], (n) => n);
  const gone = await randomisation.measure({ map, model, explain: async () => formula([1, 2, 2], () => 0) }, {});
  expect(gone.value).toBeNaN();
  expect(gone.reason).toMatch(/constant/);
  const bare = tinyModel({ x: ["n", 4] }, (op, { x }) => ({ y: op.relu(x!) }));
  await expect(randomisation.measure({ map, model: bare, explain: async () => map }, {})).rejects.toThrow(/no weights/);
});
