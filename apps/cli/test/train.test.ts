import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRng, encodePicture, writeAtomic } from "@camkit/cam-core";
import { beforeAll, describe, expect, test } from "vitest";
import { abortAfter, camkit, scenesModel, sceneTensor, workspace, writeNpy, writeScene } from "./support.ts";

const at = workspace();

const config = `
network: { preset: cifake, filters: 4, units: 8 }
input: { size: [16, 16] }
data: { train: photos/train, validation: { fraction: 0.25 }, test: photos/test }
batch: 6
epochs: 8
rate: 0.01
loss: binary
monitor: accuracy
calibrate: true
threads: 1
workers: 0
`;

/** Noisy pictures in two folders, told apart by their tint. */
async function writePhotos(folder: string, count: number, seed: number) {
  const rng = createRng(seed);
  for (const [label, bright] of [
    ["blue", 2],
    ["red", 0],
  ] as const)
    for (let i = 0; i < count; i++) {
      const rgb = Uint8Array.from({ length: 768 }, (_, k) => 110 + rng.uniform(-60, 60) + (k % 3 === bright ? 40 : 0));
      await writeAtomic(join(folder, label, `${i}.png`), await encodePicture({ width: 16, height: 16, rgb }));
    }
}

beforeAll(async () => {
  await writePhotos(at("photos/train"), 24, 1);
  await writePhotos(at("photos/test"), 12, 2);
  // Two of the test pictures are copies of training pictures, as in data sets that were scraped twice.
  copyFileSync(at("photos/train/red/0.png"), at("photos/test/red/copy.png"));
  copyFileSync(at("photos/train/blue/0.png"), at("photos/test/blue/copy.png"));
  writeFileSync(at("small.yaml"), config);
});

describe("a run", () => {
  test("from a configuration to a model that explains itself", async () => {
    const said = await camkit(["train", at("small.yaml"), "--out", at("run"), "--json"]);
    expect(said.code).toBe(0);
    const document = said.json();
    expect(document).toMatchObject({ state: "finished", steps: 48, classes: ["blue", "red"] });
    for (const file of document.files) expect(existsSync(at("run", file)), file).toBe(true);
    // A line per epoch on the other stream, with what validation found.
    const lines = said.stderr.split("\n").filter((line) => line.startsWith("epoch"));
    expect(lines.length).toBe(8);
    expect(lines[7]).toMatch(/^epoch 8\/8 {2}loss 0\.\d{4} {2}validation 0\.\d{4} {2}accuracy [01]\.\d{4}/);

    const explained = await camkit([
      "explain",
      at("run/model.onnx"),
      at("photos/test/red/1.png"),
      "--target",
      "auto,blue",
      "--out",
      at("maps"),
      "--json",
    ]);
    expect(explained.code).toBe(0);
    expect(explained.json()).toMatchObject({ model: { name: "small" }, layers: [{ tensor: "pool2" }] });
    expect(explained.json().inputs[0].predictions[0].label).toBe("red");
    expect(explained.stderr).not.toMatch(/assumed/);
  });

  test("what lies there isn't overwritten; --resume on a finished run says so", async () => {
    const again = await camkit(["train", at("small.yaml"), "--out", at("run"), "--json"]);
    expect(again.code).toBe(2);
    expect(again.json().error).toMatchObject({ code: "run-exists", state: "finished" });
    const before = readFileSync(at("run/model.onnx"));
    const resumed = await camkit(["train", at("small.yaml"), "--out", at("run"), "--resume"]);
    expect(resumed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("was finished before; nothing was done"),
    });
    expect(readFileSync(at("run/model.onnx")).equals(before)).toBe(true);
  });

  test("interrupted it saves and says how to go on; going on gives the same model", async () => {
    const first = await camkit(["train", at("small.yaml"), "--out", at("parts")], abortAfter(13));
    expect(first.code).toBe(130);
    expect(first.stdout).toContain(`camkit train ${at("small.yaml")} --out ${at("parts")} --resume`);
    expect(existsSync(at("parts/result.json"))).toBe(false);
    const blocked = await camkit(["train", at("small.yaml"), "--out", at("parts")]);
    expect(blocked).toMatchObject({ code: 2, stderr: expect.stringContaining("--resume") });
    const second = await camkit(["train", at("small.yaml"), "--out", at("parts"), "--resume"]);
    expect(second).toMatchObject({ code: 0, stderr: expect.stringMatching(/^going on after step \d+ of 48/) });
    expect(readFileSync(at("parts/model.onnx")).equals(readFileSync(at("run/model.onnx")))).toBe(true);
  });

  test("--set changes settings; the default folder lies beside the configuration", async () => {
    const said = await camkit([
      "train",
      at("small.yaml"),
      "--set",
      "epochs=1",
      "--set",
      "augment=[{kind: flip}]",
      "--json",
    ]);
    expect(said.json()).toMatchObject({ out: at("runs/small"), steps: 6, recipe: { augment: [{ kind: "flip" }] } });
  });

  test("--check trains nothing and shows a batch", async () => {
    const said = await camkit(["train", at("small.yaml"), "--check", "--out", at("checked")]);
    expect(said.code).toBe(0);
    expect(said.stdout).toMatch(/parameters {2}405, of which 405 train/);
    expect(said.stdout).toMatch(/input uint8 \[6, 16, 16, 3\], label int64 \[6\]/);
    expect(readdirSync(at("checked"))).toEqual(["augmented.png"]);
  });

  test("--schema is what editors are given", async () => {
    const said = await camkit(["train", "--schema"]);
    const file = join(import.meta.dirname, "../../../packages/cam-train/train.schema.json");
    expect(said.json()).toEqual(JSON.parse(readFileSync(file, "utf8")));
  });

  test("a sweep: a table, each variant in its folder, finished ones skipped", async () => {
    const argv = [
      "train",
      at("small.yaml"),
      "--set",
      "epochs=1",
      "--set",
      "sweep={network.filters: [2, 4]}",
      "--out",
      at("sweep"),
    ];
    const first = await camkit([...argv, "--json"]);
    expect(first.json().rows.map(({ name }: { name: string }) => name)).toEqual(["filters-2", "filters-4"]);
    expect(readFileSync(at("sweep/results.md"), "utf8")).toMatch(/^\| filters-4 \| 405 \| [01]\.\d{4} /m);
    rmSync(at("sweep/filters-4"), { recursive: true });
    const second = await camkit([...argv, "--resume"]);
    expect(second.code).toBe(0);
    expect(second.stderr.match(/^epoch/gm)?.length).toBe(1);
  });
});

