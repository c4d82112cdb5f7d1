import { describe, expect, test } from "vitest";
import { batchNormTraining } from "../graph/batch-norm.ts";
import type { Builder, Value } from "../graph/builder.ts";
import { gradCam } from "../methods/grad-cam.ts";
import type { NodesStage } from "../methods/method.ts";
import type { Session } from "../runtime/runtime.ts";
import { withSession } from "../runtime/session.ts";
import { float32, type Tensor } from "../tensor.ts";
import { hessianProduct } from "../testing/hessian.ts";
import { rng } from "../testing/rng.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import { dot, like, magnitude, moved } from "../testing/vectors.ts";
import { gradient } from "./gradient.ts";

/**
 * A small network in training: convolution, batch normalisation, ReLU, pooling, a strided grouped convolution, GELU, global
 * average, dense, softmax cross-entropy. Everything that may train is an input.
 */
const shapes = {
  x: [3, 2, 4, 4],
  kernel: [4, 2, 3, 3],
  scale: [4],
  shift: [4],
  second: [6, 2, 3, 3],
  bias: [6],
  dense: [6, 3],
  offset: [3],
} as const;
type Name = keyof typeof shapes;
const names = Object.keys(shapes) as Name[];
/** Minus the labels, divided by the batch: two hard ones and a soft one. */
const weights = float32(
  [3, 3],
  [0, 1, 0, 1, 0, 0, 0, 0.25, 0.75].map((label) => -label / 3),
);

type Values = Readonly<Record<Name, Value>>;

/** Activations A of the last convolution, and the logits. */
function network(op: Builder, { x, kernel, scale, shift, second, bias, dense, offset }: Values) {
  const wide = op.conv(x, kernel, { pads: [1, 1, 1, 1], kernel_shape: [3, 3] });
  const { y } = batchNormTraining(op, wide, { scale, bias: shift, epsilon: 1e-5 });
  const pooled = op.maxPool(op.relu(y), { kernel_shape: [2, 2], strides: [2, 2] });
  const windows = { strides: [1, 2], pads: [1, 1, 1, 1], kernel_shape: [3, 3], group: 2 };
  const activations = gelu(op, op.node("Conv", [pooled, second, bias], windows)[0]!);
  const features = op.reduceMean(activations, { axes: [2, 3], keepdims: false });
  return { activations, logits: op.node("Gemm", [features, dense, offset])[0]! };
}

function gelu(op: Builder, x: Value): Value {
  return op.mul(op.mul(x, 0.5), op.add(op.erf(op.mul(x, Math.SQRT1_2)), 1));
}

/** The mean over the batch of -Σ label · log softmax. */
function crossEntropy(op: Builder, logits: Value): Value {
  const [log] = op.node("LogSoftmax", [logits], { axis: 1 });
  return op.reduceSum(op.mul(log!, op.constant(weights)), { axes: "all", keepdims: false });
}

/** Cross-entropy, and the share of the first class's Grad-CAM map that lies on what isn't to be looked at. */
function guided(op: Builder, values: Values): Value {
  const { activations, logits } = network(op, values);
  const seed = op.expand(op.constant(float32([1, 3], [1, 0, 0])), op.shape(logits));
  const [gradients] = gradient(op, new Map([[logits, seed]]), [activations]) as [Value];
  const stage = gradCam.stages[0] as NodesStage;
  const context = { op, activations, gradients, space: [2, 3], input: values.x, inputGradients: "", made: {} };
  const map = stage.build(context).map as Value; // [N, 2, 1]
  const mask = op.constant(float32([1, 2, 1], [1, 0]));
  const sum = (value: Value) => op.reduceSum(value, { axes: "all", keepdims: false });
  const share = op.div(sum(op.mul(map, mask)), op.add(sum(map), 0.5));
  return op.add(crossEntropy(op, logits), op.mul(share, 3));
}

const losses: Readonly<Record<string, (op: Builder, values: Values) => Value>> = {
  "cross-entropy of a network": (op, values) => crossEntropy(op, network(op, values).logits),
  "a loss on its Grad-CAM map, too": guided,
};

// At this point no ReLU and no maximum changes sides within the steps below, and the map isn't 0.
const random = rng(7);
const here = names.map((name) => random.normal(shapes[name]));
const [a, b] = [0, 1].map(() => here.map((one) => like(one, () => random.next() - 0.5))) as [Tensor[], Tensor[]];
const sum = (f: (a: Tensor, b: Tensor) => number, left: readonly Tensor[], right: readonly Tensor[]) =>
  left.reduce((total, one, i) => total + f(one, right[i]!), 0);

const prefixed = (prefix: string) => names.map((name) => `${prefix}_${name}`);
const byName = <T>(keys: readonly string[], values: readonly T[]) =>
  Object.fromEntries(keys.map((key, i) => [key, values[i]!]));

describe.each(Object.entries(losses))("%s", (_, loss) => {
  const directions = byName(
    prefixed("along"),
    names.map((name) => shapes[name]),
  );
  const { graph } = tinyModel({ ...shapes, ...directions }, (op, inputs) => {
    const seed = new Map([[loss(op, inputs as Values), op.scalar(1, "float32")]]);
    const { gradients, products } = hessianProduct(op, seed, names, Object.keys(directions));
    return { ...byName(prefixed("gradient"), gradients), ...byName(prefixed("product"), products) };
  });
  const asked = async (session: Session, what: string, place: readonly Tensor[], along: readonly Tensor[]) => {
    const results = await session.run({ ...byName(names, place), ...byName(prefixed("along"), along) });
    return prefixed(what).map((name) => results[name]!);
  };

  test.each(["all", "disabled"] as const)("the Hessian (optimiser: %s)", async (optimize) => {
    await withSession(graph, { optimize, threads: 1 }, async (session) => {
      const [ha, hb] = [await asked(session, "product", here, a), await asked(session, "product", here, b)];
      const product = sum(dot, b, ha);
      const scale = sum(magnitude, b, ha);
      expect(Math.abs(product - sum(dot, a, hb)) / scale, "is symmetric").toBeLessThan(1e-5);
      const along = async (t: number) => {
        const place = here.map((one, i) => moved(one, a[i]!, t));
        return sum(dot, b, await asked(session, "gradient", place, a));
      };
      const slope = async (h: number) => ((await along(h)) - (await along(-h))) / (2 * h);
      const numeric = (4 * (await slope(1e-2)) - (await slope(2e-2))) / 3;
      expect(Math.abs(numeric - product) / scale, "is the gradient's derivative").toBeLessThan(2e-5);
      expect(Math.abs(numeric - 1.001 * product) / scale, "and not 0.1 % more").toBeGreaterThan(2e-5);
    });
  });
});
