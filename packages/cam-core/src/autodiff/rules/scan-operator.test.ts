import { expect, test } from "vitest";
import { Builder } from "../../graph/builder.ts";
import { emptyGraph } from "../../graph/graph.ts";
import { withSession } from "../../runtime/session.ts";
import { float64, type Tensor } from "../../tensor.ts";
import { feed } from "../../testing/one-node.ts";
import { rng } from "../../testing/rng.ts";
import { dot, like, moved } from "../../testing/vectors.ts";
import { gradient } from "../gradient.ts";

const random = rng(3);
const draw = () => random.next() - 0.5;
const [weights, start, inputs] = [
  [3, 3],
  [2, 3],
  [4, 2, 3],
].map((shape) => float64(shape, Array.from(random.normal(shape).data as Float32Array))) as [Tensor, Tensor, Tensor];
const feeds = { weights, start, inputs };

/** h' = tanh(h · W + x), s' = s + h' over the steps, from the end or not; W is outside the body, and the answer is s · W. */
function network(op: Builder, reverse: boolean) {
  for (const [name, { dtype, shape }] of Object.entries(feeds)) feed(op, name, { dtype, shape });
  const zeros = op.fillLike("start", 0);
  const { states } = op.scan({
    states: ["start", zeros],
    sequences: ["inputs"],
    reverse,
    body: (inner, [h, sum], [x]) => {
      const next = inner.tanh(inner.add(inner.matMul(h!, "weights"), x!));
      return { states: [next, inner.add(sum!, next)], kept: [] };
    },
  });
  return op.matMul(states[1]!, "weights");
}

test.each([false, true])("what the body takes from outside gets its gradient (reverse: %s)", async (reverse) => {
  const op = new Builder(emptyGraph("captured", new Map([["", 18]])));
  const y = network(op, reverse);
  const v = feed(op, "v", { dtype: "float64", shape: [2, 3] });
  const names = Object.keys(feeds) as (keyof typeof feeds)[];
  const found = gradient(op, new Map([[y, v]]), names);
  op.graph.outputs = [y, ...found].map((name) => ({ name, dtype: "float64" }));
  await withSession(op.graph, { optimize: "disabled", threads: 1 }, async (session) => {
    const at = (moving: Partial<typeof feeds>) => session.run({ ...feeds, ...moving, v: cotangent });
    const cotangent = like(start, draw);
    const gradients = await at({});
    for (const [i, name] of names.entries()) {
      const u = like(feeds[name], draw);
      const along = async (t: number) => dot(cotangent, (await at({ [name]: moved(feeds[name], u, t) }))[y]!);
      const slope = async (h: number) => ((await along(h)) - (await along(-h))) / (2 * h);
      const numeric = (4 * (await slope(1e-3)) - (await slope(2e-3))) / 3;
      expect(dot(gradients[found[i]!]!, u) / numeric).toBeCloseTo(1, 8);
    }
  });
});
