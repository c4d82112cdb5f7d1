import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Tensor, writeModel } from "../src/index.ts";
import { named, tinyModel } from "../src/testing/tiny-models.ts";

const engine = join(import.meta.dirname, "..");
// Below the package, so that what is compiled finds the package's dependencies.
const compiled = join(engine, "node_modules/.cache/camkit-memory-test");
let folder: string;
let path: string;

/** Small numbers that differ from each other, made fast. */
function filled(shape: readonly number[]): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = ((i * 2654435761) % 1009) / 1e5 - 0.005;
  return { dtype: "float32", shape, data };
}

/** Weights of 100 MB in two convolutions and a dense layer. */
function largeModel(): Uint8Array {
  const { graph } = tinyModel({ x: [1, 3, 8, 8] }, (op, { x }) => {
    const layer = (from: string, inputs: number, name: string) => {
      const weight = op.constant(filled([1024, inputs, 3, 3]));
      return named(op, op.relu(op.conv(from, weight, { pads: [1, 1, 1, 1] })), name);
    };
    const last = layer(layer(layer(x!, 3, "first"), 1024, "second"), 1024, "third");
    const dense = op.constant(filled([1024, 6000]));
    return { y: op.matMul(op.reduceMean(last, { axes: [2, 3], keepdims: false }), dense) };
  });
  return writeModel(graph).model;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "camkit-memory-"));
  path = join(folder, "large.onnx");
  writeFileSync(path, largeModel());
  mkdirSync(compiled, { recursive: true });
  const tsc = createRequire(import.meta.url)
    .resolve("typescript/package.json")
    .replace(/package\.json$/, "bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", compiled, "--noCheck"], {
    cwd: engine,
  });
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(compiled, { recursive: true, force: true });
});

/**
 * The highest resident memory, in MB, of a process of its own that does `what` with cam-core and the model. Linux carries
 * maxRSS over from the process that started it, so the kernel's own high-water mark is read where there is one.
 */
function peak(what: string): number {
  const door = pathToFileURL(join(compiled, "index.js"));
  const script = `
    import { existsSync, readFileSync } from "node:fs";
    import { createExplainer, float32, loadModel, openBytes } from ${JSON.stringify(door.href)};
    const path = ${JSON.stringify(path)};
    const x = float32([1, 3, 8, 8], new Float32Array(192).fill(1));
    ${what}
    const status = existsSync("/proc/self/status") ? readFileSync("/proc/self/status", "utf8") : "";
    console.log((/VmHWM:\\s*(\\d+)/.exec(status)?.[1] ?? process.resourceUsage().maxRSS) * 1.024 / 1000);`;
  return Number(execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }));
}

test("a model of 100 MB is explained in what the runtime alone takes and one more file", () => {
  const file = statSync(path).size / 1e6;
  expect(file).toBeGreaterThan(95);
  const idle = peak("");
  const runtime = peak("const s = await openBytes(path); await s.run({ x }); await s.close();");
  const opened = peak("const model = await loadModel(path); if (model.graph.nodes.length === 0) throw new Error();");
  const explained = peak(
    "const e = await createExplainer(await loadModel(path)); await e.run({ x }); await e.close();",
  );
  const early = peak(
    'const e = await createExplainer(await loadModel(path), { layers: ["first"] }); await e.run({ x }); await e.close();',
  );
  const measured = JSON.stringify({ file, idle, runtime, opened, explained, early });
  // Reading the structure reads no weight.
  expect(opened, measured).toBeLessThan(idle + 0.3 * file);
  expect(explained, measured).toBeLessThan(runtime + 1.1 * file);
  expect(early, measured).toBeLessThan(runtime + 1.1 * file);
});
