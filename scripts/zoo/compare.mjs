// One exported network against the references beside it: DIR/<name>/{model.onnx, x.npy, input_grad.npy, logits.npy, cam.npy,
// meta.json}, computed with PyTorch in float64. meta.json says:
//   target   a class, or a target as camkit's API takes it; `output` the output that a class is read from
//   inputs   names: x.npy is the first one's, the others lie under their names. Without it, x.npy is the first float input's
//   tensor   where Grad-CAM is read; e32, cam_e32: what float32 itself loses in PyTorch
//   manifest what the bytes can't say: a clip's axes
//   memory   the bytes that a run may take;  refusal  the code of the error that is expected
//   noDefaultLayer  nothing in the file is laid out in space, which is said by name
//   batchCoupled    what the file makes of a sample depends on the rest of the batch (scales of dynamic quantisation)
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { computeGradient, createExplainer, decodeNpy, loadModel } from "../../packages/cam-core/dist/index.js";

/**
 * Compares logits, input gradient and Grad-CAM at the named tensor; makes a map at the default layer, which mustn't be
 * constant; and, where the batch is free, a batch of three, which must give what single runs give. Throws what camkit throws.
 */
export async function compare(folder) {
  const file = join(folder, "meta.json");
  const meta = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const wanted = ["model.onnx", "x.npy", "meta.json", ...(meta.refusal ? [] : ["input_grad.npy"])];
  const missing = wanted.filter((name) => !existsSync(join(folder, name)));
  if (missing.length > 0) return { failures: [`missing: ${missing.join(", ")}`] };
  const load = (file) => decodeNpy(readFileSync(join(folder, file)), file);
  const model = await loadModel(join(folder, "model.onnx"), { manifest: meta.manifest });
  const target = typeof meta.target === "number" ? { kind: "class", index: meta.target } : meta.target;
  const failures = [];
  const errors = {};
  const limits = {};
  const check = (what, got, reference, e32) => {
    limits[what] = Math.max(1e-4, 3 * (e32 ?? 0));
    errors[what] = error(got, reference);
    if (!(errors[what] <= limits[what]))
      failures.push(`${what} differs by ${errors[what].toExponential(1)}, allowed ${limits[what].toExponential(1)}`);
  };

  const floats = model.graph.inputs.filter((info) => info.dtype.startsWith("float"));
  const [input = floats[0].name, ...others] = meta.inputs ?? [];
  const x = inTypeOf(model, input, load("x.npy"));
  const fixed = Object.fromEntries(others.map((name) => [name, inTypeOf(model, name, load(`${name}.npy`))]));
  const feeds = (tensor) => ({ ...fixed, [input]: tensor });
  const options = { input, output: meta.output, memory: meta.memory };

  const { gradient, logits } = await computeGradient(model, feeds(x), { ...options, target });
  const reference = load("input_grad.npy");
  // Where PyTorch's own float32 (or half) is that far off, kinks were taken on other sides, and a limit would limit nothing.
  if ((meta.e32 ?? 0) <= 0.05) check("gradient", gradient, reference, meta.e32);
  if (failures.length > 0) {
    const again = async (tensor) => (await computeGradient(model, feeds(tensor), { ...options, target })).scores[0];
    failures.push(await arbitrate(again, x, gradient, reference));
  }
  // The scores are those of the classes; a chosen element may be of another output.
  if (target.kind === "class" && existsSync(join(folder, "logits.npy")))
    check("logits", logits, load("logits.npy"), meta.logits_e32 ?? meta.e32);

  if (meta.tensor) {
    const explainer = await createExplainer(model, { ...options, layers: [meta.tensor] }, [target]);
    const { explanations } = await explainer.run(feeds(x));
    check("grad-cam", explanations[0].raw[0], load("cam.npy"), meta.cam_e32);
    await explainer.close();
  }

  if (meta.noDefaultLayer) {
    const refusal = await createExplainer(model, options, [target]).catch((reason) => reason);
    if (refusal.code !== "layer") failures.push("a default layer was found where none was expected");
    return { failures, errors, limits, meta, layers: [], space: [], tensor: meta.tensor ?? null, batch: "fixed" };
  }
  const auto = await createExplainer(model, options, [target]);
  const layers = auto.layers.map((layer) => layer.value);
  const single = await auto.run(feeds(x));
  const map = single.explanations[0].raw[0];
  // Of several layers, the one map that is made of all: a detection may be seen by one level of a pyramid only.
  const whole = single.explanations[0].map.data;
  if (whole.every((value) => value === whole[0]))
    failures.push(`the map at the default layer "${layers.join('" + "')}" is constant`);
  const open = model.graph.inputs.find((info) => info.name === input).shape?.[0];
  const free = typeof open !== "number" && others.length === 0 && target.kind === "class" && !meta.batchCoupled;
  if (free) {
    const batch = await auto.run({ [input]: stack([x, half(x), x]) });
    const other = await auto.run({ [input]: half(x) });
    const three = batch.explanations[0].raw[0];
    check("batch of three", three, stack([map, other.explanations[0].raw[0], map]), meta.cam_e32);
  }
  await auto.close();
  return {
    failures,
    errors,
    limits,
    meta,
    layer: layers[0],
    layers,
    space: map.shape.slice(1),
    tensor: meta.tensor ?? null,
    batch: free ? "free" : "fixed",
  };
}

