import type { Builder } from "../builder.ts";
import { type Node, numberAttribute } from "../graph.ts";
import type { Upgrade, Upgrades } from "./index.ts";

/**
 * Before opset 13, Softmax flattened its input to 2-D at `axis` (default 1) and ran over everything behind it.
 * That is the new Softmax over the last axis where `axis` is the last one; otherwise flatten, softmax and restore.
 */
const flattened: Upgrade = {
  until: 13,
  rewrite: (node: Node, op: Builder) => {
    const x = node.inputs[0]!;
    const rank = op.rank(x);
    const given = numberAttribute(node, "axis", 1);
    const axis = given < 0 ? given + rank : given;
    if (axis === rank - 1) return op.node(node.opType, [x], { axis: -1 });
    const flat = op.node("Flatten", [x], { axis })[0]!;
    return [op.reshape(op.node(node.opType, [flat], { axis: -1 })[0]!, op.shape(x))];
  },
};

export const flattenedSoftmax: Upgrades = { Softmax: [flattened], LogSoftmax: [flattened], Hardmax: [flattened] };
