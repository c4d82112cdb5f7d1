import type { GraphProto } from "onnx-buf";
import { bool, int64 } from "../../../tensor.ts";
import type { Rng } from "../../rng.ts";
import { graphProto, nodeProto, tensorProto, valueProto } from "../protos.ts";
import { type Mutations, pick, type Victim } from "./mutation.ts";

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

/** Sub-graphs: depth, what they capture, loops that don't end. */
export const subgraphs: Mutations = {
  /** Around the depth at which readers stop: protobuf's own is 100 messages. */
  nestedIf: (victim, random) => {
    constants(victim);
    const depth = pick(random, [3, 20, 29, 30, 31, 32, 33, 40])!;
    return spliceIn(victim, random, (from, to) => [nested(depth, from, to, random.int(3) === 0)]);
  },
  nestedIf200: (victim, random) => {
    constants(victim);
    return spliceIn(victim, random, (from, to) => [nested(200, from, to, random.int(3) === 0)]);
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
};
