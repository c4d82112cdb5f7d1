// One exported network against the references beside it: DIR/<name>/{model.onnx, x.npy, input_grad.npy, logits.npy, cam.npy,
// meta.json}, computed with PyTorch in float64. meta.json says:
//   target   a class, or a target as camkit's API takes it; `output` the output that a class is read from
//   inputs   names: x.npy is the first one's, the others lie under their names. Without it, x.npy is the first float input's
//   tensor   where Grad-CAM is read; e32, cam_e32: what float32 itself loses in PyTorch
//   manifest what the bytes can't say: a clip's axes
//   memory   the bytes that a run may take;  refusal  the code of the error that the input gradient must be refused with
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

  if (meta.refusal) {
    const refused = await computeGradient(model, feeds(x), { ...options, target }).catch((error) => error);
    if (refused?.code !== meta.refusal) {
      if (refused instanceof Error) throw refused;
      failures.push(`its gradient was to be refused (${meta.refusal}), and was computed`);
    }
    const { explainer, layers, single, seconds } = await mapAtDefault(model, feeds(x), options, [target], failures);
    await explainer.close();
    return { failures, errors, limits, meta, refused, layers, space: levelsOf(single)[0].shape.slice(1), seconds };
  }
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

  const auto = await mapAtDefault(model, feeds(x), options, classesFrom(target, logits.shape[1]), failures);
  const { layers, single } = auto;
  const open = model.graph.inputs.find((info) => info.name === input).shape?.[0];
  const free = typeof open !== "number" && others.length === 0 && target.kind === "class" && !meta.batchCoupled;
  if (free) {
    const three = await auto.explainer.run({ [input]: stack([x, half(x), x]) });
    const other = await auto.explainer.run({ [input]: half(x) });
    // All levels at once: a target that one level doesn't see has zeros there.
    const expected = levelsOf(single).map((map, level) => stack([map, levelsOf(other)[level], map]));
    check("batch of three", flat(levelsOf(three)), flat(expected), meta.cam_e32);
  }
  await auto.explainer.close();
  return {
    failures,
    errors,
    limits,
    meta,
    layer: layers[0],
    layers,
    space: levelsOf(single)[0].shape.slice(1),
    seconds: auto.seconds,
    tensor: meta.tensor ?? null,
    batch: free ? "free" : "fixed",
  };
}

/**
 * An explainer at the default layer and its map, which must show something. A Grad-CAM is rightly empty for a class that all
 * evidence speaks against, but not for one class after the other: `targets` are asked in turn. `seconds` is what the first took.
 */
async function mapAtDefault(model, feeds, options, targets, failures) {
  let seconds;
  for (const [i, each] of targets.entries()) {
    const started = performance.now();
    const explainer = await createExplainer(model, options, [each]);
    const single = await explainer.run(feeds);
    seconds ??= (performance.now() - started) / 1000;
    // Of several layers, the one map that is made of all: a detection may be seen by one level of a pyramid only.
    const map = single.explanations[0].map.data;
    const shows = map.some((value) => value !== map[0]);
    const layers = explainer.layers.map((layer) => layer.value);
    if (shows || i === targets.length - 1) {
      if (!shows) failures.push(`the map at the default layer "${layers.join('" + "')}" is constant`);
      return { explainer, single, layers, seconds };
    }
    await explainer.close();
  }
}

/** A target, and the next three classes after it. */
function classesFrom(target, count) {
  if (target.kind !== "class") return [target];
  const classes = [0, 1, 2, 3].map((more) => (target.index + more) % count);
  return [...new Set(classes)].map((index) => ({ ...target, index }));
}

const levelsOf = (result) => result.explanations[0].raw;

/** The numbers of several tensors in one row. */
function flat(tensors) {
  const data = Float32Array.from(tensors.flatMap((tensor) => [...tensor.data]));
  return { dtype: "float32", shape: [data.length], data };
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
