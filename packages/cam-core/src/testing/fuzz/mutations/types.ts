import { create } from "@bufbuild/protobuf";
import { OperatorSetIdProtoSchema, type TypeProto_Tensor, TypeProtoSchema, type ValueInfoProto } from "onnx-buf";
import type { Rng } from "../../rng.ts";
import { valueProto } from "../protos.ts";
import { graphsOf, hostileInts, hostileNames, type Mutations, pick, type Victim } from "./mutation.ts";

function anInfo(victim: Victim, random: Rng): ValueInfoProto | undefined {
  return pick(
    random,
    graphsOf(victim).flatMap((graph) => [...graph.input, ...graph.output]),
  );
}

function aTensorType(victim: Victim, random: Rng): TypeProto_Tensor | undefined {
  const value = anInfo(victim, random)?.type?.value;
  return value?.case === "tensorType" ? value.value : undefined;
}

/** What a file declares of its values, and of itself. */
export const types: Mutations = {
  hugeDim: (victim, random) => {
    const dims = aTensorType(victim, random)?.shape?.dim;
    if (!dims || dims.length === 0) return false;
    dims[random.int(dims.length)]!.value = { case: "dimValue", value: BigInt(pick(random, hostileInts)!) };
    return true;
  },
  symbol: (victim, random) => {
    const dims = aTensorType(victim, random)?.shape?.dim;
    if (!dims || dims.length === 0) return false;
    for (let i = 0; i <= random.int(2); i++)
      dims[random.int(dims.length)]!.value = { case: "dimParam", value: pick(random, hostileNames)! };
    return true;
  },
  otherDeclaredRank: (victim, random) => {
    const shape = aTensorType(victim, random)?.shape;
    if (!shape) return false;
    if (random.int(2) === 0) shape.dim.pop();
    else shape.dim.push(...shape.dim);
    return true;
  },
  noShape: (victim, random) => {
    const type = aTensorType(victim, random);
    if (type) delete type.shape;
    return type !== undefined;
  },
  elementTypeOfValue: (victim, random) => {
    const type = aTensorType(victim, random);
    if (type) type.elemType = pick(random, [0, 1, 2, 7, 8, 9, 10, 11, 14, 16, 17, 23, 99, -1])!;
    return type !== undefined;
  },
  otherKind: (victim, random) => {
    const info = anInfo(victim, random);
    if (!info) return false;
    const inner = info.type ?? create(TypeProtoSchema);
    const kind = pick(random, ["sequenceType", "optionalType", "none"] as const)!;
    if (kind === "none") delete info.type;
    else info.type = create(TypeProtoSchema, { value: { case: kind, value: { elemType: inner } } });
    return true;
  },
  /** A declaration of an inner value that contradicts what the operators say. */
  lyingInfo: (victim, random) => {
    const graph = pick(random, graphsOf(victim));
    const node = pick(random, graph?.node ?? []);
    if (!graph || !node) return false;
    const shape = Array.from({ length: random.int(6) }, () => pick(random, [...hostileInts, "n", "n+1"])!);
    graph.valueInfo.push(
      valueProto(node.output[0] ?? "", pick(random, ["float32", "int64", "string", "float16"] as const)!, shape),
    );
    return true;
  },
  inputName: (victim, random) => {
    const info = anInfo(victim, random);
    if (info) info.name = pick(random, hostileNames)!;
    return info !== undefined;
  },
  infoTwice: (victim, random) => {
    const graph = pick(random, graphsOf(victim));
    if (graph?.input[0]) graph.input.push(graph.input[0]);
    if (graph?.output[0]) graph.output.push(graph.output[0]);
    return graph !== undefined;
  },
  opset: (victim, random) => {
    const entry = pick(random, victim.model.opsetImport);
    if (entry)
      entry.version = pick(random, [
        0n,
        -1n,
        1n,
        6n,
        7n,
        8n,
        9n,
        10n,
        11n,
        12n,
        13n,
        15n,
        19n,
        21n,
        23n,
        26n,
        27n,
        999n,
        2n ** 60n,
      ])!;
    return entry !== undefined;
  },
  opsets: (victim, random) => {
    const version = 9n;
    if (random.int(3) === 0) victim.model.opsetImport = [];
    else
      victim.model.opsetImport.push(
        create(OperatorSetIdProtoSchema, { domain: pick(random, ["", "ai.onnx", "__proto__", "nowhere"])!, version }),
      );
    return true;
  },
  irVersion: (victim, random) => {
    victim.model.irVersion = pick(random, [0n, -1n, 3n, 99n, 2n ** 60n])!;
    return true;
  },
};
