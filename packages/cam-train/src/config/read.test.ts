import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { applied, parseSetting, readConfig, readDataFile } from "./read.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "camkit-read-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function problemsIn(text: string, name = "bad.yaml"): Promise<string[]> {
  await writeFile(at(name), text);
  const error = await readConfig(at(name)).catch((caught) => caught);
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message.replaceAll(`${folder}/`, "").split("\n");
}

test("every problem with its file, line and place", async () => {
  const text = `name: x
network: { preset: cifake, filtrs: 3 }
data:
  train: { kind: folder, pth: a }
  validation: { fraction: 1.5 }
optimiser: { adamw: { betas: [0.9, 2] } }
schedule: cosin
loss: { crossEntropy: { labelSmooth: 1 } }
augment:
  - { kind: flip, horizontal: 3 }
  - { kind: flop }
epoch: 3
`;
  const found = await problemsIn(text);
  expect(found.map((line) => line.split(": ").slice(0, 2).join(": ")).sort()).toEqual(
    [
      "bad.yaml:2: network.filtrs",
      "bad.yaml:4: data.train.path",
      "bad.yaml:4: data.train.pth",
      "bad.yaml:5: data.validation.fraction",
      "bad.yaml:6: optimiser.adamw.betas[1]",
      "bad.yaml:7: schedule",
      "bad.yaml:8: loss.crossEntropy.labelSmooth",
      "bad.yaml:10: augment[0].horizontal",
      "bad.yaml:11: augment[1].kind",
      "bad.yaml:12: epoch",
    ].sort(),
  );
  expect(found.find((line) => line.includes("filtrs"))).toBe("bad.yaml:2: network.filtrs: unknown key");
});

test.each([
  ["what isn't YAML", "name: [1,\nrate: 2", /^bad\.yaml:\d: /],
  ["a list", "- 1", /expected keys and values/],
  ["nothing", "", /expected keys and values, found nothing/],
  ["no network", "data: { train: a }", /^bad\.yaml: network: /],
  ["a network of no kind", "network: { filters: 3 }\ndata: { train: a }", /^bad\.yaml:1: network/],
])("%s", async (_, text, message) => expect((await problemsIn(text)).join("\n")).toMatch(message));

test("JSON is read as well; the name is the file's; defaults are filled in", async () => {
  await writeFile(at("small.json"), JSON.stringify({ network: { preset: "scenes" }, data: { train: "photos" } }));
  const { name, config } = await readConfig(at("small.json"));
  expect(name).toBe("small");
  expect(config).toMatchObject({ seed: 1, batch: 32, optimiser: "adamw", schedule: "cosine", monitor: "loss" });
});

test("settings are YAML values, put in their places, and checked like the rest", async () => {
  await writeFile(at("base.yaml"), "network: { preset: cifake }\ndata: { train: a }\naugment: [{ kind: flip }]");
  const settings = ["rate=1e-2", "network.filters=8", "augment.0.horizontal=0.25", "data.validation.fraction=0.1"];
  const { config } = await readConfig(at("base.yaml"), settings.map(parseSetting));
  expect(config).toMatchObject({
    rate: 0.01,
    network: { preset: "cifake", filters: 8 },
    augment: [{ kind: "flip", horizontal: 0.25 }],
    data: { validation: { fraction: 0.1 } },
  });
  await expect(readConfig(at("base.yaml"), [parseSetting("rat=1")])).rejects.toThrow(/rat: unknown key/);
  expect(() => parseSetting("rate")).toThrow(/no setting/);
  expect(() => applied({ augment: [] }, [{ key: "augment.3.kind", value: "flip" }])).toThrow(/no place in a list of 0/);
});

test("a description of data alone", async () => {
  await writeFile(at("data.yaml"), "kind: list\npath: a.csv\nsplit: test");
  expect(await readDataFile(at("data.yaml"))).toEqual({ kind: "list", path: "a.csv", split: "test" });
  await writeFile(at("data.yaml"), "kind: list\npth: a.csv");
  await expect(readDataFile(at("data.yaml"))).rejects.toThrow(/data\.yaml:2: pth: unknown key/);
});
