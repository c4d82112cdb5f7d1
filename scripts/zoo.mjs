// usage: pnpm zoo DIR [NAME …] [--json]
// Compares camkit with the references that a zoo of exported networks carries: DIR/<name>/{model.onnx, x.npy,
// input_grad.npy, logits.npy, cam.npy, meta.json}, computed with PyTorch in float64. Per network:
//   logits, input gradient and Grad-CAM (at the tensor that meta.json names): max |difference| / max |reference|
//   must be at most max(1e-4, 3 · e32), e32 being what float32 itself loses in PyTorch;
//   the default layer must give a map that isn't constant; a batch of three must give what three single runs give.
// A network whose folder is incomplete, or that is missing from the list, has failed. Exit 0 when all pass, else 1.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { computeGradient, createExplainer, decodeNpy, loadModel } from "../packages/cam-core/dist/index.js";

/** The networks that the reference program makes. Where a folder holds one of them, all are expected. */
const standard = (
  "resnet18 resnet50 vgg11_bn mobilenet_v2 mobilenet_v3_small efficientnet_b0 densenet121 shufflenet_v2_x0_5 convnext_tiny " +
  "swin_t r3d_18 mc3_18 deeplabv3_mobilenet deit_tiny poolformer_s12 hrnet_w18_small levit_128s coat_lite_tiny"
).split(" ");

const json = process.argv.includes("--json");
const [dir, ...given] = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
if (!dir || !existsSync(dir)) {
  console.error("usage: pnpm zoo DIR [NAME …] [--json]");
  process.exit(2);
}

const present = readdirSync(dir, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
const expected =
  given.length > 0
    ? given
    : [...new Set([...(present.some((name) => standard.includes(name)) ? standard : []), ...present])];

const results = [];
for (const name of expected) {
  const result = await compare(join(dir, name)).catch((error) => ({
    failures: [`${error.message} ${error.hint ?? ""}`.trim()],
  }));
  results.push({ name, passed: result.failures.length === 0, ...result });
  if (!json) print(results.at(-1));
}
const failed = results.filter((result) => !result.passed);
if (json) console.log(JSON.stringify(results, null, 2));
else console.log(`\n${results.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 && results.length > 0 ? 0 : 1);

async function compare(folder) {
  const missing = ["model.onnx", "x.npy", "input_grad.npy", "meta.json"].filter(
    (file) => !existsSync(join(folder, file)),
  );
  if (missing.length > 0) return { failures: [`missing: ${missing.join(", ")}`] };
  const meta = JSON.parse(readFileSync(join(folder, "meta.json"), "utf8"));
  const load = (file) => decodeNpy(readFileSync(join(folder, file)), file);
  const model = await loadModel(join(folder, "model.onnx"));
  const target = { kind: "class", index: meta.target };
  const failures = [];
  const errors = {};
  const check = (what, got, reference, e32) => {
    const allowed = Math.max(1e-4, 3 * (e32 ?? 0));
    errors[what] = error(got, reference);
    if (!(errors[what] <= allowed))
      failures.push(`${what} differs by ${errors[what].toExponential(1)}, allowed ${allowed.toExponential(1)}`);
  };

  const x = load("x.npy");
  const input = model.graph.inputs.find((info) => info.dtype.startsWith("float")).name;
  const { gradient, logits } = await computeGradient(model, { [input]: x }, { target });
  const reference = load("input_grad.npy");
  check("gradient", gradient, reference, meta.e32);
  if (failures.length > 0) failures.push(await arbitrate(model, input, x, target, gradient, reference));
  if (existsSync(join(folder, "logits.npy"))) check("logits", logits, load("logits.npy"), meta.e32);

  if (meta.tensor) {
    const explainer = await createExplainer(model, { layers: [meta.tensor] }, [target]);
    const { explanations } = await explainer.run({ [input]: x });
    check("grad-cam", explanations[0].raw[0], load("cam.npy"), meta.cam_e32);
    await explainer.close();
  }

  const auto = await createExplainer(model, {}, [target]);
  const layer = auto.layers[0].value;
  const single = await auto.run({ [input]: x });
  const map = single.explanations[0].raw[0];
  if (Math.max(...map.data) === Math.min(...map.data))
    failures.push(`the map at the default layer "${layer}" is constant`);
  const open = model.graph.inputs.find((info) => info.name === input).shape?.[0];
  if (typeof open !== "number") {
    const batch = await auto.run({ [input]: stack([x, half(x), x]) });
    const other = await auto.run({ [input]: half(x) });
    const three = batch.explanations[0].raw[0];
    check("batch of three", three, stack([map, other.explanations[0].raw[0], map]), meta.cam_e32);
  }
  await auto.close();
  return {
    failures,
    errors,
    layer,
    space: map.shape.slice(1),
    tensor: meta.tensor ?? null,
    batch: typeof open === "number" ? "fixed" : "free",
  };
}

/**
 * Where gradient and reference disagree, a central difference of the logit along the direction of their difference tells
 * which one is the derivative. Both would have to be right to be the same; a network still counts as failed.
 */
async function arbitrate(model, input, x, target, ours, reference) {
  const scale = ours.data.reduce((max, value, i) => Math.max(max, Math.abs(value - reference.data[i])), 0);
  const direction = ours.data.map((value, i) => (value - reference.data[i]) / scale);
  const along = (tensor) => tensor.data.reduce((sum, value, i) => sum + value * direction[i], 0);
  const logit = async (step) => {
    const moved = { ...x, data: x.data.map((value, i) => value + step * direction[i]) };
    const { scores } = await computeGradient(model, { [input]: moved }, { target });
    return scores[0];
  };
  const step = 0.03;
  const difference = ((await logit(step)) - (await logit(-step))) / (2 * step);
  const figures = [difference, along(ours), along(reference)].map((value) => value.toExponential(3));
  return `along the disagreement, a finite difference gives ${figures[0]}, camkit ${figures[1]}, the reference ${figures[2]}`;
}

/** max |a − b| / max |b| */
function error(a, b) {
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
  const data = new Float32Array(tensors.reduce((sum, tensor) => sum + tensor.data.length, 0));
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, at);
    at += tensor.data.length;
  }
  return { dtype: "float32", shape: [tensors.length, ...tensors[0].shape.slice(1)], data };
}

function half(tensor) {
  return { ...tensor, data: tensor.data.map((value) => value / 2) };
}

function print({ name, passed, failures, errors = {}, layer, space, batch }) {
  const figures = Object.entries(errors).map(([what, value]) => `${what} ${value.toExponential(1)}`);
  const where = layer ? `default layer ${layer} [${space.join(" x ")}], batch ${batch}` : "";
  console.log(`${passed ? "ok  " : "FAIL"} ${name.padEnd(24)} ${[...figures, where].filter(Boolean).join(" · ")}`);
  for (const failure of failures) console.log(`       ${failure}`);
}
