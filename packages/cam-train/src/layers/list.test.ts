import { expect, test } from "vitest";
import { z } from "zod";
import { createNetwork } from "../networks/create.ts";
import type { LayerList } from "./define-layer.ts";
import { layerList } from "./list.ts";

const built = (layers: LayerList, shape: readonly number[] = [3, 8, 8]) =>
  createNetwork({ name: "net", input: { name: "x", shape: ["n", ...shape] }, seed: 1, layers });

test("a word, a number and options are all layers", () => {
  const list: LayerList = [
    { conv: { filters: 4, kernel: 3, padding: "valid" } },
    "relu",
    { maxPool: 2 },
    "flatten",
    { dense: 5 },
    { dropout: 0.5 },
    { dense: { units: 1, bias: false } },
  ];
  expect(layerList.safeParse(list).success).toBe(true);
  const { outputs, initializers } = built(list);
  expect(outputs[0]!.shape).toEqual(["n", 1]);
  expect([...initializers].map(([name, { shape }]) => `${name} [${shape}]`)).toEqual([
    "conv.weight [4,3,3,3]",
    "conv.bias [4]",
    "dense.weight [5,36]",
    "dense.bias [5]",
    "dropout/constant []",
    "dense2.weight [1,5]",
  ]);
});

test("layers of layers have names of their own", () => {
  const main = [{ conv: { filters: 4, padding: "same", stride: 2 } }, "batchNorm"];
  const shortcut = [{ block: { name: "downsample", layers: [{ conv: { filters: 4, kernel: 1, stride: 2 } }] } }];
  const twice = { repeat: { name: "mix", times: 2, layers: [{ conv: { filters: 4, padding: 1 } }] } };
  const graph = built([{ residual: { name: "down", main, shortcut, after: ["relu"] } }, twice]);
  expect(graph.nodes.map(({ outputs }) => outputs[0])).toEqual([
    "down.conv",
    "down.batchNorm",
    "down.downsample",
    "down/Add",
    "down",
    "mix.0",
    "logits",
  ]);
  expect([...graph.initializers.keys()]).toContain("down.downsample.conv.weight");
  expect([...graph.initializers.keys()]).toContain("mix.1.conv.weight");
});

test.each<[string, LayerList, string]>([
  ["an unknown layer", ["relu", "swoosh"], 'layers[1]: there is no layer "swoosh"'],
  ["two in one", [{ relu: {}, conv: 3 }], "layers[0]: found"],
  ["an unknown option", [{ conv: { filters: 2, kernal: 3 } }], "layers[0].conv: "],
  ["an option of the wrong kind", [{ conv: { filters: 2, kernel: -1 } }], "layers[0].conv.kernel: "],
  [
    "a kernel larger than its input",
    ["relu", { conv: { filters: 2, kernel: 9 } }],
    "layers[1].conv.kernel: 9 × 9 doesn't fit into its input of 8 × 8 (padding valid)",
  ],
  ["a list inside a layer", [{ residual: [{ conv: { filters: 3 } }, "wat"] }], "layers[0].residual.main[1]: "],
  [
    "sums of unlike shapes",
    [{ residual: [{ conv: { filters: 3 } }] }],
    "layers[0].residual: its layers make [n, 3, 6, 6]",
  ],
  ["a dense layer on a picture", [{ dense: 3 }], "layers[0].dense: its input is [n, 3, 8, 8]"],
  ["groups that don't divide", [{ conv: { filters: 4, groups: 3 } }], "layers[0].conv.groups: 3 groups"],
  ["one name twice", [{ relu: { name: "a" } }, { tanh: { name: "a" } }], 'layers[1].tanh: two layers are called "a"'],
])("%s is refused with its place", (_, layers, message) => {
  expect(() => built(layers)).toThrow(message);
});

test("the schema of a list is there for editors", () => {
  const schema = JSON.stringify(z.toJSONSchema(layerList, { io: "input" }));
  for (const kind of ["conv", "batchNorm", "residual"]) expect(schema).toContain(`"${kind}"`);
});
