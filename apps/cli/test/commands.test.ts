import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { openBytes, type Tensor, writeModel } from "@camkit/cam-core";
import { tinyModel } from "@camkit/cam-core/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { commands } from "../src/commands/index.ts";
import { version } from "../src/version.ts";
import { camkit, readNpy, scenesModel, sceneTensor, workspace, writeNpy } from "./support.ts";

const at = workspace();
beforeAll(() => writeNpy(at("x.npy"), sceneTensor(1)));

describe("inspect", () => {
  test("says what the recipe of the shipped model says", async () => {
    const said = await camkit(["inspect", "scenes", "--json"]);
    expect(said).toMatchObject({ code: 0, stderr: "" });
    const found = said.json();
    expect(found).toMatchObject({
      model: { name: "scenes", opset: 18, bytes: readFileSync(scenesModel).length },
      inputs: [{ name: "image", dtype: "float32", shape: ["n", 3, 96, 96] }],
      outputs: [{ name: "logits", dtype: "float32", shape: ["n", 8] }],
      target: { tensor: "logits", squashedBy: null, classes: 8, dense: false },
      unsupported: [],
      manifest: { licence: "Apache-2.0" },
    });
    expect(found.operators.Conv).toBe(6);
    const marked = found.layers.filter((layer: { default: boolean }) => layer.default);
    expect(marked).toEqual([
      { tensor: "features", operator: "Relu", channels: 64, space: [12, 12], default: true, explainable: true },
    ]);
    expect(found.layers.map((layer: { tensor: string }) => layer.tensor)).toEqual(
      expect.arrayContaining(["stem", "down1", "mix1", "down2", "mix2"]),
    );
  });

  test("as text: tables with the default marked", async () => {
    const { stdout } = await camkit(["inspect", "scenes"]);
    expect(stdout).toMatch(/^ +image +float32 +\[n, 3, 96, 96\]$/m);
    expect(stdout).toMatch(/^ +\* +features +64 +12 x 12 +Relu$/m);
    expect(stdout).toMatch(/^ {2}for gradients: 7 with a rule$/m);
  });

  test.each([
    ["on the path", true],
    ["off the path", false],
  ])("a refused operator %s", async (_, isOnPath) => {
    const file = at(`regions ${isOnPath}.onnx`);
    writeFileSync(file, writeModel(withRegions(isOnPath)).model);
    const found = (await camkit(["inspect", file, "--json"])).json();
    const pool = { operator: "MaxRoiPool", count: 1, instead: "Export the model with RoiAlign." };
    expect(found.differentiation).toContainEqual(
      expect.objectContaining({ ...pool, kind: "refused", onPath: Number(isOnPath) }),
    );
    expect(found.differentiation).toContainEqual({ operator: "Relu", count: 1, onPath: 1, kind: "rule" });
    expect(found.unsupported).toEqual(isOnPath ? [expect.objectContaining(pool)] : []);
    const { stdout } = await camkit(["inspect", file]);
    if (isOnPath) expect(stdout).toMatch(/^ {2}MaxRoiPool: the edges .* Export the model with RoiAlign\.$/m);
    else expect(stdout).toMatch(/^ {2}no obstacle, as not between input and target: MaxRoiPool$/m);
  });
});

/** A classifier whose features are pooled in one region before the head, or beside it. */
function withRegions(isOnPath: boolean) {
  return tinyModel({ x: [1, 3, 8, 8] }, (op, { x }) => {
    const features = op.relu(op.conv(x!, op.filled(0.1, [4, 3, 3, 3], "float32")));
    const regions = op.filled(0, [1, 5], "float32");
    const pooled = op.node("MaxRoiPool", [features, regions], { pooled_shape: [1, 1] })[0]!;
    const whole = op.node("GlobalAveragePool", [features])[0]!;
    const logits = op.gemm(op.reshape(isOnPath ? pooled : whole, [1, 4]), op.filled(0.5, [4, 3], "float32"));
    return isOnPath ? { logits } : { logits, pooled };
  }).graph;
}

