import type { Graph, Node } from "../graph/graph.ts";
import { contextOf, type Facts, inferGraph, type ShapeContext } from "../graph/infer.ts";
import type { Device } from "./ran-on.ts";

/** What a provider claims and cannot do: ONNX Runtime gives it the node, and a run fails or is wrong. */
export type ProviderFault = {
  readonly device: Device;
  readonly operators: readonly string[];
  /** Which of these nodes, in words. */
  readonly what: string;
  /** What happens there: loud or silent. */
  readonly happens: "throws" | "wrong values";
  /** The version of ONNX Runtime that it was last seen in. `test/gpu` notices where one is gone. */
  readonly seenIn: string;
  /** Whether a node is one of them; where the graph doesn't tell, it is. */
  readonly meets: (node: FaultContext) => boolean;
};

/** A node as shape inference sees it, and what is known of its first output. */
export type FaultContext = ShapeContext & { readonly made: readonly (number | string | null)[] | undefined };

/**
 * Seen with onnxruntime-node, channels first (`preferredLayout: "NCHW"`): every gradient rule's samples forward and backward, and
 * onnx's operator cases of 1.19 and 1.22, against the CPU. In its own default, channels last, WebGPU also gets some 2-D
 * convolutions wrong, which is why sessions never ask for that.
 */
export const providerFaults: readonly ProviderFault[] = [
  {
    device: "webgpu",
    operators: ["MaxPool"],
    what: "with Indices, or storage_order 1",
    happens: "throws",
    seenIn: "1.30.0",
    meets: ({ node, int }) => Boolean(node.outputs[1]) || int("storage_order", 0) === 1,
  },
  {
    device: "webgpu",
    operators: ["ConvTranspose"],
    what: "in three dimensions",
    happens: "throws",
    seenIn: "1.30.0",
    meets: ({ rank }) => (rank(1) ?? rank(0) ?? 5) > 4,
  },
  {
    device: "webgpu",
    operators: ["Conv"],
    what: "in three dimensions, in groups",
    happens: "throws",
    seenIn: "1.30.0",
    meets: ({ rank, int }) => int("group", 1) !== 1 && (rank(1) ?? rank(0) ?? 5) > 4,
  },
  {
    device: "webgpu",
    operators: ["Resize"],
    what: "with antialias",
    happens: "throws",
    seenIn: "1.30.0",
    meets: ({ int }) => int("antialias", 0) === 1,
  },
  {
    device: "webgpu",
    operators: ["Resize", "Upsample"],
    what: "linear or cubic, with four axes of which the second is resized (channels last)",
    happens: "wrong values",
    seenIn: "1.30.0",
    meets: ({ string, shape, rank, made }) =>
      /linear|cubic/.test(string("mode", "nearest")) && (rank(0) ?? 4) === 4 && !sameSize(shape(0)?.[1], made?.[1]),
  },
  {
    device: "webgpu",
    operators: ["BatchNormalization"],
    what: "in training",
    happens: "throws",
    seenIn: "1.30.0",
    meets: ({ int }) => int("training_mode", 0) === 1,
  },
  {
    device: "webgpu",
    operators: ["LayerNormalization", "RMSNormalization"],
    what: "with a scale or bias that is broadcast over the normalised axes",
    happens: "throws",
    seenIn: "1.30.0",
    meets: ({ shape, int, has }) => {
      const normalised = shape(0)?.slice(int("axis", -1));
      return [1, 2].some((input) => has(input) && !sameCount(normalised, shape(input)));
    },
  },
  {
    device: "webgpu",
    operators: ["ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum"],
    what: "over no axes (noop_with_empty_axes), which gives the input itself",
    happens: "wrong values",
    seenIn: "1.30.0",
    meets: ({ int, has, shape }) => int("noop_with_empty_axes", 0) === 1 && !(has(1) && Number(shape(1)?.[0]) > 0),
  },
  {
    device: "webgpu",
    operators: ["ReduceMax", "ReduceMin"],
    what: "of an empty tensor",
    happens: "throws",
    seenIn: "1.30.0",
    meets: ({ shape }) => shape(0)?.includes(0) ?? false,
  },
  {
    device: "webgpu",
    operators: ["Einsum"],
    what: "where an axis of size 1 stands for a larger one",
    happens: "wrong values",
    seenIn: "1.30.0",
    meets: ({ node, shape, string }) =>
      stretches(
        string("equation", ""),
        node.inputs.map((_, i) => shape(i)),
      ),
  },
  {
    device: "webgpu",
    operators: ["Einsum"],
    what: "with an ellipsis that is broadcast",
    happens: "throws",
    seenIn: "1.30.0",
    meets: ({ node, shape, string }) =>
      string("equation", "").includes("...") && node.inputs.some((_, i) => shape(i)?.join() !== shape(0)?.join()),
  },
  {
    device: "webgpu",
    operators: ["Pad"],
    what: "in mode wrap, with a negative pad",
    happens: "wrong values",
    seenIn: "1.30.0",
    meets: ({ string, integers }) =>
      string("mode", "constant") === "wrap" && (integers(1)?.some((pad) => pad < 0) ?? true),
  },
  {
    device: "webgpu",
    operators: ["Slice"],
    what: "with a negative step",
    happens: "wrong values",
    seenIn: "1.30.0",
    meets: ({ has, integers }) => has(4) && (integers(4)?.some((step) => step < 0) ?? true),
  },
];

