import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSite, ortWeb, type Site, softwareWebGpu } from "../../../testing/chromium.ts";
import { withoutPeers } from "../../../testing/peers.ts";
import { pixelInput } from "../src/explain/pixels.ts";
import { blendMap, layMap } from "../src/image/blend.ts";
import { colormap } from "../src/image/colormap.ts";
import { pixelAffine, preparePicture } from "../src/image/prepare.ts";
import { rgbaOf } from "../src/image/rgba.ts";
import { openModel } from "../src/model/model.ts";
import { writeModel } from "../src/model/write.ts";
import { drawScene } from "../src/phantom/scenes.ts";
import { computeGradient, createExplainer } from "../src/runtime/explain.ts";
import { loadModel } from "../src/runtime/load-model.ts";
import { withSession } from "../src/runtime/session.ts";
import type { Tensor } from "../src/tensor.ts";
import { rng } from "../src/testing/rng.ts";
import { smallCnn, smallVit } from "../src/testing/small-networks.ts";
import { tinyModel } from "../src/testing/tiny-models.ts";
import { bundle } from "./bundle.ts";

const root = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const networks = { cnn: smallCnn(), vit: smallVit() };
const inputs = { cnn: rng(1).normal([2, 3, 20, 23]), vit: rng(1).normal([2, 3, 24, 24]) };
const webGpuBuild = "/ort/ort.webgpu.min.mjs";
type Name = keyof typeof networks;

/** A page that explains one network. `given`: its name, what is explained, the input's numbers. */
const explainInPage = `
  import * as ort from "onnxruntime-web";
  import { createExplainer, float32, onOrt, receiveModel } from "@camkit/cam-core/web";
  let dispatches = 0;
  if (globalThis.GPUComputePassEncoder) {
    const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
    GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...counts) {
      dispatches++;
      return dispatchWorkgroups.apply(this, counts);
    };
  }
  export default async ({ name, options, targets, shape, values }) => {
    const model = await receiveModel(await fetch("/" + name + ".onnx"));
    const explainer = await createExplainer(onOrt(ort), model, options);
    const { logits, explanations } = await explainer.run({ x: float32(shape, values) }, targets);
    await explainer.close();
    const numbers = ({ shape, data }) => ({ shape, data: Array.from(data) });
    return {
      device: explainer.device,
      dispatches,
      logits: numbers(logits),
      explanations: explanations.map(({ raw, map, classes }) => ({ raw: raw.map(numbers), map: numbers(map), classes })),
    };
  };`;

type Numbers = { shape: readonly number[]; data: number[] };
type InPage = {
  device: string;
  /** How often the GPU was given something to compute. */
  dispatches: number;
  logits: Numbers;
  explanations: { raw: Numbers[]; map: Numbers; classes: number[] }[];
};

const numbers = ({ shape, data }: Tensor): Numbers => ({ shape, data: Array.from(data as Float32Array) });

/** The largest difference of two arrays, as a share of the larger maximum. */
function difference(a: Numbers, b: Numbers): number {
  expect(a.shape).toEqual(b.shape);
  const top = Math.max(...a.data.map(Math.abs), ...b.data.map(Math.abs));
  expect(top).toBeGreaterThan(0);
  return Math.max(...a.data.map((value, i) => Math.abs(value - b.data[i]!))) / top;
}

async function sameAsNode(site: Site, page: string, name: Name, options: { method?: string; device?: string }) {
  const targets = [{ kind: "auto" as const }, { kind: "class" as const, index: 2 }];
  const { shape, data } = numbers(inputs[name]);
  const here = await createExplainer(networks[name], { ...options, device: "cpu" }, targets);
  const wanted = await here.run({ x: inputs[name] }, targets);
  await here.close();
  const found = await site.run<InPage>(page, { name, options, targets, shape, values: data });
  const worst = found.explanations.flatMap(({ raw, map, classes }, i) => {
    const { raw: nodeRaw, map: nodeMap, classes: nodeClasses } = wanted.explanations[i]!;
    expect(classes).toEqual(nodeClasses);
    return [...raw.map((each, k) => difference(each, numbers(nodeRaw[k]!))), difference(map, numbers(nodeMap!))];
  });
  return { ...found, worst: Math.max(...worst, difference(found.logits, numbers(wanted.logits))) };
}

