import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { float32, float64 } from "@camkit/cam-core";
import { beforeAll, describe, expect, test } from "vitest";
import { camkit, scenesModel, sceneTensor, workspace, writeNpy, writeScene } from "./support.ts";

const at = workspace();
const manifest = { formatVersion: 1, name: "other", sha256: "0".repeat(64) };

beforeAll(async () => {
  const model = readFileSync(scenesModel);
  const damaged = Buffer.from(model);
  damaged.fill(0xff, 100, 400);
  await writeScene(at("scene.png"), 1);
  await writeNpy(at("x.npy"), sceneTensor(1));
  await writeNpy(at("shape.npy"), float32([1, 3, 4, 4], new Float32Array(48)));
  await writeNpy(at("rank.npy"), float32([3], [1, 2, 3]));
  await writeNpy(at("dtype.npy"), float64([1, 3, 96, 96], new Float64Array(3 * 96 * 96)));
  mkdirSync(at("empty"));
  for (const [name, content] of Object.entries({
    "text.onnx": "this is no model",
    "empty.onnx": "",
    "zip.onnx": "PK\x03\x04 and so on",
    "truncated.onnx": model.subarray(0, model.length / 2),
    "damaged.onnx": damaged,
    "other.onnx": model,
    "other.camkit.json": JSON.stringify(manifest),
    "slip.camkit.json": JSON.stringify({ formatVersion: 1, name: "slip", layout: "NCHW" }),
    "broken.camkit.json": "{",
    "broken.npy": readFileSync(at("x.npy")).subarray(0, 1000),
    "broken.png": readFileSync(at("scene.png")).subarray(0, 2000),
    "letter.png": "Dear picture,",
  }))
    writeFileSync(at(name), content);
});

