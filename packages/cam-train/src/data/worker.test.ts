import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const { exports: doors } = createRequire(import.meta.url)("../../../cam-core/package.json") as {
  exports: Record<string, { source: string }>;
};
const engine = resolve(import.meta.dirname, "../../../cam-core");

/** The packages that a file imports when it is loaded, itself or through our own files; sharp is loaded when it is needed. */
function packagesBehind(entry: string): Set<string> {
  const [files, packages] = [new Set([entry]), new Set<string>()];
  for (const file of files)
    for (const [, name] of readFileSync(file, "utf8").matchAll(/^(?:import|export) (?!type )[^;]*?from "([^"]+)"/gm)) {
      if (name!.startsWith(".")) files.add(join(file, "..", name!));
      else if (name!.startsWith("@camkit/cam-core"))
        files.add(join(engine, doors[name!.replace("@camkit/cam-core", ".")]!.source));
      else if (!name!.startsWith("node:")) packages.add(name!);
    }
  return packages;
}

test("a thread that makes batches starts without ONNX Runtime, protobuf and fonts", () => {
  const all = packagesBehind(join(engine, "src/index.ts"));
  expect([...all]).toEqual(expect.arrayContaining(["onnxruntime-node", "@bufbuild/protobuf/wire"]));
  const here = import.meta.dirname;
  expect([...packagesBehind(join(here, "worker.ts"))]).toEqual(["zod"]);
  expect([...packagesBehind(join(here, "../scenes/generator.ts"))]).toEqual(["zod"]);
});
