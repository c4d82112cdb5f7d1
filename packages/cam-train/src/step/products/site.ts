import {
  type Builder,
  isStatic,
  type Node,
  numberAttribute,
  numbersAttribute,
  stringAttribute,
  type Value,
} from "@camkit/cam-core";

/** A convolution whose sizes are all known. */
export type Site = {
  readonly op: Builder;
  readonly x: Value;
  readonly w: Value;
  readonly bias: Value | undefined;
  readonly group: number;
  /** N, C and M. */
  readonly samples: number;
  readonly channels: number;
  readonly filters: number;
  /** Sizes of the spatial axes: of x, of a kernel, of y. */
  readonly size: readonly number[];
  readonly kernel: readonly number[];
  readonly out: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before and after each axis. */
  readonly begins: readonly number[];
  readonly ends: readonly number[];
};

/** Undefined where a size isn't known, or the padding is left to the runtime. */
export function siteOf(node: Node, op: Builder): Site | undefined {
  const [x, w, bias] = node.inputs as [Value, Value, Value?];
  const [from, shape, to] = [x, w, node.outputs[0]!].map((value) => op.dims(value));
  if (!isStatic(from) || !isStatic(shape) || !isStatic(to) || stringAttribute(node, "auto_pad", "NOTSET") !== "NOTSET")
    return undefined;
  const kernel = shape.slice(2);
  const each = (value: number) => kernel.map(() => value);
  const pads = numbersAttribute(node, "pads") ?? [...each(0), ...each(0)];
  return {
    op,
    x,
    w,
    bias,
    group: numberAttribute(node, "group", 1),
    samples: from[0]!,
    channels: from[1]!,
    filters: shape[0]!,
    size: from.slice(2),
    kernel,
    out: to.slice(2),
    strides: numbersAttribute(node, "strides") ?? each(1),
    dilations: numbersAttribute(node, "dilations") ?? each(1),
    begins: pads.slice(0, kernel.length),
    ends: pads.slice(kernel.length),
  };
}
