import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSite, ortWeb, type Site } from "../../../testing/chromium.ts";
import { withoutPeers } from "../../../testing/peers.ts";
import { exportGraph } from "../src/explain/export.ts";
import type { Graph } from "../src/graph/graph.ts";
import { methodNamed } from "../src/methods/index.ts";
import { writeModel } from "../src/model/write.ts";
import { decodeNpy, encodeNpy } from "../src/npy.ts";
import { drawScene } from "../src/phantom/scenes.ts";
import { createExplainer } from "../src/runtime/explain.ts";
import { loadModel } from "../src/runtime/load-model.ts";
import { openBytes } from "../src/runtime/session.ts";
import { writeModelFile } from "../src/runtime/write-model.ts";
import { float32, type Tensor } from "../src/tensor.ts";
import { rng } from "../src/testing/rng.ts";
import { smallCnn, smallVit } from "../src/testing/small-networks.ts";
import { named, tinyModel } from "../src/testing/tiny-models.ts";

/**
 * Exported models where camkit isn't: in Python's onnxruntime and in onnxruntime-web in headless Chromium, for two classes each.
 * CAMKIT_PYTHON names a Python with onnxruntime, onnx and numpy (default python3); CAMKIT_EXPORT_ZOO a folder of real networks,
 * NAME/{model.onnx, x.npy}, which are served as well.
 */
