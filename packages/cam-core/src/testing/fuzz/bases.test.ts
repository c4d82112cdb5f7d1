import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { afterAll, expect, test } from "vitest";
import { rng } from "../rng.ts";
import { bases } from "./bases.ts";
import { journey } from "./journey.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-bases-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(Object.entries(bases))("%s: what is damaged later is sound before", async (name, { model, feeds, files }) => {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, toBinary(ModelProtoSchema, model()));
  for (const [file, bytes] of Object.entries(files ?? {})) writeFileSync(join(folder, file), bytes);
  for (const outcome of await journey(path, feeds, rng(1))) expect(outcome.code, outcome.said).toBe("ok");
});
