import { clone, create } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as A,
  type AttributeProto,
  AttributeProtoSchema,
  GraphProtoSchema,
} from "onnx-buf";
import { float32 } from "../../../tensor.ts";
import type { Rng } from "../../rng.ts";
import { type AttributeValue, attributeProto, tensorProto } from "../protos.ts";
import { hostileFloats, hostileInts, hostileNames, type Mutations, nodesOf, pick, type Victim } from "./mutation.ts";

function attributed(victim: Victim, random: Rng) {
  return pick(
    random,
    nodesOf(victim).filter((node) => node.attribute.length > 0),
  );
}

function anAttribute(victim: Victim, random: Rng): AttributeProto | undefined {
  return pick(random, attributed(victim, random)?.attribute ?? []);
}

/** A value of any type. */
function anyValue(random: Rng): AttributeValue {
  switch (random.int(6)) {
    case 0:
      return pick(random, hostileInts)!;
    case 1:
      return { float: pick(random, hostileFloats)! };
    case 2:
      return pick(random, hostileNames)!;
    case 3:
      return Array.from({ length: random.int(8) }, () => pick(random, hostileInts)!);
    case 4:
      return { floats: Array.from({ length: random.int(8) }, () => pick(random, hostileFloats)!) };
    default:
      return create(GraphProtoSchema, { name: "stray" });
  }
}

/** Names that operators give a meaning to. */
const meaningful = (
  "axis axes perm strides pads dilations kernel_shape group auto_pad ceil_mode keepdims blocksize mode to split num_outputs " +
  "scales equation direction hidden_size layout transA transB alpha epsilon q_num_heads kv_num_heads num_groups shape value " +
  "value_ints output_shape output_padding starts ends largest reduction allowzero batch_dims storage_order num_heads k"
).split(" ");

/** What stands in a node's attributes: types, ranges, presence. */
export const attributes: Mutations = {
  /** Numbers at the edges in place of one number, or of one in a list. */
  outOfRange: (victim, random) => {
    const attribute = anAttribute(victim, random);
    if (!attribute) return false;
    if (attribute.type === A.INTS && attribute.ints.length > 0)
      attribute.ints[random.int(attribute.ints.length)] = BigInt(pick(random, hostileInts)!);
    else if (attribute.type === A.INT) attribute.i = BigInt(pick(random, hostileInts)!);
    else if (attribute.type === A.FLOAT) attribute.f = pick(random, hostileFloats)!;
    else if (attribute.type === A.STRING) attribute.s = new TextEncoder().encode(pick(random, hostileNames)!);
    else return false;
    return true;
  },
  wrongType: (victim, random) => {
    const node = attributed(victim, random);
    if (!node) return false;
    const at = random.int(node.attribute.length);
    node.attribute[at] = attributeProto(node.attribute[at]!.name, anyValue(random));
    return true;
  },
  /** The type says one thing, the field that is filled another. */
  lyingType: (victim, random) => {
    const attribute = anAttribute(victim, random);
    if (attribute) attribute.type = random.int(16) as A;
    return attribute !== undefined;
  },
  listLength: (victim, random) => {
    const attribute = anAttribute(victim, random);
    if (!attribute || attribute.type !== A.INTS) return false;
    const length = pick(random, [0, 1, attribute.ints.length + 1, 2 * attribute.ints.length, 100000])!;
    attribute.ints = Array.from({ length }, (_, i) => attribute.ints[i % (attribute.ints.length || 1)] ?? 1n);
    return true;
  },
  repeatedNumber: (victim, random) => {
    const attribute = anAttribute(victim, random);
    if (!attribute || attribute.ints.length < 2) return false;
    attribute.ints.fill(attribute.ints[0]!);
    return true;
  },
  withoutAttribute: (victim, random) => {
    const node = attributed(victim, random);
    node?.attribute.splice(random.int(node.attribute.length), 1);
    return node !== undefined;
  },
  newAttribute: (victim, random) => {
    const node = pick(random, nodesOf(victim));
    const name = pick(random, random.int(4) === 0 ? hostileNames : meaningful)!;
    node?.attribute.push(attributeProto(name, anyValue(random)));
    return node !== undefined;
  },
  attributeTwice: (victim, random) => {
    const node = attributed(victim, random);
    if (node) node.attribute.push(clone(AttributeProtoSchema, node.attribute[0]!));
    return node !== undefined;
  },
  attributeName: (victim, random) => {
    const attribute = anAttribute(victim, random);
    if (attribute) attribute.name = pick(random, hostileNames)!;
    return attribute !== undefined;
  },
  reference: (victim, random) => {
    const attribute = anAttribute(victim, random);
    if (attribute) attribute.refAttrName = pick(random, ["slope", "nowhere", "__proto__", ""])!;
    return attribute !== undefined;
  },
  tensorInstead: (victim, random) => {
    const attribute = anAttribute(victim, random);
    if (attribute) Object.assign(attribute, { type: A.TENSOR, t: tensorProto("", float32([2], [1, 2])) });
    return attribute !== undefined;
  },
};
