import { bytes, quantity, shape } from "../format.ts";
import { facts, table } from "../table.ts";
import type { InspectedLayer, Inspection } from "./facts.ts";

/** How many candidate layers are listed for people; --json and --all have every one. */
const shownLayers = 16;

/** An inspection as people read it. */
export function inspectionText(found: Inspection, options: { all: boolean }): string {
  const { model, target } = found;
  const sections = [
    facts([
      ["model", model.name === model.file ? model.file : `${model.name} (${model.file})`],
      ["size", `${bytes(model.bytes)}, ${quantity(model.parameters)} parameters, ${model.nodes} nodes`],
      [
        "format",
        [`opset ${model.opset}`, model.irVersion && `IR ${model.irVersion}`, model.producer].filter(Boolean).join(", "),
      ],
      ["sha256", model.sha256],
      ...manifestFacts(found),
    ]),
    titled("inputs", table(valueColumns, found.inputs.map(valueRow))),
    titled("outputs", table(valueColumns, found.outputs.map(valueRow))),
    preprocessingText(found),
    operatorsText(found),
    "error" in target
      ? titled("target", `  none: ${target.error.message}${target.error.hint ? `\n  ${target.error.hint}` : ""}`)
      : titled("target", `  ${targetLine(target)}`),
    layersText(found, options.all),
    unsupportedText(found),
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

const valueColumns = [{ title: "name" }, { title: "type" }, { title: "shape" }];

function valueRow({ name, dtype, shape: dims }: Inspection["inputs"][number]) {
  return [name, dtype, shape(dims ?? undefined)];
}

function targetLine(target: Exclude<Inspection["target"], { error: unknown }>): string {
  const what = target.squashedBy
    ? `the scores "${target.tensor}", before the final ${target.squashedBy}`
    : `the output "${target.tensor}" as it is`;
  const dense = target.dense ? "; laid out in space, so a class is its sum over all positions" : "";
  return `${what}; ${target.classes ?? "unknown number of"} classes${dense}`;
}

function layersText({ layers, layerError }: Inspection, all: boolean): string {
  if (layerError) return titled("target layers", `  none: ${layerError.message}\n  ${layerError.hint ?? ""}`);
  if (layers.length === 0) return "";
  const first = all ? 0 : Math.max(0, layers.length - shownLayers);
  const shown = layers.filter((layer, i) => i >= first || layer.default);
  const left = layers.length - shown.length;
  const columns = [
    { title: "" },
    { title: "tensor" },
    { title: "channels", align: "right" as const },
    { title: "positions", align: "right" as const },
    { title: "made by" },
    { title: "" },
  ];
  const rows = shown.map((layer) => [
    layer.default ? "*" : "",
    layer.tensor,
    layer.channels ?? "?",
    positions(layer),
    layer.operator,
    layer.explainable ? "" : "no gradient rule behind it",
  ]);
  return titled(
    "target layers (* is the default)",
    `${left > 0 ? `  ${left} earlier ones: --all\n` : ""}${table(columns, rows)}`,
  );
}

function positions({ space }: InspectedLayer): string {
  return space.map((dim) => dim ?? "?").join(" x ");
}

/** How often each occurs, then how many of each kind, and the refused ones that are no obstacle. */
function operatorsText({ operators, differentiation }: Inspection): string {
  const lines = [wrapped(Object.entries(operators).map(([name, count]) => `${name} ${count}`))];
  const kinds = Object.entries(kindTitles).flatMap(([kind, title]) => {
    const count = differentiation.filter((one) => one.kind === kind).length;
    return count > 0 ? [`${count} ${title}`] : [];
  });
  lines.push(`  for gradients: ${kinds.join(", ")}`);
  const harmless = differentiation.filter(
    ({ kind, onPath }) => (kind === "refused" || kind === "unknown") && onPath === 0,
  );
  if (harmless.length > 0)
    lines.push(
      `  no obstacle, as not between input and target: ${harmless.map(({ operator }) => operator).join(", ")}`,
    );
  return titled("operators", lines.join("\n"));
}

const kindTitles: Readonly<Record<Inspection["differentiation"][number]["kind"], string>> = {
  rule: "with a rule",
  rewrite: "rewritten",
  zero: "declared zeros",
  refused: "refused",
  unknown: "unknown",
};

function unsupportedText({ unsupported }: Inspection): string {
  if (unsupported.length === 0) return "";
  const rows = unsupported.map(({ operator, count, firstNode }) => [operator, count, firstNode]);
  const columns = [{ title: "operator" }, { title: "count", align: "right" as const }, { title: "first node" }];
  const reasons = unsupported.map(({ operator, why, instead }) => `  ${operator}: ${why}. ${instead}`);
  return titled(
    "no gradient passes, between input and target",
    [table(columns, rows), ...reasons, "  Layers after the last of them can still be explained."].join("\n"),
  );
}

function manifestFacts({ manifest, manifestFrom }: Inspection): [string, string | undefined][] {
  const notes = (manifestFrom?.notes ?? []).map((note): [string, string] => ["note", note]);
  if (!manifest) return [["manifest", "none: preprocessing and class names will be assumed"], ...notes];
  const { version, licence, classes, intendedUse } = manifest;
  const said = [version && `version ${version}`, licence].filter(Boolean).join(", ");
  const from = manifestFrom?.files.join(", ");
  return [
    ["manifest", [from, said && (from ? `(${said})` : said)].filter(Boolean).join(" ") || "present"],
    ["classes", classes && listed(classes)],
    ["use", intendedUse],
    ...notes,
  ];
}

/** How pictures get in: who says so, then what is done to them in order. */
function preprocessingText({ preprocessing }: Inspection): string {
  if (preprocessing === null) return "";
  if ("error" in preprocessing) return titled("preprocessing", `  none: ${preprocessing.error.message}`);
  const { input, assumed, from, graphNormalises, notes } = preprocessing;
  const { layout, size, channelOrder = "RGB", resize, range = [0, 1], mean, std } = input;
  const before = resize?.resizeTo === undefined ? "" : ` to ${[resize.resizeTo].flat().join(" x ")}`;
  const resized = resize && `${resize.fit}${before}, ${resize.kernel}${resize.antialias ? ", antialiased" : ""}`;
  const standardised = [mean && `mean ${mean.join(", ")}`, std && `std ${std.join(", ")}`].filter(Boolean).join("; ");
  const told: [string, string | undefined][] = [
    ["from", assumed ? "nowhere: assumed" : from],
    ["size", `${size.join(" x ")}, ${channelOrder}, ${layout}`],
    ["resize", [resized, resize?.padValue && `padded with ${resize.padValue}`].filter(Boolean).join(", ") || undefined],
    ["values", `${range.join("..")}${standardised ? `; ${standardised}` : ""}`],
    ["in the graph", graphNormalises],
    ...notes.map((note): [string, string] => ["note", note]),
  ];
  return titled("preprocessing of pictures", facts(told));
}

function listed(classes: readonly string[]): string {
  const shown = classes.slice(0, 10).join(", ");
  return classes.length > 10 ? `${shown}, … ${classes.length} in all` : `${classes.length}: ${shown}`;
}

function titled(title: string, body: string): string {
  return body === "" ? "" : `${title}\n${body}`;
}

function wrapped(words: readonly string[]): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 2 <= 100) lines[lines.length - 1] = `${last}, ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines.join(",\n");
}
