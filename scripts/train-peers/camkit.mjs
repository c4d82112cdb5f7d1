// camkit's side of the training benchmark, asked and answering as peers.py does:
//
//   {"do": "agreement", "dir": DIR, "network": NAME}    how far gradients and losses are from what peers.py wrote there
//   {"do": "steps", "dir": DIR, "network": NAME, "steps": 20, "threads": 2}    {"ms": {"step": [...], ...}, "peakMb": ...}
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { decodeNpy, loadModel, openSession } from "../../packages/cam-core/dist/index.js";
import { layOut, losses, openStepper, optimisers, planStep } from "../../packages/cam-train/dist/index.js";

/** As peers.py's OPTIMISERS and its networks' losses. */
const optimiserOptions = {
  sgd: { rate: 1e-2, decay: 1e-4, make: () => optimisers.sgd.make({ momentum: 0.9 }) },
  adam: { rate: 1e-3, decay: 0, make: () => optimisers.adam.make({}) },
};
const kinds = (name) => (name.startsWith("cifake") ? ["binary", "adam"] : ["crossEntropy", "sgd"]);

async function load(dir, name) {
  const folder = join(dir, name);
  const { graph } = await loadModel(join(folder, "model.onnx"));
  const read = (file) => decodeNpy(readFileSync(join(folder, file)), file);
  const [loss, optimiser] = kinds(name);
  const fields = { input: read("x.npy"), label: read("labels.npy") };
  // All that isn't a running statistic is trained, as PyTorch's parameters() are.
  const statistics = new Set(
    graph.nodes.filter(({ opType }) => opType === "BatchNormalization").flatMap(({ inputs }) => inputs.slice(3)),
  );
  const used = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  const trained = [...graph.initializers]
    .filter(
      ([key, { dtype, shape }]) => dtype === "float32" && shape.length > 0 && used.has(key) && !statistics.has(key),
    )
    .map(([key]) => key);
  const plan = planStep({
    graph,
    batch: fields.input.shape[0],
    fields: Object.fromEntries(
      Object.entries(fields).map(([field, { dtype, shape }]) => [field, { dtype, shape: shape.slice(1) }]),
    ),
    trained,
    loss: (context) => ({ loss: losses.get(loss)(context, { output: graph.outputs[0].name }) }),
  });
  return { folder, graph, fields, trained, plan, settings: optimiserOptions[optimiser] };
}

/** Weight decay is on every weight, as PyTorch does it. */
function layoutOf({ graph, trained, settings }) {
  const layout = layOut(graph, trained, settings.decay);
  return { ...layout, spans: layout.spans.map((span) => ({ ...span, decay: settings.decay })) };
}

let running;

async function steps({ dir, network, steps: count, threads }) {
  if (running === undefined) {
    const startMb = memory("VmRSS");
    const loaded = await load(dir, network);
    const started = performance.now();
    const layout = layoutOf(loaded);
    const optimiser = loaded.settings.make();
    const stepper = await openStepper({ plan: loaded.plan, layout, optimiser, threads }, loaded.graph);
    running = { ...loaded, stepper, startMb, openMs: performance.now() - started, done: 0 };
  }
  const { stepper, fields, settings, startMb, openMs } = running;
  const ms = { step: [], backward: [], update: [] };
  const told = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const { loss } = await stepper.accumulate({ fields }, ++running.done);
    const middle = performance.now();
    await stepper.update(running.done, settings.rate);
    const end = performance.now();
    ms.step.push(end - start);
    ms.backward.push(middle - start);
    ms.update.push(end - middle);
    told.push(loss);
  }
  return { network, threads, loss: told, ms, openMs, startMb, peakMb: memory("VmHWM") };
}

/** Root mean square of each gradient's difference over its own, and PyTorch's own in float32; losses of the first steps. */
async function agreement({ dir, network }) {
  const loaded = await load(dir, network);
  const { folder, graph, plan, fields, trained, settings } = loaded;
  const expected = JSON.parse(readFileSync(join(folder, "agreement.json"), "utf8"));
  const names = readdirSync(join(folder, "gradients")).map((file) => file.replace(/\.npy$/, ""));
  const missing = names.filter((name) => !trained.includes(name));
  if (missing.length > 0) throw new Error(`not trained: ${missing.join(", ")}`);
  const session = await openSession(plan.graph, { threads: 1, optimize: "extended" });
  const weights = Object.fromEntries(
    plan.graph.inputs.flatMap(({ name }) => {
      const tensor = graph.initializers.get(name);
      return tensor
        ? [[name, { dtype: "float32", shape: tensor.shape, data: new Float32Array(tensor.bytes.slice().buffer) }]]
        : [];
    }),
  );
  const found = await session.run({ [plan.feeds.input]: fields.input, [plan.feeds.label]: fields.label, ...weights });
  await session.close();
  const sizes = names.map((name) => {
    const b = decodeNpy(readFileSync(join(folder, "gradients", `${name}.npy`)), name).data;
    return { name, b, size: rms(b) };
  });
  const least = 1e-3 * Math.max(...sizes.map(({ size }) => size));
  const rows = sizes.map(({ name, b, size }) => {
    const a = found[plan.gradients.get(name)].data;
    const difference = rms(a.map((value, i) => value - b[i])) / Math.max(size, least);
    return { name, difference, float32: expected.gradientError[name] };
  });
  const layout = layoutOf(loaded);
  const stepper = await openStepper({ plan, layout, optimiser: settings.make(), threads: 1 }, graph);
  const told = [];
  for (let step = 1; step <= expected.losses.length; step++) {
    told.push((await stepper.accumulate({ fields }, step)).loss);
    await stepper.update(step, settings.rate);
  }
  await stepper.close();
  rows.sort((a, b) => b.difference - a.difference);
  // Five times what float32 itself does to the network in PyTorch: in MobileNetV2 some ReLUs take the other side.
  const allowed = Math.max(1e-4, 5 * Math.max(...rows.map(({ float32 }) => float32)));
  const off = rows.filter(({ difference }) => difference > allowed);
  return { network, worst: rows[0], off: off.length, of: rows.length, losses: told, expected: expected.losses };
}

function rms(values) {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}

/** VmRSS or VmHWM of this process in MB, null where there is no /proc. */
function memory(field) {
  try {
    const [, kb] = new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync("/proc/self/status", "utf8"));
    return kb / 1024;
  } catch {
    return null;
  }
}

const verbs = { steps, agreement };
for await (const line of createInterface({ input: process.stdin })) {
  const { do: verb, ...request } = JSON.parse(line);
  const answer = await verbs[verb](request).catch((error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
