import { describe, expect, test } from "vitest";
import { withSession } from "../../runtime/session.ts";
import { float32, int64, type Tensor } from "../../tensor.ts";
import { rng } from "../../testing/rng.ts";
import { named, tinyModel } from "../../testing/tiny-models.ts";
import { Builder, type Value } from "../builder.ts";
import { checkGraph } from "../check.ts";
import { copyGraph, type Graph } from "../graph.ts";
import { hoistPosition } from "./hoist-position.ts";
import { pruneUnused } from "./prune-unused.ts";

const [tokens, width, heads] = [5, 8, 2];

/** Draws of one seed, so that two builds of the same network have the same weights. */
function weights(op: Builder, seed: number) {
  const random = rng(seed);
  return (...shape: number[]) =>
    op.constant(
      float32(
        shape,
        (random.normal(shape).data as Float32Array).map((v) => v / 3),
      ),
    );
}

function layerNorm(op: Builder, x: Value, w: (...shape: number[]) => Value): Value {
  return op.node("LayerNormalization", [x, w(width), w(width)], { axis: -1, epsilon: 1e-5 })[0]!;
}

/** One transformer block as exporters write it. Its MLP's hidden tensor is called `hidden`. */
function block(op: Builder, x: Value, w: (...shape: number[]) => Value, hidden: string): Value {
  const normed = layerNorm(op, x, w);
  const perHead = () =>
    op.transpose(
      op.reshape(op.add(op.matMul(normed, w(width, width)), w(width)), [0, 0, heads, width / heads]),
      [0, 2, 1, 3],
    );
  const [q, k, v] = [perHead(), perHead(), perHead()];
  const scores = op.softmax(op.div(op.matMul(q!, op.transpose(k!, [0, 1, 3, 2])), 2), -1);
  const mixed = op.reshape(op.transpose(op.matMul(scores, v!), [0, 2, 1, 3]), [0, 0, width]);
  const attended = op.add(x, op.add(op.matMul(mixed, w(width, width)), w(width)));
  const inner = op.add(op.matMul(layerNorm(op, attended, w), w(width, 4 * width)), w(4 * width));
  // GELU as exporters write it: x/2 · (1 + erf(x/√2)).
  const gelu = op.mul(op.mul(inner, op.add(op.erf(op.div(inner, Math.SQRT2)), 1)), 0.5);
  return op.add(attended, op.add(op.matMul(named(op, gelu, hidden), w(4 * width, width)), w(width)));
}

type Read = (op: Builder, x: Value) => Value;

const reads: Readonly<Record<string, Read>> = {
  "Gather with a scalar": (op, x) => op.gather(x, op.scalar(0, "int64"), 1),
  "Gather with a list of one": (op, x) => op.squeeze(op.gather(x, op.ints([0]), 1), [1]),
  "Gather from behind": (op, x) => op.gather(x, op.scalar(-tokens, "int64"), 1),
  "Slice 0:1": (op, x) => op.squeeze(op.slice(x, { axes: [1], starts: [0], ends: [1] }), [1]),
  "Slice of the last": (op, x) => op.squeeze(op.slice(x, { axes: [1], starts: [tokens - 1], ends: [tokens] }), [1]),
  "Slice of the last, from behind": (op, x) =>
    op.squeeze(op.slice(x, { axes: [-2], starts: [-1], ends: [2 ** 31 - 1] }), [1]),
};

function vit(read: Read, shape: (number | string)[] = ["n", tokens, width]) {
  return tinyModel({ x: shape }, (op, { x }) => {
    const w = weights(op, 3);
    const last = block(op, named(op, block(op, x!, w, "hidden1"), "between"), w, "hidden2");
    return { logits: op.matMul(read(op, layerNorm(op, named(op, last, "last"), w)), w(width, 3)) };
  }).graph;
}

/** The graph after the pass, with values that are to keep all positions. */
function hoisted(graph: Graph, keep: readonly string[] = []): { graph: Graph; op: Builder } {
  const copy = copyGraph(graph);
  copy.outputs = [...copy.outputs, ...keep.map((name) => ({ name, dtype: "float32" as const }))];
  const op = new Builder(copy);
  hoistPosition(op);
  pruneUnused(copy);
  checkGraph(copy);
  return { graph: copy, op };
}

const feed = { x: rng(9).normal([3, tokens, width]) };
const run = (graph: Graph, feeds: Record<string, Tensor> = feed) =>
  withSession(graph, {}, (session) => session.run(feeds));

