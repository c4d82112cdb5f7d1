import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRng } from "@camkit/cam-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePhotos } from "../src/config/test-photos.ts";
import { readSafetensors } from "../src/loop/safetensors.ts";
import { readLog, timeFields } from "../src/report/log.ts";

const wantedKills = 20;

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);

/** Everything that a run remembers is in it: batch norm, dropout, augmentation, an average, momentum, a best epoch. */
const config = `
network:
  input: [3, 16, 16]
  layers:
    - { conv: { filters: 16, kernel: 3, padding: same, bias: false } }
    - batchNorm
    - relu
    - { maxPool: 2 }
    - { conv: { filters: 16, kernel: 3, padding: same } }
    - relu
    - globalAveragePool
    - { dropout: 0.2 }
    - { dense: 2 }
data: { train: photos, validation: { fraction: 0.2 } }
augment: [{ kind: flip }, { kind: crop, padding: 2 }]
batch: 8
accumulate: 2
epochs: 12
rate: 0.003
averaging: 0.9
clip: 1
threads: 1
workers: 0
monitor: accuracy
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "camkit-kill-"));
  await writePhotos(at("photos"), 60, 5, 110, 25);
  await writeFile(at("small.yaml"), config);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/**
 * Starts the training, or goes on with it, and kills it after some milliseconds: counted from its start, or from its first step
 * on. Tells whether it was still alive.
 */
async function live(out: string, kill?: { after: number; from: "start" | "step" }): Promise<"killed" | "finished"> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "kill-run.mjs"), at("small.yaml"), out]);
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  const later = () => setTimeout(() => child.kill("SIGKILL"), kill!.after);
  if (kill?.from === "start") later();
  if (kill?.from === "step") child.stdout.once("data", later);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.on("close", (...ended) => resolve(ended)),
  );
  if (signal === "SIGKILL") return "killed";
  expect(`${code} ${said}`).toBe("0 ");
  return "finished";
}

const numbersOf = async (path: string) => {
  const file = await readFile(path);
  return file.subarray(8 + Number(file.readBigUInt64LE(0))).toString("hex");
};

const untimed = async (out: string) =>
  (await readLog(join(out, "log.jsonl"))).map((entry) => {
    const rest: Record<string, unknown> = { ...entry };
    for (const key of timeFields) delete rest[key];
    return rest;
  });

test(`killed ${wantedKills} times at any moment, runs end with the weights of one that wasn't`, async () => {
  // How long a run takes here: a busy machine gets its kills later.
  const started = performance.now();
  expect(await live(at("whole"))).toBe("finished");
  const whole = performance.now() - started;
  const rng = createRng(20);
  let kills = 0;
  let loaded = 0;
  for (let run = 0; kills < wantedKills; run++) {
    const out = at(`run-${run}`);
    for (let ended = ""; ended !== "finished"; ) {
      // Most while it steps, validates and saves; some while it opens data, compiles or reads the checkpoint.
      const from = rng.unit() < 0.2 ? "start" : "step";
      const kill = { after: rng.uniform(0, whole / 4), from } as const;
      ended = await live(out, kills < wantedKills ? kill : undefined);
      if (ended === "killed") kills++;
      for (const name of ["last.safetensors", "best.safetensors"])
        if (existsSync(join(out, name))) {
          expect(Object.keys((await readSafetensors(join(out, name))).tensors).length).toBeGreaterThan(0);
          loaded++;
        }
    }
    for (const name of ["last.safetensors", "best.safetensors"])
      expect(await numbersOf(join(out, name)), name).toBe(await numbersOf(at("whole", name)));
    expect((await readFile(join(out, "model.onnx"))).equals(await readFile(at("whole/model.onnx")))).toBe(true);
    expect(await untimed(out)).toEqual(await untimed(at("whole")));
  }
  expect(kills).toBe(wantedKills);
  expect(loaded).toBeGreaterThan(kills / 2);
}, 180_000);
