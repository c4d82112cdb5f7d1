import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSite, ortWeb, type Site } from "../../../testing/chromium.ts";
import { withoutPeers } from "../../../testing/peers.ts";
import { writeModel } from "../src/model/write.ts";
import { tinyModel } from "../src/testing/tiny-models.ts";

/** The harness itself: every other suite in a browser stands on it. */
describe.skipIf(withoutPeers("chromium"))("onnxruntime-web in headless Chromium", () => {
  let site: Site;
  beforeAll(async () => {
    const { model } = writeModel(tinyModel({ x: ["n", 3] }, (op, { x }) => ({ y: op.mul(x!, x!) })).graph);
    site = await openSite({ ...ortWeb, "/model.onnx": { content: model } });
  }, 60_000);
  afterAll(() => site?.close());

  test("a page runs a model that the site serves", async () => {
    const y = await site.run<Float32Array>(
      `import * as ort from "/ort/ort.wasm.min.mjs";
       export default async (x) => {
         const session = await ort.InferenceSession.create("/model.onnx");
         return (await session.run({ x: new ort.Tensor("float32", x, [1, x.length]) })).y.data;
       }`,
      [1, 2, -3],
    );
    expect(y).toEqual(Float32Array.of(1, 4, 9));
  });

  test("pages may use threads", async () => {
    expect(await site.run("export default () => crossOriginIsolated;")).toBe(true);
  });

  test("what a module throws is thrown here, with what the console said", async () => {
    await expect(
      site.run(`export default () => { console.error("before that"); throw new TypeError("no such thing"); };`),
    ).rejects.toThrow(/TypeError: no such thing.*before that/s);
    await expect(site.run(`import "/nowhere.mjs"; export default () => 1;`)).rejects.toThrow(/404/);
  });
});
