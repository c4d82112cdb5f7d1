import { clone, create } from "@bufbuild/protobuf";
import { type FunctionProto, FunctionProtoSchema, OperatorSetIdProtoSchema } from "onnx-buf";
import type { Rng } from "../../rng.ts";
import { nodeProto } from "../protos.ts";
import { type Mutations, nodesOf, pick, type Victim } from "./mutation.ts";

function aFunction(victim: Victim, random: Rng): FunctionProto | undefined {
  return pick(random, victim.model.functions);
}

/** The model's own functions: recursion, growth, parts that are missing. */
export const functions: Mutations = {
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
