import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  decodeNpy,
  drawScene,
  encodeNpy,
  encodePicture,
  float32,
  readBytes,
  type Scene,
  type Tensor,
  writeAtomic,
} from "@camkit/cam-core";
import { afterAll } from "vitest";
import { main } from "../src/cli.ts";
import { shippedModel } from "../src/shipped.ts";

/** Runs a command line in this process and gives what it said. */
export async function camkit(argv: readonly string[], signal: AbortSignal = new AbortController().signal) {
  let [stdout, stderr] = ["", ""];
  const code = await main(argv, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    signal,
    env: {},
  });
  return {
    code,
    stdout,
    stderr,
    /** The one JSON document on stdout; fails the test when there is anything else. */
    json: () => JSON.parse(stdout),
  };
}

/** A signal that fires when it has been looked at `times` times. */
export function abortAfter(times: number): AbortSignal {
  const { signal } = new AbortController();
  let looks = 0;
  return Object.defineProperty(signal, "aborted", { get: () => ++looks > times });
}

/** A folder for one test file, removed after it. */
export function workspace(): (...parts: string[]) => string {
  const folder = mkdtempSync(join(tmpdir(), "camkit-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (...parts) => join(folder, ...parts);
}

export const scenesModel = shippedModel("scenes").path;

/** A scene as a PNG. */
export async function writeScene(
  file: string,
  seed: number,
  options: Parameters<typeof drawScene>[1] = {},
): Promise<Scene> {
  const scene = drawScene(seed, options);
  await writeAtomic(file, await encodePicture({ width: scene.width, height: scene.height, rgb: scene.image }));
  return scene;
}

/** Scenes as the tensor that the shipped model takes: [N, 3, 96, 96], pixels to −1 … 1. */
export function sceneTensor(...seeds: readonly number[]): Tensor {
  const plane = 96 * 96;
  const data = new Float32Array(seeds.length * 3 * plane);
  for (const [n, seed] of seeds.entries()) {
    const { image } = drawScene(seed);
    for (let at = 0; at < plane; at++)
      for (let c = 0; c < 3; c++) data[(n * 3 + c) * plane + at] = (image[at * 3 + c]! / 255) * 2 - 1;
  }
  return float32([seeds.length, 3, 96, 96], data);
}

export async function writeNpy(file: string, tensor: Tensor): Promise<string> {
  await writeAtomic(file, encodeNpy(tensor));
  return file;
}

export async function readNpy(file: string): Promise<Tensor> {
  return decodeNpy(await readBytes(file), file);
}
