import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { TensorProtoSchema } from "onnx-buf";
import { afterAll, describe, expect, test } from "vitest";
import type { Graph } from "../../graph/graph.ts";
import { dtypeToOnnx } from "../../model/dtypes.ts";
import { writeModel } from "../../model/write.ts";
import { bytesOf, float32, type Tensor, type TypedArray } from "../../tensor.ts";
import { tinyModel } from "../tiny-models.ts";
import { checkCase, isFailure } from "./check-case.ts";
import { findCases } from "./read.ts";

const root = mkdtempSync(join(tmpdir(), "camkit-cases-"));
afterAll(() => rmSync(root, { recursive: true }));

const x = float32([2, 2], [-1.5, 0.25, 0.5, 3]);

/** A case of one operator on x, as a release of the package keeps it. */
function store(version: string, name: string, graph: Graph, y: Tensor) {
  const folder = join(root, version, "onnx/backend/test/data/node", name);
  const set = join(folder, "test_data_set_0");
  mkdirSync(set, { recursive: true });
  writeFileSync(join(folder, "model.onnx"), writeModel(graph).model);
  for (const [file, tensor] of Object.entries({ input_0: x, output_0: y })) {
    const proto = create(TensorProtoSchema, {
      dims: tensor.shape.map(BigInt),
      dataType: dtypeToOnnx(tensor.dtype),
      rawData: new Uint8Array(bytesOf(tensor.data as TypedArray)),
    });
    writeFileSync(join(set, `${file}.pb`), toBinary(TensorProtoSchema, proto));
  }
}

function operator(opType: string, opset: number, attributes: Graph["nodes"][number]["attributes"] = {}): Graph {
  const { graph } = tinyModel({ x: [2, 2] }, () => ({}), { opset });
  const node = { opType, domain: "", name: opType, inputs: ["x"], outputs: ["y"], attributes };
  return { ...graph, nodes: [node], outputs: [{ name: "y", dtype: "float32", shape: [2, 2] }] };
}

const clipped = float32([2, 2], [-1, 0.25, 0.5, 1]);
const clip = () => operator("Clip", 9, { min: { type: "float", value: -1 }, max: { type: "float", value: 1 } });

describe("a case", () => {
  test("counts once however many releases have it, in the order of their numbers", () => {
    store("1.9.0", "test_clip", clip(), clipped);
    store("1.10.2", "test_clip", clip(), clipped);
    store("1.10.2", "test_clip_of_others", clip(), float32([2, 2], [0, 0, 0, 0]));
    const { cases, releases } = findCases(root);
    expect(cases.map(({ version, name }) => [version, name])).toEqual([
      ["1.9.0", "test_clip"],
      ["1.10.2", "test_clip_of_others"],
    ]);
    expect(releases).toEqual([
      { version: "1.9.0", cases: 1, first: 1 },
      { version: "1.10.2", cases: 2, first: 1 },
    ]);
  });

  const checked = (version: string, name: string) =>
    checkCase({ version, name, folder: join(root, version, "onnx/backend/test/data/node", name) });

  test("of an old opset gives the same bits, sizes and a gradient that finite differences confirm", async () => {
    const result = await checked("1.9.0", "test_clip");
    expect(result.outputs).toMatchObject({ outcome: "the same bits", stored: true });
    expect(result.shapes?.outcome).toBe("known");
    expect(result.gradient?.outcome).toBe("agrees in float64");
    expect(isFailure(result)).toBe(false);
  });

  test("whose stored outputs the runtime doesn't give is no failure of the upgrade", async () => {
    const result = await checked("1.10.2", "test_clip_of_others");
    expect(result.outputs).toMatchObject({ outcome: "the same bits", stored: false });
  });

  test("that neither can open says who refuses it", async () => {
    store("1.11.0", "test_old", operator("Relu", 6), clipped);
    store("1.11.0", "test_unknown", operator("Reluu", 20), clipped);
    expect((await checked("1.11.0", "test_old")).outputs).toMatchObject({
      outcome: "camkit refuses it",
      detail: expect.stringContaining("opset 6"),
    });
    expect((await checked("1.11.0", "test_unknown")).outputs.outcome).toBe("the runtime refuses it");
  });
});