/**
 * Where gradient and reference disagree, a central difference of the score along the direction of their difference tells
 * which one is the derivative. Both would have to be right to be the same; a network still counts as failed.
 */
async function arbitrate(scoreAt, x, ours, reference) {
  if (ours.data.length !== reference.data.length || ours.data.length !== x.data.length) return "the shapes differ";
  const scale = ours.data.reduce((max, value, i) => Math.max(max, Math.abs(value - reference.data[i])), 0);
  const direction = ours.data.map((value, i) => (value - reference.data[i]) / scale);
  const along = (tensor) => tensor.data.reduce((sum, value, i) => sum + value * direction[i], 0);
  const moved = (step) => scoreAt({ ...x, data: x.data.map((value, i) => value + step * direction[i]) });
  const step = 0.03;
  const difference = ((await moved(step)) - (await moved(-step))) / (2 * step);
  const figures = [difference, along(ours), along(reference)].map((value) => value.toExponential(3));
  return `along the disagreement, a finite difference gives ${figures[0]}, camkit ${figures[1]}, the reference ${figures[2]}`;
}

/** The references' inputs are float32; a file may want half precision. */
function inTypeOf(model, name, tensor) {
  const wanted = model.graph.inputs.find((info) => info.name === name)?.dtype;
  if (wanted !== "float16" || tensor.dtype === "float16") return tensor;
  return { ...tensor, dtype: "float16", data: toHalf(tensor.data) };
}

/** IEEE half precision, rounded to nearest even, as the bits of 16-bit words. */
function toHalf(values) {
  const bits = new Uint32Array(1);
  const real = new Float32Array(bits.buffer);
  return Uint16Array.from(values, (value) => {
    // Adding a power of two makes float32 round where half precision does.
    const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value) || 1)));
    const unit = 2 ** (exponent - 10);
    const down = Math.floor(value / unit);
    const rest = value / unit - down;
    const whole = rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
    real[0] = whole * unit;
    const sign = (bits[0] >>> 16) & 0x8000;
    const power = ((bits[0] >>> 23) & 0xff) - 112;
    if (power >= 31) return sign | 0x7c00;
    if (power > 0) return sign | (power << 10) | ((bits[0] >>> 13) & 0x3ff);
    return sign | Math.abs(whole);
  });
}

/** max |a − b| / max |b| */
export function error(a, b) {
  if (a.data.length !== b.data.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < b.data.length; i++) {
    scale = Math.max(scale, Math.abs(b.data[i]));
    difference = Math.max(difference, Math.abs(a.data[i] - b.data[i]));
    if (Number.isNaN(a.data[i])) return Number.NaN;
  }
  return difference / scale;
}

function stack(tensors) {
  const data = new tensors[0].data.constructor(tensors.reduce((sum, tensor) => sum + tensor.data.length, 0));
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, at);
    at += tensor.data.length;
  }
  return { dtype: tensors[0].dtype, shape: [tensors.length, ...tensors[0].shape.slice(1)], data };
}

/** Half of it: another input of the same kind. In half precision that is one less in the exponent. */
function half(tensor) {
  if (tensor.dtype !== "float16") return { ...tensor, data: tensor.data.map((value) => value / 2) };
  return { ...tensor, data: tensor.data.map((bits) => ((bits & 0x7c00) > 0x400 ? bits - 0x400 : bits & 0x8000)) };
}