test("fine-tuning without a configuration: another head on a frozen network", async () => {
  for (let i = 0; i < 8; i++) {
    await writeScene(at("scenes", "disc", `${i}.png`), 100 + i, { labels: ["red disc"] });
    await writeScene(at("scenes", "star", `${i}.png`), 200 + i, { labels: ["yellow star"] });
  }
  const argv = [
    "train",
    "--model",
    "scenes",
    "--data",
    at("scenes"),
    "--out",
    at("tuned"),
    "--set",
    "rate=0.05",
    "--set",
    "epochs=6",
  ];
  const said = await camkit([...argv, "--json"]);
  expect(said.code).toBe(0);
  expect(said.json()).toMatchObject({
    classes: ["disc", "star"],
    model: { parameters: { trained: 64 * 2 + 2 } },
    recipe: { network: { head: "replace", train: ["head.*"] }, data: { validation: { fraction: 0.2 } } },
  });
  const tested = await camkit(["test", at("tuned/model.onnx"), at("scenes"), "--json"]);
  expect(tested.json().measured[0].metrics[0]).toMatchObject({ name: "accuracy", value: expect.any(Number) });
  expect(tested.json().measured[0].metrics[0].value).toBeGreaterThanOrEqual(0.9);
  const map = await camkit([
    "explain",
    at("tuned/model.onnx"),
    at("scenes/star/0.png"),
    "--out",
    at("tuned-maps"),
    "--json",
  ]);
  expect(map.json().inputs[0].predictions[0].label).toBe("star");
});

describe("camkit test", () => {
  test("text: metrics, classes, confusion; copies of training pictures are told apart", async () => {
    const said = await camkit([
      "test",
      at("run/model.onnx"),
      at("photos/test"),
      "--without-duplicates-of",
      at("photos/train"),
    ]);
    expect(said.code).toBe(0);
    expect(said.stdout).toMatch(/test: 26 samples/);
    expect(said.stdout).toMatch(/test without 2 copies of training samples: 24 samples/);
    expect(said.stdout).toMatch(/is \\ named {2}blue {2}red/);
  });

  test("files: result, page, every answer; excluded samples by their names in it", async () => {
    writeFileSync(at("left.txt"), "# copies\nred/copy.png\nblue/copy.png\n");
    const said = await camkit([
      "test",
      at("run/model.onnx"),
      at("photos/test"),
      "--exclude",
      at("left.txt"),
      "--out",
      at("tested"),
      "--json",
    ]);
    expect(readdirSync(at("tested")).sort()).toEqual(["predictions.csv", "report.html", "result.json"]);
    const { measured } = said.json();
    expect(measured.map(({ name, count }: { name: string; count: number }) => [name, count])).toEqual([
      ["test", 26],
      ["test without 2 excluded samples", 24],
    ]);
    const rows = readFileSync(at("tested/predictions.csv"), "utf8").trim().split("\n");
    expect(rows.length).toBe(27);
    expect(rows[0]).toBe("path,label,prediction,p(blue),p(red)");
    // Accuracy, counted from the file.
    const right = rows.slice(1).filter((row) => row.split(",")[1] === row.split(",")[2]).length;
    expect(measured[0].metrics[0].value).toBeCloseTo(right / 26, 12);
  });

  test("lists, arrays, parts of the classes, several outputs that are each their own answer", async () => {
    writeFileSync(at("photos/list.csv"), "path,label\ntest/red/1.png,red\ntest/blue/1.png,blue\ntest/blue/2.png,0\n");
    const list = await camkit(["test", at("run/model.onnx"), at("photos/list.csv"), "--json"]);
    expect(list.json().measured[0]).toMatchObject({ name: "list", count: 3 });
    mkdirSync(at("only/red"), { recursive: true });
    copyFileSync(at("photos/test/red/1.png"), at("only/red/1.png"));
    const part = await camkit(["test", at("run/model.onnx"), at("only"), "--json"]);
    expect(part.json().measured[0].confusion.counts[0]).toEqual([0, 0]);
    await writeNpy(at("x.npy"), sceneTensor(1, 2, 3));
    await writeNpy(at("y.npy"), { dtype: "int64", shape: [3, 8], data: new BigInt64Array(24) });
    const arrays = await camkit(["test", "scenes", at("x.npy"), at("y.npy"), "--json"]);
    expect(arrays.json().measured[0]).toMatchObject({ kind: "multi-label", count: 3 });
  });
});

