import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { isDerivative, type Rule, samplesOf } from "../../autodiff/rule.ts";
import { rules } from "../../autodiff/rules/index.ts";
import { Builder } from "../../graph/builder.ts";
import { writeModel } from "../../model/write.ts";
import type { Tensor } from "../../tensor.ts";
import { oneNode } from "../one-node.ts";
import { type Rng, rng } from "../rng.ts";
import { bases } from "./bases.ts";
import { attributes } from "./mutations/attributes.ts";
import { damagedAnyhow } from "./mutations/bytes.ts";
import { external } from "./mutations/external.ts";
import { functions } from "./mutations/functions.ts";
import { hostileNodes } from "./mutations/hostile-nodes.ts";
import { type Mutations, pick, type Victim } from "./mutations/mutation.ts";
import { structure } from "./mutations/structure.ts";
import { subgraphs } from "./mutations/subgraphs.ts";
import { tensors } from "./mutations/tensors.ts";
import { types } from "./mutations/types.ts";

/** Every way in which one operator's model is damaged. */
export const operatorMutations: Mutations = {
  ...structure,
  ...attributes,
  ...tensors,
  ...types,
  ...subgraphs,
  ...hostileNodes,
};

/** Every way in which a model is damaged: some have functions, some have files beside them. */
export const mutations: Mutations = { ...operatorMutations, ...functions, ...external };

/** A damaged model: its bytes, the files beside it, what it was fed while it was sound, and what was done to which base. */
export type Damaged = {
  readonly bytes: Uint8Array;
  readonly files: Victim["files"];
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly base: string;
  /** Names of the mutations that changed it. */
  readonly ways: readonly string[];
};

/** Model number `seed`, the same every time: one of the bases with one to three mutations. */
export function damagedModel(seed: number): Damaged {
  const random = rng(seed);
  return damaged(() => baseOf(random), mutations, seed, random);
}

/** Model number `seed` of those that are one operator, with the inputs that its gradient rule is checked at. */
export function damagedOperator(seed: number): Damaged {
  const random = rng(seed ^ 0x2545f491);
  return damaged(() => operatorOf(random), operatorMutations, seed, random);
}

/** Model number `seed` of those that are damaged byte by byte. */
export function damagedBytes(seed: number): Damaged {
  const random = rng(seed ^ 0x5bd1e995);
  const { base, victim, feeds } = baseOf(random);
  const { bytes, way } = damagedAnyhow(serialised(victim), random);
  return { bytes, files: victim.files, feeds, base, ways: [way] };
}

type Sound = { readonly base: string; readonly victim: Victim; readonly feeds: Damaged["feeds"] };

function damaged(make: () => Sound, table: Mutations, seed: number, random: Rng): Damaged {
  const names = Object.keys(table);
  const ways: string[] = [];
  let sound = make();
  const damage = (way: string) => {
    const before = stateOf(sound.victim);
    if (table[way]!(sound.victim, random) && stateOf(sound.victim) !== before) ways.push(way);
  };
  // The first walks through the list, so that every way is taken equally often, on whatever has what it damages.
  for (let tries = 0; ways.length === 0 && tries < 100; tries++) {
    if (tries > 0) sound = make();
    damage(names[seed % names.length]!);
  }
  for (let more = random.int(3); more > 0; more--) damage(pick(random, names)!);
  const { base, victim, feeds } = sound;
  return { bytes: serialised(victim), files: victim.files, feeds, base, ways };
}

function serialised(victim: Victim): Uint8Array<ArrayBuffer> {
  return toBinary(ModelProtoSchema, victim.model);
}

/** A model and its files as text, to tell whether a mutation did anything: many find that what they write is there already. */
function stateOf(victim: Victim): string {
  const files = [...victim.files].map(([name, content]) => [
    name,
    content instanceof Uint8Array ? Buffer.from(content).toString("latin1") : content,
  ]);
  return Buffer.from(serialised(victim)).toString("latin1") + JSON.stringify(files);
}

function baseOf(random: Rng): Sound {
  const base = pick(random, Object.keys(bases))!;
  const { model, feeds, files = {} } = bases[base]!;
  return { base, victim: { model: model(), files: new Map(Object.entries(files)) }, feeds };
}

const differentiable = Object.entries(rules).filter((entry): entry is [string, Rule] => isDerivative(entry[1]));

/** One node, whose whole output is laid out as classes for each sample, so that a score can be asked for. */
function operatorOf(random: Rng): Sound {
  const [base, rule] = pick(random, differentiable)!;
  const sample = pick(random, samplesOf(rule, rng(1)))!;
  const graph = oneNode(base, sample);
  const feeds = Object.fromEntries(graph.inputs.map(({ name }) => [name, sample.inputs[Number(name.slice(1))]!]));
  const op = new Builder(graph, { prefix: "fuzz" });
  const batch = feeds[graph.inputs[0]?.name ?? ""]?.shape[0] ?? 1;
  const scores = op.tile(op.reshape(op.cast(`y${sample.output ?? 0}`, "float32"), [1, -1]), [batch, 1]);
  graph.outputs = [{ name: scores, dtype: "float32" }];
  return { base, victim: { model: fromBinary(ModelProtoSchema, writeModel(graph).model), files: new Map() }, feeds };
}
