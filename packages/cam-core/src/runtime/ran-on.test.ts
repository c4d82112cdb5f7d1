import { expect, test } from "vitest";
import { type RanNode, ranOnOf, ranOnText, ranOnWarnings } from "./ran-on.ts";

const opened = { requested: "webgpu", device: "webgpu", passedOver: [] } as const;
const node = (name: string, operator: string, device: RanNode["device"]): RanNode => ({ name, operator, device });

test("nodes are counted by device, copies apart; what the CPU ran is named with the reason", () => {
  const ran = [
    node("conv", "Conv", "webgpu"),
    node("down", "MemcpyToHost", "webgpu"),
    node("pool", "MaxPool", "cpu"),
    node("other", "MaxPool", "cpu"),
    node("shape", "Shape", "cpu"),
    node("up", "MemcpyFromHost", "webgpu"),
    node("relu", "Relu", "webgpu"),
  ];
  const pinned = new Map(["pool", "other"].map((name) => [name, "it fails"]));
  const ranOn = ranOnOf(opened, ran, pinned);
  expect(ranOn).toMatchObject({ ...opened, nodes: { webgpu: 2, cpu: 3 }, copies: 2 });
  expect(ranOn.onCpu).toEqual([
    { operator: "MaxPool", nodes: ["pool", "other"], why: "it fails" },
    { operator: "Shape", nodes: ["shape"], why: expect.stringContaining("no kernel") },
  ]);
  expect(ranOnText(ranOn)).toBe("webgpu: 2 of 5 nodes, 3 on the CPU, 2 copies between them");
});

test("of a run on the CPU nothing is amiss", () => {
  const ranOn = ranOnOf({ ...opened, requested: "cpu", device: "cpu" }, [node("relu", "Relu", "cpu")], new Map());
  expect(ranOn).toMatchObject({ nodes: { cpu: 1 }, copies: 0, onCpu: [] });
  expect(ranOnText(ranOn)).toBe("cpu");
});

test("what was tried and failed is a warning, what was left aside is none", () => {
  const passedOver = [
    { device: "cuda", tried: true, why: "no driver" },
    { device: "webgpu", tried: false, why: "it compiles for seconds" },
  ] as const;
  const ranOn = ranOnOf({ requested: "auto", device: "cpu", passedOver }, [], new Map());
  expect(ranOnWarnings(ranOn)).toEqual(["cpu ran: cuda was tried and failed: no driver"]);
});