const bad: readonly [argv: readonly string[], exit: number, code: string, message: RegExp][] = [
  [["train"], 2, "usage", /no configuration/],
  [["train", "--data", "$/photos/train"], 2, "usage", /nothing says what to train/],
  [["train", "$/nosuch.yaml"], 1, "file", /no such file/],
  [["train", "$/typo.yaml"], 2, "config", /typo\.yaml:3: epocs: unknown key/],
  [["train", "$/small.yaml", "--set", "rate"], 2, "config", /no setting/],
  [["train", "$/small.yaml", "--set", "rate=-1", "--out", "$/bad"], 2, "config", /rate: Too small/],
  [["train", "$/small.yaml", "--set", "data.train=$/nosuch", "--out", "$/bad"], 1, "file", /nosuch: no such file/],
  [["train", "$/small.yaml", "--set", "monitor=acuracy", "--out", "$/bad"], 1, "metric", /unknown metric "acuracy"/],
  [
    ["train", "$/small.yaml", "--set", "batch=100", "--out", "$/bad"],
    2,
    "config",
    /36 samples don't make one batch of 100/,
  ],
  [
    ["train", "$/small.yaml", "--set", "network.outputs=3", "--out", "$/bad"],
    2,
    "config",
    /3 outputs, the data asks for 1 or 2/,
  ],
  [["train", "$/small.yaml", "--set", "network.convs=4", "--out", "$/bad"], 2, "network", /conv/],
  [["train", "$/small.yaml", "--set", "rate=1e30", "--out", "$/wild"], 1, "diverged", /no longer finite at step \d/],
  [["train", "--model", "scnes", "--data", "$/photos/train"], 2, "unknown-name", /unknown model "scnes"/],
  [["test", "scenes", "$/photos/test"], 1, "data", /the model has no class "blue", "red"/],
  [["test", "$/bare.onnx", "$/photos/test"], 1, "data", /doesn't say what its classes are called/],
  [["test", "$/bare.onnx", "$/photos/test", "--classes", "blue,red"], 2, "network", /8 outputs, the data 2 classes/],
  [["test", "scenes", "$/x.npy"], 2, "usage", /its labels are missing/],
  [["test", "$/run/model.onnx", "$/photos/test", "--exclude", "$/typo.yaml"], 2, "config", /are in none of the data/],
];

test.each(bad)("camkit %j", async (words, exit, code, message) => {
  writeFileSync(at("typo.yaml"), "network: { preset: cifake }\ndata: { train: photos }\nepocs: 3\n");
  copyFileSync(scenesModel, at("bare.onnx"));
  const said = await camkit([...words.map((word) => word.replace("$", at())), "--json"]);
  const { error } = said.json();
  expect(error.message).toMatch(message);
  expect([said.code, error.code]).toEqual([exit, code]);
});

test.skipIf(process.platform === "win32")("Ctrl-C on the built program: it saves, and goes on from there", async () => {
  const program = join(import.meta.dirname, "../dist/main.js");
  const argv = ["train", at("small.yaml"), "--out", at("process"), "--set", "epochs=400", "--json"];
  const child = spawn(process.execPath, [program, ...argv]);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => (stdout += text));
  child.stderr.on("data", (text) => {
    stderr += text;
    if (/epoch +2\//.test(stderr) && !stderr.includes("interrupted")) child.kill("SIGINT");
  });
  expect(await new Promise((resolve) => child.on("close", resolve))).toBe(130);
  const document = JSON.parse(stdout);
  expect(document.interrupted).toBe(true);
  expect(document.step).toBeGreaterThanOrEqual(12);
  expect(document.resume).toMatch(/^camkit train .* --resume$/);
  expect(existsSync(at("process/last.safetensors"))).toBe(true);
});
