import { describe, expect, test } from "vitest";
import { gradientPlan } from "../explain/plan.ts";
import { createExplainer } from "../runtime/explain.ts";
import { openSession } from "../runtime/session.ts";
import type { Tensor } from "../tensor.ts";
import { referenceInput, referenceNetwork } from "../testing/tiny-models.ts";

/**
 * Reference values on the small network of testing/tiny-models.ts, class 1 (the winner), layer "A", computed with
 * pytorch-grad-cam on PyTorch 2.13 in float64. Grad-CAM++ is the formula without that program's epsilon (which changes the
 * weight of channel 1 from .0007698 to .0006363 here), evaluated with NumPy on the same A and dA.
 */
const raw: Readonly<Record<string, readonly number[]>> = {
  "grad-cam": [-0.3183003, 0.5185842, 0.0031628, 1.3153306],
  "grad-cam++": [0.0017548, 0.6522411, 0.0451176, 1.7334327],
  "xgrad-cam": [-0.4328247, 0.2949649, -0.017618, 0.534744],
  "hires-cam": [-0.4443881, 0.7758086, 0.0104396, 0.037406],
  "layer-cam": [0, 0.7758086, 0.046456, 0.3895072],
};

const finished: Readonly<Record<string, readonly number[]>> = {
  "grad-cam": [
    0, 0.098565, 0.295696, 0.394261, 0.000601, 0.136875, 0.409422, 0.545696, 0.001803, 0.213494, 0.636875, 0.848565,
    0.002405, 0.251803, 0.750601, 1,
  ],
  "layer-cam": [
    0, 0.25, 0.75, 1, 0.01497, 0.230107, 0.66038, 0.875516, 0.044911, 0.19032, 0.48114, 0.62655, 0.059882, 0.170427,
    0.39152, 0.502066,
  ],
};

const dx = [
  -0.1931158, -0.2765348, -0.3750709, -0.2555402, 0.5077029, 0.4307036, 0.3600741, 0.3437181, -0.3060289, -0.2111224,
  0.011116, -0.0454599, 0.2856513, 0.2326513, -0.019636, 0.0390215,
];

const values = (tensor: Tensor) => Array.from(tensor.data as Float32Array);

function close(got: readonly number[], wanted: readonly number[], tolerance = 1e-5) {
  expect(got.length).toBe(wanted.length);
  got.forEach((value, i) => {
    expect(Math.abs(value - wanted[i]!), `element ${i}: ${value} for ${wanted[i]}`).toBeLessThanOrEqual(tolerance);
  });
}

async function explain(method: string) {
  const explainer = await createExplainer(referenceNetwork(), {
    method,
    ...(method.startsWith("input") ? {} : { layers: ["A"] }),
  });
  try {
    return (await explainer.run({ x: referenceInput })).explanations[0]!;
  } finally {
    await explainer.close();
  }
}

describe("against reference values", () => {
  test.each(Object.keys(raw))("%s: the raw map", async (method) => {
    const { raw: maps, scores, classes } = await explain(method);
    expect(classes).toEqual([1]);
    close(scores, [1.9699665]);
    close(
      values(maps[0]!),
      raw[method]!.map((value) => Math.max(0, value)),
    );
    expect(maps[0]!.shape).toEqual([1, 2, 2]);
  });

  test.each(Object.keys(finished))("%s: the finished map", async (method) => {
    const { map } = await explain(method);
    expect(map!.shape).toEqual([1, 4, 4]);
    close(values(map!), finished[method]!);
  });

  test("input-gradient and input-x-gradient", async () => {
    close(values((await explain("input-gradient")).raw[0]!), dx.map(Math.abs));
    const x = values(referenceInput);
    close(
      values((await explain("input-x-gradient")).raw[0]!),
      dx.map((value, i) => value * x[i]!),
    );
  });

  test("the gradient itself", async () => {
    const made = gradientPlan(referenceNetwork(), { target: { kind: "class", index: 1 } });
    const session = await openSession(made.graph);
    const out = await session.run({ x: referenceInput, ...made.targets[0]!.feeds({ kind: "class", index: 1 }, 1) });
    await session.close();
    close(values(out[made.gradient]!), dx);
  });
});