describe("gradient", () => {
  test.each([
    ["the input", [] as string[], "image", [1, 3, 96, 96]],
    ["a tensor inside", ["--wrt", "features"], "features", [1, 64, 12, 12]],
  ])("of %s: its own shape, score and norm, a result beside it", async (_, options, wrt, shape) => {
    const file = at(`d ${wrt}.npy`);
    const said = await camkit([
      "gradient",
      "scenes",
      at("x.npy"),
      "--target",
      "2",
      ...options,
      "--out",
      file,
      "--json",
    ]);
    expect(said).toMatchObject({ code: 0, stderr: "" });
    const found = await readNpy(file);
    expect(found).toMatchObject({ dtype: "float32", shape });
    const norm = Math.hypot(...Array.from(found.data as Float32Array));
    const document = said.json();
    expect(document).toMatchObject({
      wrt,
      shape,
      classes: [2],
      labels: ["green triangle"],
      provider: "cpu",
      seed: null,
    });
    expect(Math.abs(document.norm / norm - 1)).toBeLessThan(1e-6);
    expect(JSON.parse(readFileSync(at(`d ${wrt}.result.json`), "utf8"))).toEqual(document);
  });

  test("is the derivative: the untouched file's logit changes by it along a random direction", async () => {
    await camkit(["gradient", "scenes", at("x.npy"), "--target", "2", "--out", at("g.npy")]);
    const gradient = (await readNpy(at("g.npy"))).data as Float32Array;
    const x = sceneTensor(1);
    const session = await openBytes(scenesModel, { threads: 1, optimize: "disabled" });
    const logit = async (shift: (i: number) => number) => {
      const data = Float32Array.from(x.data as Float32Array, (value, i) => value + shift(i));
      const { logits } = await session.run({ image: { ...x, data } as Tensor });
      return Number(logits!.data[2]);
    };
    // Along the gradient's own direction the change is its norm times the step; small enough to cross few kinks.
    const norm = Math.hypot(...gradient);
    const h = 2e-3;
    const difference =
      ((await logit((i) => (h * gradient[i]!) / norm)) - (await logit((i) => (-h * gradient[i]!) / norm))) / (2 * h);
    await session.close();
    expect(Math.abs(difference / norm - 1)).toBeLessThan(0.01); // float32, and a ReLU or two flip
  });

  test("as text", async () => {
    const { stdout } = await camkit(["gradient", "scenes", at("x.npy"), "--target", "auto", "--out", at("t.npy")]);
    expect(stdout).toMatch(/^gradient +d .+ \/ d image$/m);
    expect(stdout).toMatch(/^shape +float32 \[1, 3, 96, 96\]$/m);
  });
});

test("bench gives the numbers that design.md names", async () => {
  const said = await camkit(["bench", "scenes", "--pairs", "5", "--threads", "1", "--json"]);
  const found = said.json();
  for (const key of ["forwardMs", "explainMs", "ratio", "prepareMs", "peakMb"])
    expect(found[key], key).toBeGreaterThan(0);
  expect(found).toMatchObject({ threads: 1, provider: "cpu", layers: ["features"], pairs: 5 });
  expect((await camkit(["bench", "scenes", "--pairs", "5"])).stdout).toMatch(/^ratio +\d/m);
});

describe("models", () => {
  test("lists what ships with its measured results", async () => {
    const { models } = (await camkit(["models", "--json"])).json();
    const scenes = models.find((model: { name: string }) => model.name === "scenes");
    expect(scenes).toMatchObject({
      version: "2.0.0",
      licence: "Apache-2.0",
      classes: expect.arrayContaining(["red disc"]),
    });
    expect(scenes.results["pointing-game"].value).toBeGreaterThan(0.8);
    expect((await camkit(["models", "list"])).stdout).toContain("pointing-game");
  });

  test("path prints the file, alone", async () => {
    expect((await camkit(["models", "path", "scenes"])).stdout).toBe(`${scenesModel}\n`);
  });
});

describe("the command line", () => {
  test.each(commands.map(({ name }) => name))("%s --help shows every option and an example", async (name) => {
    const { code, stdout } = await camkit([...name.split(" "), "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: camkit ${name}`);
    expect(stdout).toContain("--json");
    expect(stdout).toMatch(new RegExp(`Examples?:\n  camkit ${name}`));
    expect(await camkit(["help", name])).toMatchObject({ code: 0, stdout });
  });

  test("--help lists the commands, --version the version", async () => {
    const { code, stdout } = await camkit(["--help"]);
    expect(code).toBe(0);
    for (const { name } of commands) expect(stdout).toContain(`\n  ${name} `);
    expect(await camkit(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n` });
    expect((await camkit(["--version", "--json"])).json()).toEqual({ version });
  });
});

test("demo writes a page that needs nothing else, and its numbers", { timeout: 300_000 }, async () => {
  const said = await camkit(["demo", "--out", at("demo"), "--json"]);
  expect(said.code).toBe(0);
  const { page, sections } = said.json();
  expect(existsSync(page)).toBe(true);
  const html = readFileSync(page, "utf8");
  expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
  expect(html).not.toMatch(/@import|url\(/);
  // First a chest CT: each class once, the first with all its files.
  expect(Object.keys(sections)).toEqual(["ct", "scenes"]);
  const [main, ...others] = sections.ct.scans;
  expect(others).toHaveLength(2);
  expect([main.truth, main.predictions[0].label, main.pointing]).toEqual(["consolidation", "consolidation", 1]);
  for (const name of main.files) expect(existsSync(at("demo", name)), name).toBe(true);
  expect(main.files).toContain(`ct/${main.seed}/map.pm.dcm`);
  expect(sections.scenes.scenes).toHaveLength(6);
  expect(sections.scenes.pointing.hits / sections.scenes.pointing.maps).toBeGreaterThan(0.8);
  expect(sections.scenes.pointing.chance).toBeLessThan(0.1);
  expect(sections.scenes.comparison.maps.length).toBeGreaterThanOrEqual(8);
  expect(JSON.parse(readFileSync(at("demo/result.json"), "utf8"))).toEqual(said.json());
  expect(html.match(/class="marks"/g)).toHaveLength(
    sections.scenes.scenes.flatMap((scene: { maps: unknown[] }) => scene.maps).length +
      sections.scenes.comparison.maps.length +
      sections.ct.scans.length,
  );
});
