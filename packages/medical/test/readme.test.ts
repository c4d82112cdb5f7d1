import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeModel } from "@camkit/cam-core";
import { createNetwork, type LayerList } from "@camkit/cam-train";
import { afterAll, expect, test } from "vitest";
import { thoraxGeometry, writePhantom } from "../src/phantom/index.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-readme-"));
afterAll(() => rmSync(folder, { recursive: true }));
const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

test("the README's example runs as it stands, on the built package", async () => {
  await writePhantom(7, join(folder, "phantom"), { geometry: thoraxGeometry(7, { size: 64, slices: 16 }) });
  const layers: LayerList = [
    { conv: { name: "first", filters: 4, kernel: 3, padding: 1 } },
    { relu: { name: "features" } },
    { globalAveragePool: { name: "pool" } },
    { dense: { name: "head", units: 2, init: "ones" } },
  ];
  const input = { name: "image", shape: ["n", 1, 8, 32, 32] };
  writeFileSync(join(folder, "net.onnx"), writeModel(createNetwork({ name: "net", input, seed: 4, layers })).model);
  mkdirSync(join(folder, "node_modules/@camkit"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules/@camkit/medical"));
  const [, code] = /```js\n([\s\S]*?)```/.exec(readme)!;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", code!], { cwd: folder, encoding: "utf8" });
  // A class by its number: nothing names them. A place in millimetres; eight outputs; one instance per slice, and three more.
  expect(said).toMatch(/^undefined \[[^\]]+\] 8 19 0\n$/);
  expect(existsSync(join(folder, "results/report.html"))).toBe(true);
});

test("the README's links lead somewhere", () => {
  const links = [...readme.matchAll(/\]\((\.\.[^)]+)\)/g)].map((match) => match[1]!);
  expect(links.length).toBeGreaterThan(4);
  for (const link of links) expect([link, existsSync(join(root, link))]).toEqual([link, true]);
});
