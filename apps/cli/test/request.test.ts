import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openRequest } from "../src/train/request.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-request-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function asked(text: string, set: readonly string[], more: { model?: string; data?: string } = {}) {
  writeFileSync(join(folder, "it.yaml"), text);
  const request = { config: join(folder, "it.yaml"), model: more.model, data: more.data, out: undefined, set };
  const { units } = await openRequest(request);
  return units[0]!.config;
}

const preset = "network: { preset: cifake }\ndata: { train: photos, test: { old: olds } }\n";

test("paths of the file are seen from the file, those of settings from here", async () => {
  const config = await asked(preset, [
    "data.test.web=web",
    "data.validation=held",
    "data.train={kind: list, path: a.csv}",
  ]);
  expect(config.data).toMatchObject({
    train: { kind: "list", path: resolve("a.csv") },
    validation: { path: resolve("held") },
    test: { old: { path: join(folder, "olds") }, web: { path: resolve("web") } },
  });
  expect((await asked(preset, ["data.test={web: x}", "data.validation.fraction=0.2"])).data).toMatchObject({
    train: { path: join(folder, "photos") },
    validation: { fraction: 0.2 },
    test: { web: { path: resolve("x") } },
  });
  const long = "network: { preset: cifake }\ndata: { train: { kind: folder, path: photos } }\n";
  expect((await asked(long, ["data.train.path=x"])).data.train).toMatchObject({ path: resolve("x") });
});

test("--model takes the place of a network that was described; of another model it keeps what is said of it", async () => {
  const { network } = await asked(preset, [], { model: "./mine.onnx" });
  expect(network).toMatchObject({ head: "keep", model: expect.stringMatching(/mine\.onnx$/) });
  const frozen = "network: { model: a.onnx, head: replace, train: [head.*] }\ndata: { train: photos }\n";
  expect((await asked(frozen, [], { model: "./mine.onnx" })).network).toMatchObject({
    head: "replace",
    train: ["head.*"],
  });
});
