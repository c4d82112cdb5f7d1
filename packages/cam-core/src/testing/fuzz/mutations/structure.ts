import { clone } from "@bufbuild/protobuf";
import { NodeProtoSchema } from "onnx-buf";
import { graphsOf, hostileNames, type Mutations, nodesOf, pick, valuesOf } from "./mutation.ts";

/** An operator's name where another belongs: real ones of other shapes, and words that JavaScript objects know. */
const otherOperators: readonly string[] = (
  "Conv ConvTranspose MaxPool AveragePool GlobalAveragePool Gemm MatMul Einsum Softmax LayerNormalization GroupNormalization " +
  "BatchNormalization InstanceNormalization Relu PRelu Clip Add Div Where Concat Split Slice Pad Gather GatherND ScatterND " +
  "ScatterElements Reshape Transpose Flatten Squeeze Unsqueeze Expand Tile Resize Upsample GridSample DepthToSpace SpaceToDepth " +
  "ReduceMean ReduceMax ReduceProd ArgMax TopK CumSum OneHot Range ConstantOfShape Shape Size NonZero Cast If Loop Scan LSTM GRU " +
  "RNN Attention SequenceAt SequenceConstruct ConcatFromSequence SplitToSequence Optional QuantizeLinear DequantizeLinear " +
  "DynamicQuantizeLinear QLinearConv MatMulInteger NonMaxSuppression RoiAlign Col2Im DeformConv MaxUnpool Trilu Dropout Constant " +
  "Identity LpPool LRN MeanVarianceNormalization Gelu Mish RotaryEmbedding Hardmax BitShift Mod StringNormalizer EyeLike Bernoulli"
).split(" ");

/** What holds between nodes and values: order, names, counts. */
export const structure: Mutations = {
  cycle: (victim, random) => {
    const nodes = victim.model.graph?.node ?? [];
    const at = random.int(nodes.length || 1);
    const [node, later] = [nodes[at], pick(random, nodes.slice(at))];
    if (!node || !later || node.input.length === 0) return false;
    node.input[random.int(node.input.length)] = later.output[0] ?? "";
    return true;
  },
  duplicateName: (victim, random) => {
    const node = pick(random, nodesOf(victim));
    const name = pick(random, valuesOf(victim));
    if (!node || name === undefined || node.output.length === 0) return false;
    node.output[random.int(node.output.length)] = name;
    return true;
  },
  danglingRead: (victim, random) => {
    const node = pick(random, nodesOf(victim));
    if (!node || node.input.length === 0) return false;
    node.input[random.int(node.input.length)] = "nothing makes this";
    return true;
  },
  danglingOutput: (victim, random) => {
    const info = pick(random, pick(random, graphsOf(victim))?.output ?? []);
    if (info) info.name = "nothing makes this";
    return info !== undefined;
  },
  absentInput: (victim, random) => {
    const node = pick(random, nodesOf(victim));
    if (!node || node.input.length === 0) return false;
    node.input[random.int(node.input.length)] = "";
    return true;
  },
  absentOutput: (victim, random) => {
    const node = pick(random, nodesOf(victim));
    if (!node || node.output.length === 0) return false;
    node.output[random.int(node.output.length)] = "";
    return true;
  },
  fewerInputs: (victim, random) => {
    const node = pick(random, nodesOf(victim));
    if (!node || node.input.length === 0) return false;
    node.input = node.input.slice(0, random.int(node.input.length));
    return true;
  },
  moreInputs: (victim, random) => {
    const node = pick(random, nodesOf(victim));
    const names = valuesOf(victim);
    for (let i = 0; i <= random.int(9); i++) node?.input.push(pick(random, names) ?? "");
    return node !== undefined;
  },
  otherInput: (victim, random) => {
    const node = pick(random, nodesOf(victim));
    if (!node || node.input.length === 0) return false;
    node.input[random.int(node.input.length)] = pick(random, valuesOf(victim)) ?? "";
    return true;
  },
  swappedInputs: (victim, random) => {
    const node = pick(
      random,
      nodesOf(victim).filter((each) => each.input.length > 1),
    );
    node?.input.reverse();
    return node !== undefined;
  },
  outputCount: (victim, random) => {
    const node = pick(random, nodesOf(victim));
    if (!node) return false;
    if (random.int(2) === 0) node.output = [];
    else for (let i = 0; i <= random.int(5); i++) node.output.push(`more ${i}`);
    return true;
  },
  withoutNode: (victim, random) => {
    const graph = pick(random, graphsOf(victim));
    if (!graph || graph.node.length === 0) return false;
    graph.node.splice(random.int(graph.node.length), 1);
    return true;
  },
  twice: (victim, random) => {
    const graph = pick(random, graphsOf(victim));
    const node = pick(random, graph?.node ?? []);
    if (node) graph!.node.push(clone(NodeProtoSchema, node));
    return node !== undefined;
  },
  disorder: (victim) => {
    victim.model.graph?.node.reverse();
    return true;
  },
  withoutList: (victim, random) => {
    const graph = pick(random, graphsOf(victim));
    if (!graph) return false;
    const lists = ["node", "input", "output", "initializer"] as const;
    graph[lists[random.int(lists.length)]!] = [];
    return true;
  },
  operator: (victim, random) => {
    const node = pick(random, nodesOf(victim));
    if (node) node.opType = pick(random, random.int(4) === 0 ? hostileNames : otherOperators)!;
    return node !== undefined;
  },
  domain: (victim, random) => {
    const node = pick(random, nodesOf(victim));
    if (node)
      node.domain = pick(random, ["com.microsoft", "ai.onnx", "ai.onnx.ml", "fuzz.local", "__proto__", "nowhere"])!;
    return node !== undefined;
  },
  nodeName: (victim, random) => {
    const node = pick(random, nodesOf(victim));
    if (node) node.name = pick(random, hostileNames)!;
    return node !== undefined;
  },
  /** One value under another name, wherever it stands: the graph is as sound as before, but for the name. */
  renamed: (victim, random) => {
    const [from, to] = [pick(random, valuesOf(victim)), pick(random, hostileNames)!];
    if (from === undefined) return false;
    const changed = (name: string) => (name === from ? to : name);
    for (const graph of graphsOf(victim)) {
      for (const info of [...graph.input, ...graph.output, ...graph.valueInfo, ...graph.initializer])
        info.name = changed(info.name);
      for (const node of graph.node) {
        node.input = node.input.map(changed);
        node.output = node.output.map(changed);
      }
    }
    return true;
  },
};
