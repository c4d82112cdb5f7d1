import { expect, test, vi } from "vitest";
import { float32 } from "../tensor.ts";
import { tinyModel } from "../testing/tiny-models.ts";
import { using } from "./runtime.ts";
import { openSession } from "./session.ts";

/** A provider that doesn't open, on any machine, and what ONNX Runtime says of one whose driver isn't there. */
const broken = vi.hoisted(() => ({ device: "cuda", said: "/src/context.cc:136 made() ok was false. No adapter\n" }));

vi.mock("./providers.ts", async (original) => ({
  ...(await original<typeof import("./providers.ts")>()),
  candidates: (requested: string) => ({
    devices: requested === "auto" ? [broken.device, "cpu"] : [requested],
    passedOver: [{ device: "webgpu", tried: false, why: "left aside" }],
  }),
}));

vi.mock("onnxruntime-node", async (original) => {
  const ort = await original<typeof import("onnxruntime-node")>();
  const create = (model: Uint8Array, options: { executionProviders: unknown[] }) =>
    options.executionProviders.includes(broken.device)
      ? Promise.reject(new Error(broken.said))
      : ort.InferenceSession.create(model, options as never);
  return { ...ort, InferenceSession: { create } };
});

const { graph } = tinyModel({ x: ["n"] }, (op, { x }) => ({ y: op.mul(x!, 2) }));

test("what auto tried and couldn't open is named with the reason, and the next one runs", async () => {
  await using(openSession(graph, { device: "auto" }), async (session) => {
    expect([...(await session.run({ x: float32([1], [3]) })).y!.data]).toEqual([6]);
    expect(session.ranOn()).toMatchObject({ requested: "auto", device: "cpu" });
    expect(session.ranOn().passedOver).toEqual([
      { device: "webgpu", tried: false, why: "left aside" },
      { device: "cuda", tried: true, why: "the cuda provider could not be opened: No adapter" },
    ]);
  });
});

test("a device that was named never gives way to another", async () => {
  await expect(openSession(graph, { device: "cuda" })).rejects.toMatchObject({
    code: "device",
    message: "the cuda provider could not be opened: No adapter",
    hint: expect.stringMatching(/^cuda needs .*--device cpu/),
  });
});
