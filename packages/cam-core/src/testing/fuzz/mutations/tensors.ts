import { clone, create } from "@bufbuild/protobuf";
import {
  SparseTensorProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProto_SegmentSchema,
  TensorProtoSchema,
} from "onnx-buf";
import type { Rng } from "../../rng.ts";
import {
  graphsOf,
  hostileFloats,
  hostileInts,
  hostileNames,
  type Mutation,
  type Mutations,
  pick,
  type Victim,
} from "./mutation.ts";

function aTensor(victim: Victim, random: Rng): TensorProto | undefined {
  return pick(
    random,
    graphsOf(victim).flatMap((graph) => graph.initializer),
  );
}

/** A mutation of one initializer. */
function ofTensor(change: (tensor: TensorProto, random: Rng, victim: Victim) => boolean | undefined): Mutation {
  return (victim, random) => {
    const tensor = aTensor(victim, random);
    return tensor !== undefined && change(tensor, random, victim) !== false;
  };
}

/** Initializers: dimensions, types, contents. */
export const tensors: Mutations = {
  lyingShape: ofTensor((tensor, random) => {
    if (tensor.dims.length === 0) tensor.dims.push(BigInt(pick(random, hostileInts)!));
    else tensor.dims[random.int(tensor.dims.length)] = BigInt(pick(random, hostileInts)!);
  }),
  /** Two huge sizes whose product wraps to something small in 64 bits. */
  wrappingShape: ofTensor((tensor) => {
    tensor.dims = [2n ** 32n, 2n ** 32n, ...tensor.dims];
  }),
  otherRank: ofTensor((tensor, random) => {
    if (random.int(2) === 0) tensor.dims = [1n, ...tensor.dims];
    else tensor.dims = [tensor.dims.reduce((a, b) => a * b, 1n)];
  }),
  emptied: ofTensor((tensor) => {
    tensor.dims = [0n];
    tensor.rawData = new Uint8Array(0);
  }),
  truncated: ofTensor((tensor, random) => {
    tensor.rawData = tensor.rawData.slice(0, random.int(tensor.rawData.byteLength + 1));
  }),
  overlong: ofTensor((tensor) => {
    tensor.rawData = Uint8Array.from([...tensor.rawData, ...tensor.rawData, 1]);
  }),
  elementType: ofTensor((tensor, random) => {
    tensor.dataType = random.int(28) as TensorProto_DataType;
  }),
  strings: ofTensor((tensor) => {
    tensor.dataType = TensorProto_DataType.STRING;
    tensor.stringData = [Uint8Array.of(0xff, 0xfe), new Uint8Array(0)];
    tensor.rawData = new Uint8Array(0);
  }),
  typedField: ofTensor((tensor) => {
    tensor.rawData = new Uint8Array(0);
    tensor.floatData = [Number.NaN];
    tensor.int64Data = [-(2n ** 63n)];
  }),
  segment: ofTensor((tensor) => {
    tensor.segment = create(TensorProto_SegmentSchema, { begin: -5n, end: 2n ** 40n });
  }),
  tensorName: ofTensor((tensor, random) => {
    tensor.name = pick(random, hostileNames)!;
  }),
  tensorTwice: (victim, random) => {
    const tensor = pick(random, victim.model.graph?.initializer ?? []);
    if (tensor) victim.model.graph!.initializer.push(clone(TensorProtoSchema, tensor));
    return tensor !== undefined;
  },
  sparse: (victim, random) => {
    const values = aTensor(victim, random);
    if (!values || !victim.model.graph) return false;
    victim.model.graph.sparseInitializer.push(create(SparseTensorProtoSchema, { values, dims: [2n ** 40n] }));
    return true;
  },
  /** Contents that are allowed by their type and make no sense: shapes, axes, trip counts, statistics. */
  hostileValues: ofTensor((tensor, random) => {
    const view = new DataView(tensor.rawData.buffer, tensor.rawData.byteOffset, tensor.rawData.byteLength);
    const width = { [TensorProto_DataType.INT64]: 8, [TensorProto_DataType.FLOAT]: 4 }[tensor.dataType as number];
    const count = width ? Math.floor(view.byteLength / width) : 0;
    if (width === undefined || count === 0) return false;
    for (let i = 0; i <= random.int(3); i++) {
      const at = random.int(count) * width;
      if (width === 8) view.setBigInt64(at, BigInt(pick(random, hostileInts)!), true);
      else view.setFloat32(at, pick(random, hostileFloats)!, true);
    }
    return true;
  }),
  /** Only whole numbers: what becomes a shape, an axis or a count. */
  hostileInts: (victim, random) => {
    const whole = graphsOf(victim).flatMap((graph) =>
      graph.initializer.filter((each) => (each.dataType as number) === TensorProto_DataType.INT64),
    );
    const tensor = pick(random, whole);
    if (!tensor || tensor.rawData.byteLength < 8) return false;
    const view = new DataView(tensor.rawData.buffer, tensor.rawData.byteOffset, tensor.rawData.byteLength);
    view.setBigInt64(8 * random.int(Math.floor(view.byteLength / 8)), BigInt(pick(random, hostileInts)!), true);
    return true;
  },
  externalWithoutPlace: ofTensor((tensor) => {
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
  }),
};