/** 16 MiB of weights, little to compute. */
const large = tinyModel({ x: ["n", 3, 8, 8] }, (op, { x }) => {
  const a = op.relu(op.conv(x!, op.constant(rng(4).normal([16, 3, 1, 1]))));
  const flat = op.reshape(a, [0, 1024]);
  return { logits: op.matMul(flat, op.constant(rng(5).normal([1024, 4096]))) };
});

/** A grouped 3-D convolution and a Slice backwards: WebGPU fails on one and gets the other wrong. */
const faulty = tinyModel({ x: ["n", 4, 4, 5, 6] }, (op, { x }) => {
  const y = op.node("Conv", [x!, op.constant(rng(6).normal([4, 2, 3, 3, 3]))], { group: 2 })[0]!;
  return { y: op.slice(y, { axes: [4], starts: [-1], ends: [-(2 ** 31)], steps: [-1] }) };
});

/** The CNN with its larger weights beside it: opened from bytes they lie in these, and the file names them so. */
const whole = writeModel(networks.cnn.graph).model;
const outside = writeModel(openModel(whole).graph, { externalFrom: 512 });
const weights = outside.externalData.map(({ path }) => path);

const models = {
  "/scenes/": { folder: root("models/scenes") },
  "/cnn.onnx": { content: whole },
  "/vit.onnx": { content: writeModel(networks.vit.graph).model },
  "/faulty.onnx": { content: writeModel(faulty.graph).model },
  "/large.onnx": { content: writeModel(large.graph).model },
  "/outside.onnx": { content: outside.model },
  ...Object.fromEntries(outside.externalData.map(({ path, data }) => [`/${path}`, { content: data }])),
};

/** A page that runs the body of an async function of `given`, which has all of `cam` and `ort`. */
async function pageOf(body: string, ort?: string): Promise<string> {
  const module = `
    import * as ort from "onnxruntime-web";
    import * as cam from "@camkit/cam-core/web";
    export default async (given) => { ${body} };`;
  return (await bundle(module, ort)).code;
}

