import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { camkit, readNpy, workspace, writeScene } from "./support.ts";

const device = process.env.CAMKIT_GPU ?? "";
const without = device === "";
if (without) console.warn("skipped: CAMKIT_GPU names no device (webgpu, cuda…); .ci/gpu runs this on SwiftShader");

const at = workspace();
beforeAll(() => writeScene(at("scene.png"), 1));

describe.skipIf(without)("a device that is asked for by name", () => {
  test("explain: the CPU's map, and which device ran how many nodes", async () => {
    const run = async (on: string) => {
      const argv = ["explain", "scenes", at("scene.png"), "--device", on, "--out", at(on), "--raw", at(`${on}.npy`)];
      const said = await camkit(argv);
      expect(said).toMatchObject({ code: 0, stderr: "" });
      const result = JSON.parse(readFileSync(at(on, "result.json"), "utf8"));
      return { said, result, raw: await readNpy(at(`${on}.npy`)) };
    };
    const [cpu, other] = [await run("cpu"), await run(device)];
    const values = (raw: { data: ArrayLike<unknown> }) => Array.from(raw.data as ArrayLike<number>);
    const largest = Math.max(...values(cpu.raw).map(Math.abs));
    values(other.raw).forEach((value, i) => {
      expect(Math.abs(value - values(cpu.raw)[i]!)).toBeLessThan(1e-3 * largest);
    });
    expect(cpu.result).toMatchObject({ provider: "cpu", ranOn: { device: "cpu", onCpu: [] } });
    expect(other.result).toMatchObject({ provider: device, ranOn: { requested: device, device, passedOver: [] } });
    const { nodes } = other.result.ranOn;
    expect(nodes[device]).toBeGreaterThan(20);
    expect(other.said.stdout).toContain(`${device}: ${nodes[device]} of ${nodes[device] + (nodes.cpu ?? 0)} nodes`);
  }, 120_000);

  test("bench: both measured there", async () => {
    const said = await camkit(["bench", "scenes", "--device", device, "--pairs", "2", "--json"]);
    expect(said).toMatchObject({ code: 0, stderr: "" });
    expect(said.json()).toMatchObject({ provider: device, ranOn: { requested: device, device } });
  }, 300_000);
});

test("auto says what it left aside and why; a device that isn't there is refused by name", async () => {
  const said = await camkit(["explain", "scenes", at("scene.png"), "--out", at("auto"), "--json"]);
  const { ranOn, provider } = said.json();
  expect(ranOn).toMatchObject({ requested: "auto", device: provider });
  if (process.platform === "linux" && process.arch === "x64")
    expect(ranOn.passedOver).toContainEqual({ device: "webgpu", tried: false, why: expect.stringMatching(/GPU/) });
  const missing = process.platform === "win32" ? "coreml" : "dml";
  const refused = await camkit(["explain", "scenes", at("scene.png"), "--device", missing, "--out", at("none")]);
  expect(refused.code).toBe(3);
  expect(existsSync(at("none"))).toBe(false);
});
