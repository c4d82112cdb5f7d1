import { expect, test } from "vitest";
import { Builder } from "../graph/builder.ts";
import { expansions } from "../graph/fused/index.ts";
import { replacedOperators, upgradeGraph } from "../graph/upgrade/index.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import { gradient } from "./gradient.ts";
import { rules } from "./rules/index.ts";
import { standardOperators } from "./standard-operators.ts";
import { refusals, type Support, supportOf } from "./support.ts";

const names = Object.keys(standardOperators);
/** Of ONNX Runtime's own operators, those that something is known of. */
const others = [...new Set([...Object.keys(rules), ...Object.keys(expansions)])]
  .filter((name) => !(name in standardOperators))
  .sort();

test("of every operator of the standard it is known what becomes of it", () => {
  expect(names.filter((name) => supportOf(name) === undefined)).toEqual([]);
  expect(names.length).toBe(200);
});

test("an operator that the table lacks has no support", () => {
  expect(supportOf("NoSuchOperator")).toBeUndefined();
  expect(supportOf("nobody:NoSuchOperator")).toBeUndefined();
  expect(supportOf("com.microsoft:NoSuchOperator")).toMatchObject({ kind: "refused" });
});

test("nothing is refused that has a rule or is spelled out", () => {
  expect(Object.keys(refusals).filter((name) => supportOf(name)?.kind !== "refused")).toEqual([]);
});

test("a refusal says why, and the way out", () => {
  const { graph } = tinyModel({ x: [1, 2, 4, 4] }, (op, { x }) => {
    const regions = op.filled(0, [1, 5], "float32");
    return { y: op.append(maxRoiPool(x!, regions))[0]! };
  });
  const op = new Builder(graph);
  const seeds = new Map([["y", op.filled(1, [1, 2, 2, 2], "float32")]]);
  expect(() => gradient(op, seeds, ["x"])).toThrow(
    expect.objectContaining({
      code: "no-gradient-rule",
      message: expect.stringContaining("rounded to whole pixels"),
      hint: expect.stringContaining("Export the model with RoiAlign. Or "),
    }),
  );
});

function maxRoiPool(x: string, regions: string) {
  const pooled_shape = { type: "ints", value: [2, 2] } as const;
  return {
    opType: "MaxRoiPool",
    domain: "",
    name: "pool",
    inputs: [x, regions],
    outputs: ["pooled"],
    attributes: { pooled_shape },
  };
}

test.each(Object.entries(replacedOperators))("%s is read as %s", (name, successor) => {
  const { graph } = tinyModel({ x: [1, 1, 2, 2] }, (op, { x }) => {
    const inputs =
      name === "Upsample"
        ? [x!, op.constant({ dtype: "float32", shape: [4], data: Float32Array.of(1, 1, 2, 2) })]
        : [x!, op.ints([0]), x!].map((value, i) => (i === 1 ? op.reshape(value, [1, 1, 1, 1]) : value));
    const node = { opType: name, domain: "", name: "old", inputs, outputs: ["made"], attributes: {} };
    return { y: op.append(node)[0]! };
  });
  graph.opsets = new Map([["", 9]]);
  upgradeGraph(graph);
  const operators = graph.nodes.map(({ opType }) => opType);
  expect(operators).toContain(successor);
  expect(operators).not.toContain(name);
});

const titles: Readonly<Record<Support["kind"], string>> = {
  rule: "rule",
  rewrite: "rewrite",
  zero: "zero",
  refused: "**refused**",
};

function noted(support: Support): string {
  if (support.kind === "rewrite")
    return support.unless ? `${support.how}; else refused: ${support.unless}` : support.how;
  if (support.kind === "refused") return `${support.why}. ${support.instead}`;
  return support.why ?? "";
}

function rows(operators: readonly string[]): string {
  return operators
    .map((name) => {
      const support = supportOf(name)!;
      const versions = standardOperators[name];
      return `| ${name.replace(/^com\.microsoft:/, "")} | ${versions ? `${versions.join(", ")} | ` : ""}${titles[support.kind]} | ${noted(support)} |`;
    })
    .join("\n");
}

/** docs/operators.md, from the tables. */
function page(): string {
  const counts = (kind: Support["kind"]) => names.filter((name) => supportOf(name)!.kind === kind).length;
  return `# Operators

What becomes of each operator when a gradient has to pass it. Written from the tables in the code by
\`npx vitest run support -u\` in packages/cam-core; a test fails where this page is stale. \`camkit inspect MODEL\` says the same of one file.

- **rule** (${counts("rule")}): it has a gradient rule, compared with finite differences. An attribute that a rule can't differentiate is an error
  that names it.
- **rewrite** (${counts("rewrite")}): it is replaced by operators that have rules.
- **zero** (${counts("zero")}): nothing flows through it, on purpose: its output is a shape, an index, a step, a choice.
- **refused** (${counts("refused")}): an error that says so, and the way out, where it lies between the target and the layer. Anywhere else it does no
  harm.

## ONNX, up to opset 26

| operator | changed in opset | | |
|---|---|---|---|
${rows(names)}

## ONNX Runtime's own (\`com.microsoft\`)

| operator | | |
|---|---|---|
${rows(others)}

Others of this domain are refused. So are files that ONNX Runtime has laid out for one machine (\`com.microsoft.nchwc\`), and
\`ai.onnx.ml\` between the target and the layer.
`;
}

test("docs/operators.md is what the tables say", async () => {
  await expect(page()).toMatchFileSnapshot("../../../../docs/operators.md");
});
