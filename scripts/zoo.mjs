// usage: pnpm zoo DIR [NAME …] [--json]
// Compares camkit with the references that a zoo of exported networks carries: DIR/<name>/{model.onnx, x.npy,
// input_grad.npy, logits.npy, cam.npy, meta.json}, computed with PyTorch in float64. Per network:
//   logits, input gradient and Grad-CAM (at the tensor that meta.json names): max |difference| / max |reference|
//   must be at most max(1e-4, 3 · e32), e32 being what float32 itself loses in PyTorch;
//   the default layer must give a map that isn't constant; a batch of three must give what three single runs give.
// A network whose folder is incomplete, or that is missing from the list, has failed. Exit 0 when all pass, else 1.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { compare } from "./zoo/compare.mjs";

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

function print({ name, passed, failures, errors = {}, layer, space, batch }) {
  const figures = Object.entries(errors).map(([what, value]) => `${what} ${value.toExponential(1)}`);
  const where = layer ? `default layer ${layer} [${space.join(" x ")}], batch ${batch}` : "";
  console.log(`${passed ? "ok  " : "FAIL"} ${name.padEnd(24)} ${[...figures, where].filter(Boolean).join(" · ")}`);
  for (const failure of failures) console.log(`       ${failure}`);
}
