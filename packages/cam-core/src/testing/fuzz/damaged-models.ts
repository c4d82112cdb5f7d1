import { toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import type { Tensor } from "../../tensor.ts";
import { rng } from "../rng.ts";
import { bases } from "./bases.ts";
import { attributes } from "./mutations/attributes.ts";
import { byteMutations } from "./mutations/bytes.ts";
import { hostileNodes } from "./mutations/hostile-nodes.ts";
import { type Mutations, pick, type Victim } from "./mutations/mutation.ts";
import { structure } from "./mutations/structure.ts";
import { subgraphs } from "./mutations/subgraphs.ts";
import { tensors } from "./mutations/tensors.ts";
import { types } from "./mutations/types.ts";

/** Every way in which a model is damaged on purpose. */
export const mutations: Mutations = {
  ...structure,
  ...attributes,
  ...tensors,
  ...types,
  ...subgraphs,
  ...hostileNodes,
};

/** A damaged model: its bytes, the files beside it, what it was fed while it was sound, and what was done to it. */
export type Damaged = {
  readonly bytes: Uint8Array;
  readonly files: Victim["files"];
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly story: string;
};

/** Model number `seed`, the same every time: one to three mutations of one of the bases. */
export function damagedModel(seed: number): Damaged {
  const random = rng(seed);
  const { name, victim, feeds } = victimOf(random);
  const names = Object.keys(mutations);
  const done: string[] = [];
  for (let wanted = 1 + random.int(3), tries = 0; done.length < wanted && tries < 50; tries++) {
    // The first walks through the list, so that every way is taken often whatever the dice say.
    const mutation = done.length === 0 && tries === 0 ? names[seed % names.length]! : pick(random, names)!;
    if (mutations[mutation]!(victim, random)) done.push(mutation);
  }
  const bytes = toBinary(ModelProtoSchema, victim.model);
  return { bytes, files: victim.files, feeds, story: `${name}: ${done.join(", ")}` };
}

/** Model number `seed` of those that are damaged byte by byte: a sound base, or one with a mutation. */
export function damagedBytes(seed: number): Damaged {
  const random = rng(seed ^ 0x5bd1e995);
  const { name, victim, feeds } = victimOf(random);
  const kind = pick(random, Object.keys(byteMutations))!;
  const bytes = byteMutations[kind]!(toBinary(ModelProtoSchema, victim.model), random);
  return { bytes, files: victim.files, feeds, story: `${name}: bytes ${kind}` };
}

function victimOf(random: ReturnType<typeof rng>) {
  const name = pick(random, Object.keys(bases))!;
  const { model, feeds, files = {} } = bases[name]!;
  const victim: Victim = { model: model(), files: new Map(Object.entries(files)) };
  return { name, victim, feeds };
}