/** Command line ($ stands for the test's folder), exit code, error code, and words that the message or hint must hold. */
const explainX = ["explain", "scenes", "$/x.npy", "--out", "$/out"];
const cases: readonly [argv: readonly string[], exit: number, code: string, message: RegExp, hint: RegExp][] = [
  // The model
  [["inspect", "$/text.onnx"], 1, "not-onnx", /text\.onnx is not a readable ONNX model/, /./],
  [["inspect", "$/empty.onnx"], 1, "not-onnx", /empty/, /^/],
  [["inspect", "$/zip.onnx"], 1, "not-onnx", /zip\.onnx/, /zip archive/],
  [["inspect", "$/truncated.onnx"], 1, "not-onnx", /truncated\.onnx/, /./],
  [["explain", "$/truncated.onnx", "$/x.npy"], 1, "not-onnx", /truncated\.onnx/, /./],
  [["bench", "$/truncated.onnx"], 1, "not-onnx", /truncated\.onnx/, /./],
  [["inspect", "$/damaged.onnx"], 1, "not-onnx", /damaged\.onnx/, /./],
  [["inspect", "$/nosuch.onnx"], 1, "file", /nosuch\.onnx: no such file/, /path/],
  [["inspect", "$/empty"], 1, "file", /is a directory/, /^/],
  [["inspect", "scnes"], 2, "unknown-name", /unknown model "scnes"/, /scenes/],
  [["inspect", "$/other.onnx"], 1, "manifest", /describes another file/, /sha256 0000/],
  [["inspect", "scenes", "--manifest", "$/slip.camkit.json"], 1, "manifest", /layout: unknown key/, /typing slip/],
  [["inspect", "scenes", "--manifest", "$/broken.camkit.json"], 1, "manifest", /not JSON/, /^/],
  [["inspect", "scenes", "--manifest", "$/nosuch.json"], 1, "file", /no such file/, /path/],
  // The input
  [["explain", "scenes", "$/nosuch.png"], 1, "file", /nosuch\.png: no such file/, /picture/],
  [["explain", "scenes", "$/empty"], 1, "input", /no picture and no \.npy/, /./],
  [["explain", "scenes", "$/letter.png"], 1, "input", /letter\.png: not a picture/, /JPEG/],
  [["explain", "scenes", "$/broken.png"], 1, "input", /broken\.png: damaged or truncated/, /again/],
  [["explain", "scenes", "$/broken.npy"], 1, "input", /truncated \.npy/, /again/],
  [["explain", "scenes", "$/shape.npy"], 1, "input", /\[n, 3, 96, 96\] and was given float32 \[1, 3, 4, 4\]/, /./],
  [["explain", "scenes", "$/rank.npy"], 1, "input", /was given float32 \[3\]/, /./],
  [["explain", "scenes", "$/dtype.npy"], 1, "input", /float32 .* was given float64/, /float32/],
  [["gradient", "scenes", "$/dtype.npy", "--target", "0", "--out", "$/g.npy"], 1, "input", /given float64/, /float32/],
  [["explain", "scenes", "picture=$/x.npy"], 2, "unknown-name", /unknown input "picture"/, /image/],
  [["explain", "scenes", "image=$/x.npy", "image=$/x.npy"], 2, "usage", /given twice/, /^/],
  [["explain", "scenes", "image=$/nosuch.npy"], 1, "file", /nosuch\.npy: no such file/, /./],
  // What is asked of them
  [[...explainX, "--layer", "featurs"], 2, "unknown-name", /unknown layer "featurs"/, /Did you mean "features"/],
  [[...explainX, "--layer", "logits"], 2, "layer", /can't be laid out in space/, /inspect/],
  [[...explainX, "--method", "gradcam+"], 2, "unknown-name", /unknown method "gradcam\+"/, /grad-cam/],
  [[...explainX, "--method", "cam", "--layer", "stem"], 2, "method", /./, /./],
  [[...explainX, "--target", "red disk"], 2, "unknown-name", /unknown class "red disk"/, /Did you mean "red disc"/],
  [[...explainX, "--target", "8"], 2, "target", /class 8 does not exist/, /0 to 7/],
  [[...explainX, "--target", "-1"], 2, "target", /negative/, /A target is/],
  [[...explainX, "--target", "1,,2"], 2, "target", /empty part/, /A target is/],
  [[...explainX, "--target", ""], 2, "target", /empty/, /A target is/],
  [[...explainX, "--target", "out[x]"], 2, "target", /whole numbers/, /A target is/],
  [[...explainX, "--target", "out[9]"], 2, "target", /8 entries/, /from 0/],
  [[...explainX, "--target", "out[0,1,2]"], 2, "target", /3 indices/, /Give 2/],
  [[...explainX, "--target", "nothing[0]"], 2, "target", /no output "nothing"/, /logits/],
  [[...explainX, "--target", "mask:$/nosuch.npy"], 1, "file", /no such file/, /path/],
  [[...explainX, "--input", "img"], 2, "unknown-name", /unknown input "img"/, /image/],
  [[...explainX, "--output", "logit"], 2, "unknown-name", /unknown output "logit"/, /Did you mean "logits"/],
  [["gradient", "scenes", "$/x.npy", "--target", "0,1", "--out", "$/g.npy"], 2, "usage", /one target/, /once per/],
  [["gradient", "scenes", "$/scene.png", "--target", "0", "--out", "$/g.npy"], 2, "usage", /one \.npy/, /./],
  [
    ["gradient", "scenes", "$/x.npy", "--target", "0", "--wrt", "featurs", "--out", "$/g.npy"],
    2,
    "unknown-name",
    /unknown tensor "featurs"/,
    /Did you mean "features"/,
  ],
  // Where it runs
  [[...explainX, "--device", "gpu"], 2, "unknown-name", /unknown device "gpu"/, /cuda/],
  [[...explainX, "--device", process.platform === "win32" ? "coreml" : "dml"], 3, "device", /no \w+ provider/, /needs/],
  [
    ["bench", "scenes", "--device", process.platform === "win32" ? "coreml" : "dml"],
    3,
    "device",
    /no \w+ provider/,
    /needs/,
  ],
  // The command line itself
  [["explian", "scenes"], 2, "unknown-name", /unknown command "explian"/, /Did you mean "explain"/],
  [[], 2, "usage", /no command/, /--help/],
  [["--frob", "inspect"], 2, "usage", /unknown option "--frob"/, /--help/],
  [["inspect"], 2, "usage", /missing required argument "MODEL"/, /camkit inspect --help/],
  [["explain", "scenes"], 2, "usage", /missing required argument "INPUT"/, /camkit explain --help/],
  [["inspect", "scenes", "more"], 2, "usage", /too many arguments/, /--help/],
  [["gradient", "scenes", "$/x.npy", "--out", "$/g.npy"], 2, "usage", /--target/, /--help/],
  [[...explainX, "--methd", "cam"], 2, "usage", /unknown option "--methd"/, /--method/],
  [[...explainX, "--view", "sideways"], 2, "usage", /"sideways" is none of overlay/, /./],
  [[...explainX, "--threads", "0"], 2, "usage", /whole number from 1/, /^/],
  [[...explainX, "--threads", "two"], 2, "usage", /whole number from 1/, /^/],
  [["models", "path", "nothing"], 2, "unknown-name", /unknown model "nothing"/, /scenes/],
  [["models", "path"], 2, "usage", /wants a NAME/, /./],
  [["models", "lst"], 2, "usage", /neither list nor path/, /--help/],
];

describe.each(cases)("camkit %j", (words, exit, code, message, hint) => {
  const argv = words.map((word) => word.replace("$", at()));

  test("as text: the message and the hint on stderr, nothing on stdout", async () => {
    const said = await camkit(argv);
    expect(said).toMatchObject({ code: exit, stdout: "" });
    expect(said.stderr).toMatch(message);
    expect(said.stderr).toMatch(/^camkit: /m);
    expect(said.stderr).not.toMatch(/ at .*\.[jt]s:\d/);
  });

  test("as --json: one document with code, message and hint", async () => {
    const said = await camkit([...argv, "--json"]);
    const { error } = said.json();
    expect(said.code).toBe(exit);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.hint ?? "").toMatch(hint);
  });
});

test("errors carry their own fields", async () => {
  const { error } = (await camkit(["inspect", "scnes", "--json"])).json();
  expect(error).toMatchObject({ kind: "model", given: "scnes" });
});

test("a stack only with --debug", async () => {
  const { stderr } = await camkit(["inspect", at("text.onnx"), "--debug"]);
  expect(stderr).toMatch(/ at .*\.[jt]s:\d/);
  const { error } = (await camkit(["inspect", at("text.onnx"), "--debug", "--json"])).json();
  expect(error.stack).toMatch(/ at .*\.[jt]s:\d/);
});

test("a file flipped anywhere in its first 2000 bytes runs or is refused by name", async () => {
  const model = readFileSync(scenesModel);
  for (let i = 0; i < 40; i++) {
    const flipped = Buffer.from(model);
    flipped[i * 50] = flipped[i * 50]! ^ 0x55;
    writeFileSync(at("flipped.onnx"), flipped);
    const said = await camkit(["inspect", at("flipped.onnx"), "--json"]);
    expect(said.json().error?.code, `byte ${i * 50}`).not.toBe("unexpected");
  }
});
