import { clone, create } from "@bufbuild/protobuf";
import { type FunctionProto, FunctionProtoSchema, type GraphProto, OperatorSetIdProtoSchema } from "onnx-buf";
import { bool, int64 } from "../../../tensor.ts";
import type { Rng } from "../../rng.ts";
import { graphProto, nodeProto, tensorProto, valueProto } from "../protos.ts";
import { type Mutations, nodesOf, pick, type Victim } from "./mutation.ts";

/** Puts nodes between one value of the outermost graph and everybody who reads it. Returns false where there is none. */
export function spliceIn(
  victim: Victim,
  random: Rng,
  make: (from: string, to: string) => Parameters<GraphProto["node"]["push"]>,
) {
  const graph = victim.model.graph;
  const node = pick(random, graph?.node.filter((each) => (each.output[0] ?? "") !== "") ?? []);
  if (!graph || !node) return false;
  const from = node.output[0]!;
  const to = `${from}/spliced`;
  for (const reader of graph.node) reader.input = reader.input.map((name) => (name === from ? to : name));
  graph.node.splice(graph.node.indexOf(node) + 1, 0, ...make(from, to));
  return true;
}

function constants(victim: Victim): void {
  const graph = victim.model.graph;
  if (!graph || graph.initializer.some((tensor) => tensor.name === "fuzz/true")) return;
  graph.initializer.push(
    tensorProto("fuzz/true", bool([], [true])),
    tensorProto("fuzz/many", int64([], [2n ** 40n])),
    tensorProto("fuzz/negative", int64([], [-(2n ** 40n)])),
  );
}

/** Branches inside branches, `depth` of them, the innermost of which passes a value on. */
function nested(depth: number, from: string, to: string, both: boolean) {
  let body: GraphProto | undefined;
  for (let level = depth; level >= 0; level--) {
    const name = level === 0 ? to : `${to}/${level}`;
    const node = body
      ? nodeProto("If", ["fuzz/true"], [name], {
          then_branch: body,
          else_branch:
            both && level < 6
              ? body
              : graphProto({
                  output: [valueProto(`${name}/else`, "float32")],
                  node: [nodeProto("Neg", [from], [`${name}/else`])],
                }),
        })
      : nodeProto("Identity", [from], [name]);
    if (level === 0) return node;
    body = graphProto({ output: [valueProto(name, "float32")], node: [node] });
  }
  throw new Error("unreachable");
}

/** A loop around one value. */
function loop(trips: string, from: string, to: string, goOn: "passed" | "constant" | "computed") {
  const condition = {
    passed: nodeProto("Identity", ["go"], ["goOn"]),
    constant: nodeProto("Identity", ["fuzz/true"], ["goOn"]),
    computed: nodeProto("And", ["go", "fuzz/true"], ["goOn"]),
  };
  const body = graphProto({
    input: [valueProto("i", "int64", []), valueProto("go", "bool", []), valueProto("state", "float32")],
    output: [valueProto("goOn", "bool", []), valueProto("next", "float32")],
    node: [condition[goOn], nodeProto("Abs", ["state"], ["next"])],
  });
  return nodeProto("Loop", [trips, "fuzz/true", from], [to], { body });
}

function aFunction(victim: Victim, random: Rng): FunctionProto | undefined {
  return pick(random, victim.model.functions);
}

/** Sub-graphs and functions: depth, what they capture, recursion, loops that don't end. */
export const subgraphs: Mutations = {
  deeplyNested: (victim, random) => {
    constants(victim);
    const depth = pick(random, [3, 20, 29, 30, 31, 32, 33, 40, 200])!;
    return spliceIn(victim, random, (from, to) => [nested(depth, from, to, random.int(3) === 0)]);
  },
  unknownCapture: (victim, random) => {
    constants(victim);
    return spliceIn(victim, random, (_, to) => [nested(1 + random.int(4), "captured from nowhere", to, false)]);
  },
  endlessLoop: (victim, random) => {
    constants(victim);
    const trips = pick(random, ["fuzz/many", ""])!;
    const goOn = pick(random, ["passed", "constant"] as const)!;
    return spliceIn(victim, random, (from, to) => [loop(trips, from, to, goOn)]);
  },
  noTrips: (victim, random) => {
    constants(victim);
    return spliceIn(victim, random, (from, to) => [loop("fuzz/negative", from, to, "computed")]);
  },
  withoutBranch: (victim, random) => {
    constants(victim);
    return spliceIn(victim, random, (from, to) => {
      const node = nested(1 + random.int(2), from, to, false);
      node.attribute.splice(random.int(node.attribute.length), 1);
      return [node];
    });
  },
  /** A body that takes and gives other values than its loop. */
  lyingBody: (victim, random) => {
    constants(victim);
    return spliceIn(victim, random, (from, to) => {
      const node = loop("fuzz/negative", from, to, "passed");
      const body = node.attribute[0]!.g!;
      const way = random.int(3);
      if (way === 0) body.input.splice(random.int(3), 1);
      else if (way === 1) body.output.splice(random.int(2), 1);
      else body.output.push(valueProto("next", "float32"), valueProto("state", "float32"));
      return [node];
    });
  },
  recursive: (victim, random) => {
    const fn = aFunction(victim, random);
    const node = pick(random, fn?.node ?? []);
    if (!fn || !node) return false;
    Object.assign(node, { opType: fn.name, domain: fn.domain, input: node.input.slice(0, 1) });
    return true;
  },
  mutual: (victim, random) => {
    const fn = aFunction(victim, random);
    if (!fn) return false;
    const other = clone(FunctionProtoSchema, fn);
    other.name = "Other";
    fn.node = [nodeProto("Other", ["in"], ["out"], {}, fn.domain)];
    other.node = [nodeProto(fn.name, ["in"], ["out"], {}, fn.domain)];
    victim.model.functions.push(other);
    return true;
  },
  /** Each calls the one before twice: a few lines that stand for 2^40 nodes. */
  doubling: (victim, random) => {
    const fn = aFunction(victim, random);
    if (!fn) return false;
    for (let level = 0; level < 40; level++) {
      const calls = level === 0 ? fn.name : `Double${level - 1}`;
      const node = [
        nodeProto(calls, ["in"], ["mid"], {}, fn.domain),
        nodeProto(calls, ["mid"], ["out"], {}, fn.domain),
      ];
      victim.model.functions.push(clone(FunctionProtoSchema, { ...fn, name: `Double${level}`, node }));
    }
    for (const node of victim.model.graph?.node ?? []) if (node.opType === fn.name) node.opType = "Double39";
    return true;
  },
  functionTwice: (victim, random) => {
    const fn = aFunction(victim, random);
    if (fn) victim.model.functions.push(fn);
    return fn !== undefined;
  },
  functionParts: (victim, random) => {
    const fn = aFunction(victim, random);
    if (!fn) return false;
    const part = pick(random, ["input", "output", "attribute", "node", "opsetImport"] as const)!;
    fn[part] = [];
    return true;
  },
  functionOpset: (victim, random) => {
    const fn = aFunction(victim, random);
    const version = pick(random, [0n, 6n, 9n, 11n, 99n, 2n ** 60n])!;
    if (fn) fn.opsetImport = [create(OperatorSetIdProtoSchema, { domain: "", version })];
    return fn !== undefined;
  },
  /** A function with a standard operator's name. */
  shadowing: (victim, random) => {
    const fn = aFunction(victim, random);
    const node = pick(random, nodesOf(victim));
    if (fn && node) Object.assign(fn, { name: node.opType, domain: "" });
    return fn !== undefined && node !== undefined;
  },
};