describe.skipIf(withoutPeers("chromium"))("explaining in a page", { timeout: 120_000 }, () => {
  let site: Site;
  let page: string;
  beforeAll(async () => {
    page = (await bundle(explainInPage)).code;
    site = await openSite({ ...ortWeb, ...models });
  }, 60_000);
  afterAll(() => site?.close());

  const cases = (["cnn", "vit"] as const).flatMap((name) =>
    ["grad-cam", "layer-cam", "input-x-gradient"].map((method) => ({ name, method })),
  );
  test.each(cases)("$name, $method: maps and scores are Node's", async ({ name, method }) => {
    const { worst, device, dispatches } = await sameAsNode(site, page, name, { method });
    expect({ device, dispatches }).toEqual({ device: "cpu", dispatches: 0 });
    expect(worst).toBeLessThan(1e-5);
  });

  const inPage = async <T>(body: string, given?: unknown) => site.run<T>(await pageOf(body), given);

  test("the gradient alone, in float64", async () => {
    const { shape, data } = numbers(inputs.cnn);
    const found = await inPage<Numbers & { precision: string }>(
      `const model = await cam.receiveModel(await fetch("/cnn.onnx"));
       const x = cam.float32(given.shape, given.data);
       const target = { kind: "class", index: 1 };
       const { gradient, precision } = await cam.computeGradient(cam.onOrt(ort), model, { x }, { target });
       return { shape: gradient.shape, data: Array.from(gradient.data), precision };`,
      { shape, data },
    );
    const wanted = await computeGradient(networks.cnn, { x: inputs.cnn }, { target: { kind: "class", index: 1 } });
    expect(found.precision).toBe("float64");
    expect(difference(found, numbers(wanted.gradient))).toBeLessThan(1e-6);
  });

  test("tensors of every kind go in and come out as Node has them", async () => {
    const dtypes = [
      "float32",
      "float64",
      "float16",
      "int64",
      "int32",
      "int16",
      "int8",
      "uint64",
      "uint32",
      "uint16",
      "uint8",
      "bool",
    ];
    const found = await inPage<Record<string, string>>(
      `const found = {};
       for (const dtype of given) {
         const info = (name) => ({ name, dtype, shape: [2] });
         const node = { opType: "Identity", domain: "", name: "same", inputs: ["x"], outputs: ["y"], attributes: {} };
         const graph = { ...cam.emptyGraph("same", new Map([["", 18]])), inputs: [info("x")], outputs: [info("y")], nodes: [node] };
         const session = await cam.onOrt(ort)(graph);
         const x = cam.zeros(dtype, [2]);
         new Uint8Array(x.data.buffer).fill(1);
         const { y } = await session.run({ x });
         await session.close();
         const same = y.data.every((value, i) => value === x.data[i]) && y.data.length === 2;
         found[dtype] = [y.dtype, y.data.constructor === x.data.constructor, y.shape.join(), same].join(" ");
       }
       return found;`,
      dtypes,
    );
    expect(found).toEqual(Object.fromEntries(dtypes.map((dtype) => [dtype, `${dtype} true 2 true`])));
  });

  test("an output that has its place is written there", async () => {
    const found = await inPage<[boolean, number[], string[]]>(
      `const model = await cam.receiveModel(await fetch("/cnn.onnx"));
       const session = await cam.onOrt(ort)(model.graph);
       const logits = cam.zeros("float32", [1, 5]);
       const x = cam.float32([1, 3, 20, 23], Array.from({ length: 1380 }, (_, i) => Math.sin(i)));
       const into = await session.run({ x }, { logits });
       const named = await session.run({ x }, ["logits"]);
       await session.close();
       return [into.logits === logits, Array.from(logits.data, (value, i) => value - named.logits.data[i]), Object.keys(named)];`,
    );
    expect(found).toEqual([true, [0, 0, 0, 0, 0], ["logits"]]);
  });

  test("a model as an answer, a Blob, an ArrayBuffer or a view on one, its weights inside or beside it", async () => {
    const maps = await inPage<number[][]>(
      `const whole = await (await fetch("/cnn.onnx")).arrayBuffer();
       const shifted = new Uint8Array(whole.byteLength + 3);
       shifted.set(new Uint8Array(whole), 3);
       const x = cam.float32([1, 3, 20, 23], Array.from({ length: 1380 }, (_, i) => Math.sin(i)));
       const beside = async (as) => {
         const externalData = {};
         for (const path of given) externalData[path] = await as(await fetch("/" + path));
         return { externalData };
       };
       const models = [
         await cam.receiveModel(await fetch("/cnn.onnx")),
         await cam.receiveModel(new Blob([whole])),
         await cam.receiveModel(whole),
         await cam.receiveModel(shifted.subarray(3)),
         await cam.receiveModel(await fetch("/outside.onnx"), await beside((answer) => answer)),
         await cam.receiveModel(await fetch("/outside.onnx"), await beside((answer) => answer.blob())),
       ];
       const maps = [];
       for (const model of models) {
         const explainer = await cam.createExplainer(cam.onOrt(ort), model);
         maps.push(Array.from((await explainer.run({ x })).explanations[0].map.data));
         await explainer.close();
       }
       return [...maps, models.map(({ name }) => name)];`,
      weights,
    );
    const names = maps.pop();
    expect(names).toEqual(["cnn", "model", "model", "model", "outside", "outside"]);
    expect(Math.max(...maps[0]!)).toBeCloseTo(1, 5);
    for (const map of maps) expect(map).toEqual(maps[0]);
  });

  test("errors are the same as in Node, each with its code", async () => {
    const codes = await inPage<Record<string, string>>(
      `const runtime = cam.onOrt(ort);
       const model = await cam.receiveModel(await fetch("/cnn.onnx"));
       const explainer = await cam.createExplainer(runtime, model);
       const x = cam.float32([1, 3, 20, 23], new Float32Array(1380));
       const tries = {
         "no such file": async () => cam.receiveModel(await fetch("/nowhere.onnx")),
         "no model": async () => cam.receiveModel(await fetch("/blank.html")),
         "weights not given": async () => cam.receiveModel(await fetch("/outside.onnx")),
         "weights too short": async () =>
           cam.receiveModel(await fetch("/outside.onnx"), { externalData: { [given[0]]: new ArrayBuffer(8) } }),
         "no manifest": async () => cam.receiveModel(await fetch("/cnn.onnx"), { manifest: await fetch("/blank.html") }),
         "a manifest of something else": async () =>
           cam.receiveModel(await fetch("/cnn.onnx"), { manifest: new Blob(["{}"]) }),
         "another shape": () => explainer.run({ x: cam.float32([1, 3, 2, 2], new Float32Array(12)) }),
         "no such input": () => explainer.run({ x, y: x }),
         "no such class": () => explainer.run({ x }, [{ kind: "class", index: 99 }]),
         "no such method": () => cam.createExplainer(runtime, model, { method: "grad-camm" }),
         "no such device": () => cam.createExplainer(runtime, model, { device: "cuda" }),
         "a build without WebGPU": () => cam.createExplainer(runtime, model, { device: "webgpu" }),
         "an option of Node's": () => cam.createExplainer(runtime, model, { threads: 2 }),
         "interrupted": () => cam.createExplainer(runtime, model, { signal: AbortSignal.abort() }).then((e) => e.run({ x })),
         "an operator that the runtime doesn't have": async () => {
           const { graph } = model;
           const nodes = graph.nodes.map((node) => (node.opType === "Relu" ? { ...node, domain: "no.such.domain" } : node));
           await runtime({ ...graph, nodes });
         },
       };
       const codes = {};
       for (const [name, attempt] of Object.entries(tries))
         codes[name] = await attempt().then(() => "none", (error) => error instanceof cam.CamError ? error.code : String(error));
       return codes;`,
      weights,
    );
    expect(codes).toEqual({
      "no such file": "file",
      "no model": "not-onnx",
      "weights not given": "file",
      "weights too short": "not-onnx",
      "no manifest": "manifest",
      "a manifest of something else": "manifest",
      "another shape": "input",
      "no such input": "input",
      "no such class": "target",
      "no such method": "unknown-name",
      "no such device": "unknown-name",
      "a build without WebGPU": "device",
      "an option of Node's": "device",
      interrupted: "aborted",
      "an operator that the runtime doesn't have": "runtime",
    });
  });

  test("the example of README.md lays a map over the picture on a canvas", async () => {
    const { image } = drawScene(7, { labels: ["yellow star"] });
    const picture = { width: 96, height: 96, rgb: image };
    const example = /^## In a page$.*?^```js\n(.*?)^```$/ms.exec(readFileSync(root("README.md"), "utf8"))![1]!;
    const drawn = `
      const context = document.body.appendChild(document.createElement("canvas")).getContext("2d");
      [context.canvas.width, context.canvas.height] = [96, 96];
      context.putImageData(new ImageData(Uint8ClampedArray.from(${JSON.stringify([...rgbaOf(picture)])}), 96), 0, 0);`;
    const seen = `export default () => Array.from(context.getImageData(0, 0, 96, 96).data);`;
    const found = await site.run<number[]>((await bundle([drawn, example, seen].join("\n"))).code);

    const model = await loadModel(root("models/scenes/model.onnx"));
    const input = model.manifest!.inputs!.image!;
    const explainer = await createExplainer(model, { pixels: { manifest: input, affine: pixelAffine(input) } });
    const { tensor, placement } = preparePicture(picture, input);
    const { explanations } = await explainer.run({ [pixelInput]: tensor }, [{ kind: "class", index: 3 }]);
    await explainer.close();
    const laid = layMap(explanations[0]!.map!, picture, placement, [0, 1]);
    const wanted = rgbaOf(blendMap(picture, laid, colormap("inferno"), { opacity: 0.6, follow: true }));
    expect(found.length).toBe(wanted.length);
    // A map 1e-7 apart may take the next colour of the scale.
    expect(Math.max(...found.map((value, i) => Math.abs(value - wanted[i]!)))).toBeLessThan(8);
    expect(found.filter((value, i) => value !== wanted[i]).length).toBeLessThan(0.001 * wanted.length);
    const changed = found.filter((value, i) => i % 4 < 3 && value !== image[Math.floor(i / 4) * 3 + (i % 4)]).length;
    expect(changed).toBeGreaterThan(500);
  });

  test("what is closed gives its memory back", async () => {
    // The runtime's memory grows and never shrinks: opened and closed in turn, it ends where it was after the first few.
    const { closed, left } = await inPage<{ closed: number; left: number }>(
      `const memories = [];
       const { Memory } = WebAssembly;
       WebAssembly.Memory = function (descriptor) {
         memories.push(new Memory(descriptor));
         return memories.at(-1);
       };
       const size = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0) / 2 ** 20;
       const model = await cam.receiveModel(await fetch("/large.onnx"));
       const explainer = () => cam.createExplainer(cam.onOrt(ort), model);
       const x = cam.float32([1, 3, 8, 8], new Float32Array(192).fill(1));
       const round = async () => {
         const opened = await explainer();
         await opened.run({ x });
         await opened.close();
       };
       for (let i = 0; i < 3; i++) await round();
       const before = size();
       for (let i = 0; i < 12; i++) await round();
       const closed = size() - before;
       for (let i = 0; i < 12; i++) await (await explainer()).run({ x });
       return { closed, left: size() - before, before };`,
    );
    expect(closed).toBeLessThan(8); // MiB; one model is 16
    expect(left).toBeGreaterThan(12 * 8);
  });
});

