import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { checkConfig, readConfig } from "./read.ts";
import { unitsOf } from "./units.ts";

const root = join(import.meta.dirname, "../../../..");

test.each(["README.md", "packages/cam-train/README.md"])("what %s shows as a configuration is one", (file) => {
  const blocks = [...readFileSync(join(root, file), "utf8").matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text!);
  expect(blocks.length).toBeGreaterThan(0);
  for (const block of blocks) {
    const read = checkConfig(parse(block), file, ".");
    expect(unitsOf(read, ({ config, name }) => ({ ...config, name })).length).toBe(block.includes("sweep") ? 12 : 1);
  }
});

/** Configurations say to editors which schema they have. */
const files = ["examples", "models"]
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => join(folder, file)),
  )
  .filter((file) => file.endsWith(".yaml") && readFileSync(join(root, file), "utf8").includes("train.schema.json"));

test.each(files)("%s", async (file) => {
  const units = unitsOf(await readConfig(join(root, file)), ({ config, name }) => ({ ...config, name }));
  expect(units.length).toBeGreaterThan(0);
});