type Size = number | string | null | undefined;

/** Whether two sizes are known to be the same. */
function sameSize(a: Size, b: Size): boolean {
  return a != null && a === b;
}

/** Whether two shapes are known to hold as many elements, or look alike but for sizes of one. */
function sameCount(a: readonly Size[] | undefined, b: readonly Size[] | undefined): boolean {
  const factors = (shape: readonly Size[]) => shape.filter((size) => size !== 1);
  if (!a || !b) return false;
  const [left, right] = [factors(a), factors(b)];
  return left.length === right.length && left.every((size, i) => sameSize(size, right[i]));
}

/** Whether a letter of an equation has different sizes, or ones that aren't known. */
function stretches(equation: string, shapes: readonly (readonly Size[] | undefined)[]): boolean {
  const terms = equation.replaceAll(" ", "").split("->")[0]!.split(",");
  const sizes = new Map<string, Size>();
  return terms.some((term, i) => {
    const shape = shapes[i];
    if (!shape) return true;
    const [head, tail] = term.split("...") as [string, string?];
    const named = [
      ...[...head].map((letter, at) => [letter, shape[at]] as const),
      ...[...(tail ?? "")].map((letter, at, all) => [letter, shape[shape.length - all.length + at]] as const),
    ];
    return named.some(([letter, size]) => {
      if (!sizes.has(letter)) sizes.set(letter, size);
      return size === null || sizes.get(letter) !== size;
    });
  });
}

/** A graph whose nodes with faults can be named, and those names, each with the fault. */
export type Pinned = { readonly graph: Graph; readonly pins: ReadonlyMap<string, ProviderFault> };

/** The nodes of a graph that a device would get wrong; those without a name of their own are given one. */
export function pinFaults(graph: Graph, device: Device): Pinned {
  const table = providerFaults.filter((fault) => fault.device === device);
  const pins = new Map<string, ProviderFault>();
  if (table.length === 0) return { graph, pins };
  return { graph: pinned(graph, table, pins, namesIn(graph)), pins };
}

function pinned(
  graph: Graph,
  table: readonly ProviderFault[],
  pins: Map<string, ProviderFault>,
  names: Map<string, number>,
  around?: Facts,
): Graph {
  const facts = inferGraph(graph, around);
  const nodes = graph.nodes.map((given) => {
    const node = withBranches(given, (branch) => pinned(branch, table, pins, names, facts));
    const fault = faultOf(node, table, facts);
    if (!fault) return node;
    const name = ownName(node, names);
    pins.set(name, fault);
    return name === node.name ? node : { ...node, name };
  });
  return { ...graph, nodes };
}

function faultOf(node: Node, table: readonly ProviderFault[], facts: Facts): ProviderFault | undefined {
  const entries = node.domain === "" ? table.filter(({ operators }) => operators.includes(node.opType)) : [];
  if (entries.length === 0) return undefined;
  const made = facts.types.get(node.outputs[0] ?? "")?.shape;
  const context = { ...contextOf(node, facts), made };
  return entries.find(({ meets }) => meets(context));
}

function withBranches(node: Node, change: (branch: Graph) => Graph): Node {
  const branches = Object.entries(node.attributes).flatMap(([key, attribute]) =>
    attribute.type === "graph" ? [[key, { ...attribute, value: change(attribute.value) }] as const] : [],
  );
  return branches.length === 0
    ? node
    : { ...node, attributes: { ...node.attributes, ...Object.fromEntries(branches) } };
}

/** The node's name where no other node has it, else a new one: the runtime pins by name. */
function ownName(node: Node, names: Map<string, number>): string {
  if (node.name !== "" && names.get(node.name) === 1) return node.name;
  let name = `camkit/pinned/${node.name || node.opType}`;
  while (names.has(name)) name += "_";
  names.set(name, 1);
  return name;
}

function namesIn(graph: Graph, names = new Map<string, number>()): Map<string, number> {
  for (const node of graph.nodes) {
    names.set(node.name, (names.get(node.name) ?? 0) + 1);
    for (const attribute of Object.values(node.attributes))
      if (attribute.type === "graph") namesIn(attribute.value, names);
  }
  return names;
}

/** How WebGPU is asked for, in Node and in a page: channels first, and what it gets wrong on the CPU. */
export function webGpuOptions(pins: Pinned["pins"]) {
  const forceCpuNodeNames = [...pins.keys()];
  return {
    name: "webgpu" as const,
    preferredLayout: "NCHW" as const,
    ...(forceCpuNodeNames.length === 0 ? {} : { forceCpuNodeNames }),
  };
}

/** Why a node was kept on the CPU, for people. */
export function faultText({ device, operators, what, happens, seenIn }: ProviderFault): string {
  return `${device} ${happens === "throws" ? "fails on" : "computes wrong values for"} ${operators.join(", ")} ${what} (ONNX Runtime ${seenIn})`;
}
