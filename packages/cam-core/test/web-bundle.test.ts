import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bundle } from "./bundle.ts";

/** What `@camkit/cam-core/web` costs a page, and what it must not bring along. */

/** Bytes, gzipped: the whole door, onnxruntime-web not counted. */
const limit = 150_000;

test("the whole of cam-core/web is one module without Node, native code or a runtime, and small", async () => {
  const { code, imports, files } = await bundle(`export * from "@camkit/cam-core/web";`);
  expect(imports).toEqual([]);
  const packages = files.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
  expect([...new Set(packages)].sort()).toEqual(["@bufbuild/protobuf", "zod"]);
  expect(gzipSync(code).length).toBeLessThan(limit);
});

test("what a page doesn't use isn't in its bundle", async () => {
  const { files } = await bundle(`export { float32 } from "@camkit/cam-core/web";`);
  expect(files.filter((file) => /autodiff|protobuf|zod/.test(file))).toEqual([]);
});

test("the check notices: Node's door has native code and node: modules", async () => {
  const { imports } = await bundle(`export { createExplainer } from "@camkit/cam-core";`);
  expect(imports.join()).toMatch(/'node:fs'/);
  expect(imports.join()).toMatch(/onnxruntime-node/);
});
