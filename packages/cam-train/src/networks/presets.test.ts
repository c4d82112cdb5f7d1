import { type Graph, sizeOf } from "@camkit/cam-core";
import { expect, test } from "vitest";
import { createNetwork } from "./create.ts";
import { presets } from "./index.ts";

const create = (network: string, options: object = {}): Graph => {
  const preset = presets.get(network)!;
  const input = { name: "x", shape: ["n", ...preset.sample] };
  return createNetwork({ name: network, input, seed: 1, layers: preset(options as never) });
};

/** What PyTorch counts: weights and biases, no statistics. */
const parameters = ({ initializers }: Graph) =>
  [...initializers].reduce((sum, [name, { shape }]) => sum + (/\.(weight|bias)$/.test(name) ? sizeOf(shape) : 0), 0);

// torchvision 0.28: sum(p.numel() for p in model.parameters()); names, shapes and outputs were compared with its models' own.
test.each<[string, object, number]>([
  ["resnet", {}, 11_689_512],
  ["resnet", { depth: 34 }, 21_797_672],
  ["mobilenetV2", {}, 3_504_872],
  ["mobilenetV2", { width: 0.35 }, 1_677_128],
  ["r3d18", {}, 33_371_472],
  // By hand: 16·48 + 32·256 + 32·288 + 48·512 + 48·432 + 64·48 of the convolutions, 2·240 of the norms, 64·8 + 8 of the head.
  ["scenes", {}, 67_560],
])("%s %o has as many parameters as the original", (network, options, count) => {
  expect(parameters(create(network, options))).toBe(count);
});

test("names are torchvision's", () => {
  const names = new Set(create("resnet").initializers.keys());
  for (const name of [
    "conv1.weight",
    "bn1.running_mean",
    "layer1.0.bn2.bias",
    "layer4.0.downsample.1.running_var",
    "fc.bias",
  ])
    expect(names).toContain(name);
  const mobile = new Set(create("mobilenetV2").initializers.keys());
  for (const name of ["features.0.1.weight", "features.1.conv.1.weight", "features.18.0.weight", "classifier.1.bias"])
    expect(mobile).toContain(name);
  const values = new Set(create("r3d18").nodes.flatMap(({ outputs }) => outputs));
  for (const name of ["stem", "layer1.0.conv1", "layer4.0", "layer4"]) expect(values).toContain(name);
});

test("a small residual network for small pictures", () => {
  const preset = presets.get("resnet")!;
  const layers = preset({ stem: "cifar", width: 16, outputs: 10 } as never);
  const graph = createNetwork({ name: "small", input: { name: "x", shape: ["n", 3, 32, 32] }, seed: 1, layers });
  // Stages of 32, 16, 8 and 4 positions a side.
  expect(graph.nodes.filter(({ opType }) => opType === "MaxPool")).toEqual([]);
  expect(graph.outputs[0]!.shape).toEqual(["n", 10]);
});

test("options that don't fit are refused with their place", () => {
  expect(() => presets.get("resnet")!({ depth: 19 } as never)).toThrow("resnet.depth: ");
  expect(() => presets.get("cifake")!({ padding: "full" } as never)).toThrow("cifake.padding: ");
});