describe.skipIf(withoutPeers("chromium"))("explaining on WebGPU in a page", { timeout: 300_000 }, () => {
  let site: Site;
  let page: string;
  beforeAll(async () => {
    page = (await bundle(explainInPage, webGpuBuild)).code;
    site = await openSite({ ...ortWeb, ...models }, softwareWebGpu);
  }, 60_000);
  afterAll(() => site?.close());

  test.each(["cnn", "vit"] as const)("%s: maps and scores are Node's", async (name) => {
    const found = await sameAsNode(site, page, name, { method: "grad-cam", device: "webgpu" });
    expect(found.device).toBe("webgpu");
    expect(found.dispatches).toBeGreaterThan(10);
    expect(found.worst).toBeLessThan(1e-3);
  });

  test("runs that are asked for at once take turns", async () => {
    const { shape, data } = numbers(inputs.cnn);
    const [first, ...others] = await site.run<number[][]>(
      await pageOf(
        `const model = await cam.receiveModel(await fetch("/cnn.onnx"));
       const x = cam.float32(given.shape, given.data);
       const opened = await Promise.all([1, 2].map(() => cam.createExplainer(cam.onOrt(ort), model, { device: "webgpu" })));
       const all = await Promise.all([0, 1, 0, 1].map((i) => opened[i].run({ x })));
       await Promise.all(opened.map((explainer) => explainer.close()));
       return all.map(({ explanations: [{ map }] }) => Array.from(map.data));`,
        webGpuBuild,
      ),
      { shape, data },
    );
    expect(others).toEqual([first, first, first]);
  });

  test("what it would get wrong is kept on the CPU", async () => {
    const x = rng(7).normal([1, 4, 4, 5, 6]);
    const { shape, data } = numbers(x);
    const found = await site.run<Numbers & { device: string }>(
      await pageOf(
        `const { graph } = await cam.receiveModel(await fetch("/faulty.onnx"));
         const session = await cam.onOrt(ort)(graph, { device: "webgpu" });
         const { y } = await session.run({ x: cam.float32(given.shape, given.data) });
         await session.close();
         return { shape: y.shape, data: Array.from(y.data), device: session.ranOn().device };`,
        webGpuBuild,
      ),
      { shape, data },
    );
    const wanted = await withSession(faulty.graph, { device: "cpu" }, (session) => session.run({ x }));
    expect(found.device).toBe("webgpu");
    expect(difference(found, numbers(wanted.y!))).toBeLessThan(1e-5);
  });
});
