import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { version } from "../src/version.ts";
import { workspace, writeScene } from "./support.ts";

const at = workspace();
const program = join(import.meta.dirname, "../dist/main.js");
const camkit = (...argv: string[]) => spawnSync(process.execPath, [program, ...argv], { encoding: "utf8" });

test("the built program: text, one JSON document, exit codes", () => {
  expect(camkit("--version")).toMatchObject({ status: 0, stderr: "" });
  const inspected = camkit("inspect", "scenes", "--json");
  expect(inspected).toMatchObject({ status: 0, stderr: "" });
  expect(JSON.parse(inspected.stdout).model.name).toBe("scenes");
  expect(camkit("inspect", "scnes").status).toBe(2);
  expect(camkit("inspect", "nosuch.onnx").status).toBe(1);
  expect(camkit("explain", "scenes", program, "--device", "dml").status).toBe(process.platform === "win32" ? 1 : 3);
});

test("doctor names what is here, and what each missing device needs", () => {
  const said = camkit("doctor", "--json");
  expect(said).toMatchObject({ status: 0, stderr: "" });
  const found = JSON.parse(said.stdout);
  expect(found).toMatchObject({ camkit: version, node: process.versions.node, problems: [] });
  expect(found.onnxruntime).toMatch(/^\d+\.\d+/);
  expect(found.sharp.pictureFormats).toEqual(expect.arrayContaining(["jpeg", "png", "webp"]));
  expect(found.devices).toContainEqual({ name: "cpu", available: true });
  expect(found.tools).toContainEqual(expect.objectContaining({ name: "dcmjs-dimse", available: true }));
  for (const device of found.devices) if (!device.available) expect(device.needs, device.name).toMatch(/./);
  expect(camkit("doctor").stdout).toMatch(/^ +cpu +yes$/m);
  expect(camkit("doctor").stdout).toMatch(/^ +dcmjs-dimse +yes +camkit ct --dimse/m);
});

test.skipIf(process.platform === "win32")("Ctrl-C: exit 130, what is done is written, no half file", async () => {
  await writeScene(at("scene.png"), 1);
  mkdirSync(at("in"));
  for (let i = 0; i < 400; i++) copyFileSync(at("scene.png"), at("in", `${String(i).padStart(3, "0")}.png`));
  const child = spawn(process.execPath, [program, "explain", "scenes", at("in"), "--out", at("out"), "--json"]);
  let stdout = "";
  child.stdout.on("data", (text) => (stdout += text));
  const isWriting = setInterval(() => {
    try {
      if (readdirSync(at("out")).length <= 4) return;
      clearInterval(isWriting); // a second one would mean: at once
      child.kill("SIGINT");
    } catch {} // not there yet
  }, 20);
  const status = await new Promise((resolve) => child.on("close", resolve));
  clearInterval(isWriting);
  expect(status).toBe(130);
  const document = JSON.parse(stdout);
  expect(document.interrupted).toBe(true);
  expect(document.inputs.length).toBeGreaterThan(1);
  expect(document.inputs.length + document.notDone).toBe(400);
  expect(readdirSync(at("out")).sort()).toEqual([...document.files].sort());
  expect(JSON.parse(readFileSync(at("out/result.json"), "utf8")).interrupted).toBe(true);
});