const folder = mkdtempSync(join(tmpdir(), "camkit-exported-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const root = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** The small CNN's kind with every activation and weight quantised, as onnxruntime's quantiser leaves it (QDQ). */
function quantisedCnn() {
  const random = rng(21);
  return tinyModel({ x: [1, 3, 20, 23] }, (op, { x }) => {
    const rounded = (value: string, scale: number, zero: number) => {
      const by = [op.scalar(scale, "float32"), op.constant({ dtype: "uint8", shape: [], data: Uint8Array.of(zero) })];
      return op.node("DequantizeLinear", [op.node("QuantizeLinear", [value, ...by])[0]!, ...by])[0]!;
    };
    const weight = (...shape: number[]) => {
      const codes = (random.normal(shape).data as Float32Array).map((value) =>
        Math.max(-127, Math.min(127, 40 * value)),
      );
      const scales = Array.from({ length: shape[0]! }, (_, i) => 0.004 + 0.0002 * i);
      const zeros = { dtype: "int8" as const, shape: [shape[0]!], data: new Int8Array(shape[0]!) };
      const kept = op.constant({ dtype: "int8", shape, data: Int8Array.from(codes) });
      return op.node("DequantizeLinear", [kept, op.constant(float32([shape[0]!], scales)), op.constant(zeros)], {
        axis: 0,
      })[0]!;
    };
    const same = { pads: [1, 1, 1, 1], strides: [2, 2] };
    const first = rounded(op.relu(op.conv(rounded(x!, 0.03, 128), weight(8, 3, 3, 3), same)), 0.02, 0);
    const second = rounded(op.relu(op.conv(first, weight(16, 8, 3, 3), same)), 0.01, 0);
    const pooled = rounded(op.node("GlobalAveragePool", [named(op, second, "features")])[0]!, 0.004, 0);
    const flat = op.node("Flatten", [pooled], { axis: 1 })[0]!;
    return { logits: rounded(op.node("Gemm", [flat, weight(5, 16)], { transB: 1 })[0]!, 0.005, 128) };
  });
}

type Served = {
  readonly name: string;
  readonly quantised: boolean;
  readonly x: Tensor;
  readonly classes: readonly [number, number];
  /** What explain --raw gives for each class, and the original outputs in this runtime. */
  readonly raw: readonly Tensor[];
};

/** Writes NAME/{model,explained}.onnx and x.npy, and explains both classes here. */
async function prepare(name: string, source: string | Graph, x: Tensor): Promise<Served> {
  const at = join(folder, `${name}.onnx`);
  if (typeof source === "string") writeFileSync(at, readFileSync(source));
  else writeFileSync(at, writeModel(source).model);
  writeFileSync(join(folder, `${name}.npy`), encodeNpy(x));
  const model = await loadModel(at);
  const exported = exportGraph(model, { method: methodNamed("grad-cam") });
  await writeModelFile(join(folder, `${name}.explained.onnx`), exported.graph);
  const input = model.graph.inputs[0]!.name;
  const session = await openBytes(at);
  const outputs = await session.run({ [input]: x });
  await session.close();
  const logits = outputs[model.graph.outputs[0]!.name]!;
  const scores = Array.from(logits.data as Float32Array).slice(0, logits.shape[1]);
  const likeliest = scores
    .map((_, i) => i)
    .sort((a, b) => scores[b]! - scores[a]!)
    .slice(0, 10);
  const targets = likeliest.map((index) => ({ kind: "class" as const, index }));
  const explainer = await createExplainer(model, {}, targets);
  const { explanations } = await explainer.run({ [input]: x });
  await explainer.close();
  // An empty map says nothing about what was computed.
  const shown = explanations.flatMap(({ raw: [map] }, i) =>
    values(map!).some((value) => value > 0) ? [[likeliest[i]!, map!] as const] : [],
  );
  expect(shown.length).toBeGreaterThanOrEqual(2);
  const quantised = model.graph.nodes.some((node) => node.opType === "QuantizeLinear");
  const [first, second] = shown as [(typeof shown)[0], (typeof shown)[0]];
  return { name, quantised, x, classes: [first[0], second[0]], raw: [first[1], second[1]] };
}

const values = (tensor: Tensor) => Array.from(tensor.data as Float32Array);

/** Largest difference as a share of the largest value. */
function distance(got: readonly number[], wanted: readonly number[]): number {
  expect(got.length).toBe(wanted.length);
  const scale = Math.max(...wanted.map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  return Math.max(...got.map((value, i) => Math.abs(value - wanted[i]!))) / scale;
}

/** Integer kernels round at other places in WebAssembly: some steps of 255, of the largest value where calibration is right. */
const allowed = ({ quantised }: Served) => (quantised ? 6 / 255 : 1e-5);

/** What a runtime elsewhere gave: `cam` per class, and the model's own outputs from both files. */
type Answer = { cam: number[][]; outputs: number[][]; original: number[][] };

function check(where: string, served: Served, answer: Answer) {
  const cam = Math.max(...served.raw.map((raw, i) => distance(answer.cam[i]!, values(raw))));
  const outputs = Math.max(...answer.original.map((output, i) => distance(answer.outputs[i]!, output)));
  console.info(
    `${where}, ${served.name}: cam within ${cam.toExponential(1)}, outputs within ${outputs.toExponential(1)}`,
  );
  expect(cam).toBeLessThanOrEqual(allowed(served));
  expect(outputs).toBeLessThanOrEqual(1e-6);
}

let networks: Served[];
beforeAll(async () => {
  networks = [
    await prepare("cnn", smallCnn().graph, rng(1).normal([2, 3, 20, 23])),
    await prepare("vit", smallVit().graph, rng(1).normal([2, 3, 24, 24])),
    await prepare("qdq", quantisedCnn().graph, rng(1).normal([1, 3, 20, 23])),
  ];
  const zoo = process.env.CAMKIT_EXPORT_ZOO;
  for (const name of zoo ? readdirSync(zoo).sort() : []) {
    const file = (part: string) => join(zoo!, name, part);
    if (!existsSync(file("model.onnx"))) continue;
    const x = decodeNpy(readFileSync(file("x.npy")), "x.npy");
    networks.push(await prepare(name, file("model.onnx"), float32(x.shape, Float32Array.from(x.data as Float64Array))));
  }
}, 300_000);

/** README's example in a language, as it stands there. */
function example(language: string): string {
  const section = readFileSync(root("README.md"), "utf8").split("## Serve a model that explains itself")[1]!;
  const block = section.split("```").find((part) => part.startsWith(`${language}\n`))!;
  return block.slice(language.length + 1);
}

/** The shipped model exported as README has it, a scene for it, and why the winner and class 3. */
async function scenes() {
  const x = drawn(8);
  const served = await prepare("scenes", root("models/scenes/model.onnx"), x);
  copyFileSync(join(folder, "scenes.explained.onnx"), join(folder, "explained.onnx"));
  writeFileSync(join(folder, "x.npy"), encodeNpy(x));
  const explainer = await createExplainer(await loadModel(root("models/scenes/model.onnx")), {}, [
    { kind: "auto" },
    { kind: "class", index: 3 },
  ]);
  const { explanations } = await explainer.run({ image: x });
  await explainer.close();
  return { x, served, winner: explanations[0]!.map!, third: explanations[1]!.map! };
}

/** A scene as the tensor that the shipped model takes. */
function drawn(seed: number): Tensor {
  const { image } = drawScene(seed);
  const plane = 96 * 96;
  return float32(
    [1, 3, 96, 96],
    Float32Array.from({ length: 3 * plane }, (_, i) => (image[(i % plane) * 3 + Math.floor(i / plane)]! / 255) * 2 - 1),
  );
}

const python = process.env.CAMKIT_PYTHON ?? "python3";
const modules = "import onnx, onnxruntime, numpy";
const noPython = spawnSync(python, ["-c", modules]).status !== 0;
if (noPython) console.warn(`skipped: ${python} has no onnxruntime and onnx. Name one that has by CAMKIT_PYTHON.`);

const servedByPython = `
import json, sys
import numpy as np, onnx, onnxruntime as ort
folder, name, *classes = sys.argv[1:]
path = f"{folder}/{name}.explained.onnx"
model = onnx.load(path)
onnx.checker.check_model(model, full_check=True)
x = np.load(f"{folder}/{name}.npy")
original = ort.InferenceSession(f"{folder}/{name}.onnx")
explained = ort.InferenceSession(path)
given = {original.get_inputs()[0].name: x}
own = [output.name for output in original.get_outputs()]
assert [output.name for output in explained.get_outputs()] == [*own, "cam", "cam_map"]
ask = lambda n: explained.run(["cam"], {**given, "cam_target": np.full(len(x), n, np.int64)})[0]
flat = lambda arrays: [array.ravel().tolist() for array in arrays]
left_out, winner = explained.run(["cam"], given)[0], ask(-1)
assert np.array_equal(left_out, winner)
assert {node.domain for node in model.graph.node} <= {node.domain for node in onnx.load(f"{folder}/{name}.onnx").graph.node}
print(json.dumps({"cam": flat([ask(int(n)) for n in classes]), "outputs": flat(explained.run(own, given)), "original": flat(original.run(own, given))}))
`;

describe.skipIf(noPython)("in Python's onnxruntime", { timeout: 300_000 }, () => {
  test("every network: maps as explain --raw gives them, its outputs as they were; the checker passes", () => {
    for (const served of networks) {
      const argv = ["-c", servedByPython, folder, served.name, ...served.classes.map(String)];
      const said = execFileSync(python, argv, {
        encoding: "utf8",
        maxBuffer: 2 ** 28,
        stdio: ["ignore", "pipe", "pipe"],
      });
      check("Python", served, JSON.parse(said));
    }
  });
});

test.skipIf(noPython)("README's Python", async () => {
  const { winner, third } = await scenes();
  const code = `${example("python")}\nimport json\nprint(json.dumps([why_winner.ravel().tolist(), why_3.ravel().tolist()]))`;
  const said = JSON.parse(execFileSync(python, ["-c", code], { cwd: folder, encoding: "utf8" }));
  expect(distance(said[0], values(winner))).toBeLessThan(1e-5);
  expect(Math.max(...(said[1] as number[]).map((value, i) => Math.abs(value - values(third)[i]!)))).toBeLessThan(1e-5);
});

describe.skipIf(withoutPeers("chromium"))("in onnxruntime-web in Chromium", { timeout: 300_000 }, () => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite({ ...ortWeb, "/exported/": { folder } });
  }, 60_000);
  afterAll(() => site?.close());

  test("README's example", async () => {
    const { x, winner, third } = await scenes();
    const [imports, ...body] = example("js").split("\n\n");
    const said = await site.run<number[][]>(
      `${imports!.replace("onnxruntime-web", "/ort/ort.wasm.min.mjs")}
       export default async (numbers) => {
         const pixels = Float32Array.from(numbers);
         ${body.join("\n").replace("explained.onnx", "/exported/explained.onnx")}
         return [Array.from(whyWinner.data), Array.from(why3.data)];
       }`,
      values(x),
    );
    expect(distance(said[0]!, values(winner))).toBeLessThan(1e-5);
    expect(Math.max(...said[1]!.map((value, i) => Math.abs(value - values(third)[i]!)))).toBeLessThan(1e-5);
  });

  test("every network: maps as explain --raw gives them, its outputs as they were", async () => {
    for (const served of networks) {
      const { name, x, classes } = served;
      const answer = await site.run<Answer>(
        `import * as ort from "/ort/ort.wasm.min.mjs";
         export default async ({ name, shape, classes }) => {
           const bytes = await (await fetch("/exported/" + name + ".npy")).arrayBuffer();
           const x = new ort.Tensor("float32", new Float32Array(bytes.slice(-4 * shape.reduce((a, b) => a * b))), shape);
           const original = await ort.InferenceSession.create("/exported/" + name + ".onnx");
           const explained = await ort.InferenceSession.create("/exported/" + name + ".explained.onnx");
           const given = { [original.inputNames[0]]: x };
           const ask = (n) => explained.run({ ...given, cam_target: new ort.Tensor("int64", [BigInt(n)], [1]) });
           const flat = (results) => original.outputNames.map((output) => Array.from(results[output].data));
           const cam = [];
           for (const n of classes) cam.push(Array.from((await ask(n)).cam.data));
           return { cam, outputs: flat(await ask(-1)), original: flat(await original.run(given)) };
         }`,
        { name, shape: x.shape, classes },
      );
      check("Chromium", served, answer);
    }
  });
});
