// docs/wild.md from what run.mjs found.
import { cpus } from "node:os";

const columns = [
  ["network", ({ meta, name }) => meta.title ?? name],
  ["made by", ({ meta }) => meta.source],
  ["the file", ({ meta }) => [`opset ${meta.opset}`, ...(meta.form ?? [])].join(", ")],
  ["what is special", ({ meta }) => meta.special],
  ["default layer", layer],
  ["compared with", reference],
  ["input gradient", (result) => figure(result, "gradient")],
  ["Grad-CAM", (result) => figure(result, "grad-cam")],
  ["scores", (result) => figure(result, "logits")],
  ["of what it was made of", ({ meta }) => distance(meta.unquantised)],
  ["first map", ({ seconds }) => (seconds === undefined ? "" : `${seconds.toFixed(2)} s`)],
];

/** The page: what was done, and a line for each network, by name. */
export function page(results) {
  const rows = results.toSorted((a, b) => title(a).localeCompare(title(b), "en"));
  const refused = results.filter(({ passed, said }) => passed && said).length;
  const failed = results.filter(({ passed }) => !passed).length;
  const row = (cells) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return `# Files in the wild

ONNX files as people have them, made by the packages that make them, with random weights, and explained by camkit. Of
${results.length} files ${results.length - failed} were explained within what is allowed and ${failed} failed; the input gradient of ${refused} of them is refused by name, as it must be.
This page is written by the second command; \`scripts/wild/README.md\` says what the first needs.

\`\`\`sh
python scripts/wild/make.py out/wild all
node scripts/wild/run.mjs out/wild --page docs/wild.md
\`\`\`

How to read it:

- **Figures** are max |difference| / max |reference|. Allowed is 1e-4, or three times what the reference's own package loses in the
  file's precision (float32, or float16) against float64, where that is more: then it stands behind "of".
- **Input gradient** and **Grad-CAM** (the latter at the tensor that equals the output of a named layer), **scores** before a last
  softmax or sigmoid. Empty: there is no such thing in this file; a chosen detection has one score, which the gradient starts from.
- **Kinks**: the package's own gradient in the file's precision is more than 5 % off its float64: the input is within rounding of
  the edges of many steps (ReLU6, saturation), on which side of them decides, and a limit would limit nothing. Its Grad-CAM is compared.
- **Compared with** PyTorch's float64 where a PyTorch network was exported, TensorFlow's for Keras. Where a file was quantised or
  rewritten: with that very file, run in PyTorch in float64 with rounding passed straight through (\`onnx_in_torch.py\`).
- **Of what it was made of**: how far gradient and Grad-CAM of that float64 run of the file lie from those of the network before
  it was quantised or rewritten. It is a property of the file, whoever explains it. Random weights are no measure of what
  quantising does to trained ones.
- **Default layer**: found by camkit without being told, with the size of its map, which wasn't constant. Where the batch is free,
  three inputs at once gave what single runs give, to the same limit.
- **First map**: compiling the graph and the first Grad-CAM at the default layer, on ${machine()}.

${row(columns.map(([head]) => head))}
${row(columns.map(() => "---"))}
${rows.map((result) => row(columns.map(([, cell]) => cell(result) ?? ""))).join("\n")}
`;
}

function title({ meta, name }) {
  return meta.title ?? name;
}

/** A pyramid's layers have names alike: the first, and how many more. What fails says why. */
function layer({ passed, failures, layers, space }) {
  if (!passed) return `**fails**: ${failures[0]}`;
  return `\`${layers[0]}\`${layers.length > 1 ? ` and ${layers.length - 1} more` : ""}, ${space.join(" × ")}`;
}

function reference({ meta, said }) {
  if (said) return "";
  if (meta.unquantised) return "the file in PyTorch, float64";
  return `${meta.source.startsWith("Keras") ? "TensorFlow" : "PyTorch"}, float64`;
}

function figure({ errors, limits, meta, said }, what) {
  if (said) return what === "gradient" ? `refused: ${said}` : "";
  if (errors?.[what] !== undefined)
    return limits[what] > 1e-4 ? `${short(errors[what])} of ${short(limits[what])}` : short(errors[what]);
  return errors && what === "gradient" ? `kinks: ${short(meta.e32)}` : "";
}

function distance(unquantised) {
  return unquantised ? `${short(unquantised.gradient)}, ${short(unquantised["grad-cam"])}` : "";
}

function short(value) {
  return value === 0 ? "0" : value.toExponential(0);
}

function machine() {
  return `${cpus().length} cores (${cpus()[0].model.trim()}), Node ${process.versions.node.split(".")[0]}, onnxruntime-node's CPU provider`;
}