function close(got: Tensor, wanted: Tensor) {
  expect(got.shape).toEqual(wanted.shape);
  for (const [i, value] of [...(wanted.data as Float32Array)].entries())
    expect(Math.abs(Number(got.data[i]) - value), `element ${i}`).toBeLessThan(1e-6);
}

/** Sizes of the position axis among the outputs of nodes that read a weight of this shape. */
function positionsAt({ graph, op }: { graph: Graph; op: Builder }, shape: readonly number[]): unknown[] {
  return graph.nodes
    .filter((node) => node.opType === "MatMul" && String(op.dims(node.inputs[1]!)) === String(shape))
    .map((node) => op.dims(node.outputs[0]!)?.at(-2));
}

describe("a vision transformer that reads one token", () => {
  test.each(Object.entries(reads))("%s: same logits, the last block's MLP for one token only", async (_, read) => {
    const graph = vit(read);
    const moved = hoisted(graph);
    close((await run(moved.graph)).logits!, (await run(graph)).logits!);
    expect(
      positionsAt(hoisted(vit((op, x) => op.reduceMean(x, { axes: [1], keepdims: false }))), [width, 4 * width]),
    ).toEqual([tokens, tokens]);
    expect(positionsAt(moved, [width, 4 * width])).toEqual([tokens, 1]);
    expect(positionsAt(moved, [4 * width, width])).toEqual([tokens, 1]);
    // Queries of one token, keys and values of all: q, k, v and the projection of each block.
    expect(positionsAt(moved, [width, width]).slice(4).sort()).toEqual([1, 1, tokens, tokens]);
  });

  test("sizes open: nothing is lost", async () => {
    const graph = vit(reads["Gather with a scalar"]!, ["n", "t", width]);
    const moved = hoisted(graph);
    close((await run(moved.graph)).logits!, (await run(graph)).logits!);
    expect(positionsAt(moved, [width, 4 * width])).toEqual(["t", 1]);
  });

  test("a value that is asked for keeps all its positions, and its numbers", async () => {
    const graph = vit(reads["Gather with a scalar"]!);
    for (const keep of ["last", "hidden2", "between"]) {
      const moved = hoisted(graph, [keep]);
      const wanted = copyGraph(graph);
      wanted.outputs.push({ name: keep, dtype: "float32" });
      const [got, expected] = [await run(moved.graph), await run(wanted)];
      close(got.logits!, expected.logits!);
      close(got[keep]!, expected[keep]!);
      expect(got[keep]!.shape[1]).toBe(tokens);
    }
  });

  test("class token joined to the patches: with no block between, the patches aren't needed", async () => {
    const build = (blocks: number) =>
      tinyModel({ x: ["n", tokens, width] }, (op, { x }) => {
        const w = weights(op, 4);
        const cls = op.expand(w(1, 1, width), op.concat([op.shape(x!, 0, 1), op.ints([1, width])], 0));
        let y = op.add(op.concat([cls, named(op, op.tanh(x!), "patches")], 1), w(1, tokens + 1, width));
        for (let i = 0; i < blocks; i++) y = block(op, y, w, `hidden${i}`);
        return { logits: op.matMul(op.gather(y, op.scalar(0, "int64"), 1), w(width, 3)) };
      }).graph;
    for (const blocks of [0, 1, 2]) {
      const moved = hoisted(build(blocks));
      close((await run(moved.graph)).logits!, (await run(build(blocks))).logits!);
      expect(moved.graph.nodes.some((node) => node.outputs.includes("patches"))).toBe(blocks > 0);
      if (blocks > 0) expect(positionsAt(moved, [width, 4 * width]).at(-1)).toBe(1);
    }
  });

  test("patch 2 of a concatenation lies at position 1 of the patches", async () => {
    const graph = tinyModel({ x: ["n", tokens, width] }, (op, { x }) => {
      const w = weights(op, 4);
      const cls = op.expand(w(1, 1, width), op.concat([op.shape(x!, 0, 1), op.ints([1, width])], 0));
      return { logits: op.gather(op.relu(op.concat([cls, op.tanh(x!)], 1)), op.scalar(2, "int64"), 1) };
    }).graph;
    const moved = hoisted(graph);
    const got = (await run(moved.graph)).logits!;
    close(got, (await run(graph)).logits!);
    const wanted = Array.from({ length: 3 * width }, (_, i) => {
      const [n, c] = [Math.floor(i / width), i % width];
      return Math.max(0, Math.tanh(Number(feed.x.data[(n * tokens + 1) * width + c])));
    });
    for (const [i, value] of wanted.entries()) expect(Number(got.data[i])).toBeCloseTo(value, 5);
  });

  test("two heads, class and distillation token, from the same block", async () => {
    const graph = tinyModel({ x: ["n", tokens, width] }, (op, { x }) => {
      const w = weights(op, 5);
      const y = layerNorm(op, block(op, block(op, x!, w, "hidden1"), w, "hidden2"), w);
      const head = (index: number) => op.matMul(op.gather(y, op.scalar(index, "int64"), 1), w(width, 3));
      return { logits: op.div(op.add(head(0), head(1)), 2) };
    }).graph;
    const moved = hoisted(graph);
    close((await run(moved.graph)).logits!, (await run(graph)).logits!);
    // The last block's MLP runs for those two tokens.
    expect(positionsAt(moved, [width, 4 * width])).toEqual([tokens, 2]);
  });
});

