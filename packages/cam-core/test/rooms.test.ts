import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** The engine runs in a page: what these rooms import, at any remove, is there too. Types alone may come from anywhere. */

const source = fileURLToPath(new URL("../src/", import.meta.url));
const platformFree = ["model", "graph", "autodiff", "targets", "methods", "metrics", "explain"];
const packages = ["@bufbuild/protobuf/wire", "zod/mini"];

/** What a file imports when it runs: all but `import type`, which the compiler leaves out. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const statements = text.matchAll(/^(?:import|export)\s(?!type\s)(?:[^"';]*\sfrom\s)?"([^"]+)"/gm);
  const dynamic = text.matchAll(/\bimport\(\s*"([^"]+)"/g);
  return [...statements, ...dynamic].map((match) => match[1]!);
}

/** The ways from files of ours to what isn't, as "a.ts → b.ts → node:fs". */
function waysOut(start: string, allowed: readonly string[]): string[] {
  const seen = new Set<string>();
  const walk = (file: string, way: readonly string[]): string[] => {
    if (seen.has(file)) return [];
    seen.add(file);
    const here = [...way, relative(source, file)];
    return importsOf(file).flatMap((name) => {
      if (name.startsWith(".")) return walk(resolve(dirname(file), name), here);
      return allowed.includes(name) ? [] : [[...here, name].join(" → ")];
    });
  };
  return walk(join(source, start), []);
}

const filesOf = (room: string) =>
  readdirSync(join(source, room), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => join(room, file));

describe("rooms without a platform", () => {
  test.each(platformFree)("%s", (room) => {
    const files = filesOf(room);
    expect(files.length).toBeGreaterThan(1);
    expect(files.flatMap((file) => waysOut(file, packages))).toEqual([]);
  });

  test("the door for pages", () => {
    expect(waysOut("web.ts", packages)).toEqual([]);
  });

  test("the walk finds what there is to find, near and far", () => {
    expect(waysOut("runtime/session.ts", packages)).toContain("runtime/session.ts → onnxruntime-node");
    expect(waysOut("index.ts", packages).join("\n")).toMatch(/index\.ts → .*runtime\/.* → node:fs/);
    expect(waysOut("web.ts", ["zod/mini"]).join()).toMatch(/^web\.ts → .*model\/wire\.ts → @bufbuild\/protobuf\/wire$/);
  });
});
