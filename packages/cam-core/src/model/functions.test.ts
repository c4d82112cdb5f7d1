import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as A,
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType as T,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { expect, test } from "vitest";
import { openBytes } from "../runtime/session.ts";
import { float32, numbersIn, type Tensor } from "../tensor.ts";
import { openModel } from "./model.ts";
import { writeModel } from "./write.ts";

type NodeInit = MessageInitShape<typeof NodeProtoSchema>;
const node = (opType: string, input: string[], output: string[], more: NodeInit = {}) =>
  create(NodeProtoSchema, { opType, input, output, ...more });
const ints = (name: string, value: number[]) =>
  create(AttributeProtoSchema, { name, type: A.INTS, ints: value.map(BigInt) });
const float = (name: string, f: number) => create(AttributeProtoSchema, { name, type: A.FLOAT, f });
const refers = (name: string, refAttrName: string, type: A) =>
  create(AttributeProtoSchema, { name, refAttrName, type });
const info = (name: string, shape: number[], elemType = T.FLOAT) =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType,
          shape: { dim: shape.map((d) => ({ value: { case: "dimValue" as const, value: BigInt(d) } })) },
        },
      },
    },
  });
const fn = (name: string, parts: MessageInitShape<typeof FunctionProtoSchema>) =>
  create(FunctionProtoSchema, {
    name,
    domain: "own",
    opsetImport: [
      { domain: "", version: 18n },
      { domain: "own", version: 1n },
    ],
    ...parts,
  });

function modelBytes(nodes: ReturnType<typeof node>[], functions: ReturnType<typeof fn>[]): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: 9n,
    opsetImport: [
      { domain: "", version: 18n },
      { domain: "own", version: 1n },
    ],
    graph: {
      name: "calls",
      input: [info("x", [2, 3]), info("choose", [], T.BOOL)],
      output: [info("y", [2, 3])],
      node: nodes,
    },
    functions,
  });
  return toBinary(ModelProtoSchema, model);
}

/** scale(a, optional b; slope) = leaky(a · slope) + b, with a leaky of its own, and both its argument and result passed on. */
const leaky = fn("leaky", {
  input: ["v"],
  output: ["w"],
  attribute: ["slope"],
  node: [node("LeakyRelu", ["v"], ["w"], { attribute: [refers("alpha", "slope", A.FLOAT)] })],
});
const twice = fn("twice", {
  input: ["a", "b"],
  output: ["sum", "kept"],
  attributeProto: [float("slope", 0.25)],
  node: [
    node("leaky", ["a"], ["low"], { domain: "own", attribute: [refers("slope", "slope", A.FLOAT)] }),
    node("Transpose", ["low"], ["turned"], { attribute: [ints("perm", [1, 0])] }),
    node("Transpose", ["turned"], ["back"]),
    node("Add", ["back", "b"], ["sum"]),
    node("Identity", ["a"], ["kept"]),
  ],
});
/** A branch that reads the function's own values. */
const either = fn("either", {
  input: ["c", "v"],
  output: ["out"],
  node: [
    node("Neg", ["v"], ["negative"]),
    node("If", ["c"], ["out"], {
      attribute: ["then_branch", "else_branch"].map((name, i) =>
        create(AttributeProtoSchema, {
          name,
          type: A.GRAPH,
          g: create(GraphProtoSchema, {
            name,
            output: [info("chosen", [2, 3])],
            node: [
              node(i === 0 ? "Exp" : "Abs", [i === 0 ? "negative" : "v"], ["inner"]),
              node("Identity", ["inner"], ["chosen"]),
            ],
          }),
        }),
      ),
    }),
  ],
});

const feeds = (choose: boolean): Record<string, Tensor> => ({
  x: float32([2, 3], [1, -2, 0.5, -0.25, 3, -1]),
  choose: { dtype: "bool", shape: [], data: Uint8Array.of(Number(choose)) },
});

async function outputOf(model: Uint8Array, choose: boolean): Promise<number[]> {
  const session = await openBytes({ model, externalData: [], folder: undefined });
  const { y } = await session.run(feeds(choose));
  await session.close();
  return numbersIn(y!);
}

test("calls are replaced by their functions' nodes, and the model computes what the runtime computes from the calls", async () => {
  const bytes = modelBytes(
    [
      node("twice", ["x", "x"], ["s", "same"], { domain: "own" }),
      node("twice", ["s", "same"], ["t", ""], { domain: "own", attribute: [float("slope", -0.5)] }),
      node("either", ["choose", "t"], ["y"], { domain: "own" }),
    ],
    [leaky, twice, either],
  );
  const { graph } = openModel(bytes);
  // Every node is of ONNX's own domain, which a file says by leaving it out.
  expect(new Set(graph.nodes.map((each) => each.domain))).toEqual(new Set([""]));
  expect(graph.nodes.flatMap((each) => each.outputs)).toContain("twice/back");
  expect(graph.nodes.flatMap((each) => each.outputs)).toContain("twice.2/back");
  for (const choose of [true, false])
    expect(await outputOf(writeModel(graph).model, choose)).toEqual(await outputOf(bytes, choose));
});

test("an argument that isn't given is absent inside, too", () => {
  const pooled = fn("clip", { input: ["v", "low"], output: ["w"], node: [node("Clip", ["v", "low"], ["w"])] });
  const { graph } = openModel(modelBytes([node("clip", ["x"], ["y"], { domain: "own" })], [pooled]));
  expect(graph.nodes[0]!.inputs).toEqual(["x"]);
});

test("a result that is an argument as it came gets a node of its own", () => {
  const same = fn("same", { input: ["v"], output: ["v"], node: [] });
  const { graph } = openModel(modelBytes([node("same", ["x"], ["y"], { domain: "own" })], [same]));
  expect(graph.nodes.map(({ opType, inputs, outputs }) => [opType, inputs, outputs])).toEqual([
    ["Identity", ["x"], ["y"]],
  ]);
});

test("a function that calls itself is refused, through others, too", () => {
  const ring = ["a", "b"].map((name, i) =>
    fn(name, { input: ["v"], output: ["w"], node: [node(["b", "a"][i]!, ["v"], ["w"], { domain: "own" })] }),
  );
  expect(() => openModel(modelBytes([node("a", ["x"], ["y"], { domain: "own" })], ring))).toThrow(/"a" calls itself/);
});

test("functions that double at each level are refused before they fill the memory", () => {
  const levels = Array.from({ length: 40 }, (_, i) =>
    fn(`f${i}`, {
      input: ["v"],
      output: ["w"],
      node:
        i === 39
          ? [node("Neg", ["v"], ["w"])]
          : [node(`f${i + 1}`, ["v"], ["m"], { domain: "own" }), node(`f${i + 1}`, ["m"], ["w"], { domain: "own" })],
    }),
  );
  expect(() => openModel(modelBytes([node("f0", ["x"], ["y"], { domain: "own" })], levels))).toThrow(
    /more than 100000 nodes/,
  );
});