describe("no rewrite", () => {
  const same: Readonly<Record<string, Read>> = {
    "positions are mixed by a mean": (op, x) =>
      op.gather(op.sub(x, op.reduceMean(x, { axes: [1] })), op.scalar(0, "int64"), 1),
    "positions are mixed by a softmax over them": (op, x) => op.gather(op.softmax(x, 1), op.scalar(0, "int64"), 1),
    "positions are mixed by a product from the left": (op, x) =>
      op.gather(
        op.matMul(
          op.constant(
            float32(
              [tokens, tokens],
              Array.from({ length: 25 }, (_, i) => i / 9),
            ),
          ),
          x,
        ),
        op.scalar(1, "int64"),
        1,
      ),
    "positions are normalised together": (op, x) =>
      op.gather(
        op.node(
          "LayerNormalization",
          [x, op.constant(float32([tokens, width], new Float32Array(tokens * width).fill(1)))],
          { axis: 1 },
        )[0]!,
        op.scalar(0, "int64"),
        1,
      ),
    "several positions are chosen": (op, x) =>
      op.reduceSum(op.gather(op.relu(x), op.ints([0, 2]), 1), { axes: [1], keepdims: false }),
    "channels are chosen": (op, x) => op.gather(op.relu(x), op.scalar(1, "int64"), 2),
    "every position is read elsewhere": (op, x) => {
      const y = op.relu(x);
      return op.add(op.gather(y, op.scalar(0, "int64"), 1), op.reduceSum(y, { axes: [1], keepdims: false }));
    },
    "a reshape tears positions apart": (op, x) =>
      op.reshape(op.gather(op.reshape(op.relu(x), [0, width, tokens]), op.scalar(3, "int64"), 1), [0, tokens]),
    "the index is computed": (op, x) =>
      op.gather(
        op.relu(x),
        op.cast(op.squeeze(op.slice(op.reshape(x, [-1]), { axes: [0], starts: [0], ends: [1] }), [0]), "int64"),
        1,
      ),
    "the sizes are kept apart by a transpose": (op, x) =>
      op.gather(op.transpose(op.relu(x), [0, 2, 1]), op.scalar(1, "int64"), 1),
  };
  test.each(Object.entries(same))("%s: same numbers", async (what, read) => {
    const graph = tinyModel({ x: ["n", tokens, width] }, (op, { x }) => ({ logits: read(op, op.abs(x!)) })).graph;
    const moved = hoisted(graph);
    const x = float32(
      [1, tokens, width],
      (feed.x.data as Float32Array).slice(0, 40).map((v) => Math.abs(v) % 1),
    );
    close((await run(moved.graph, { x })).logits!, (await run(graph, { x })).logits!);
    if (!/transpose/.test(what)) {
      const abs = moved.graph.nodes.find((node) => node.opType === "Abs")!;
      expect(moved.op.dims(abs.outputs[0]!)).toEqual(["n", tokens, width]);
    }
  });

  test("a graph without a choice is left alone", () => {
    const graph = tinyModel({ x: ["n", tokens, width] }, (op, { x }) => ({
      y: op.reduceMean(op.relu(x!), { axes: [1] }),
    })).graph;
    expect(hoisted(graph).graph.nodes).toEqual(graph.nodes);
  });

  test("several choices of different positions from the same value", async () => {
    const graph = tinyModel({ x: ["n", tokens, width] }, (op, { x }) => {
      const y = op.exp(op.tanh(x!));
      const at = (i: number) => op.gather(y, op.constant(int64([], [i])), 1);
      return { logits: op.sub(at(0), op.add(at(1), at(4))) };
    }).graph;
    close((await run(hoisted(graph).graph)).logits!, (await run(graph)).logits!);
  });
});
