import {
  type Builder,
  type Graph,
  type Node,
  numberAttribute,
  numbersAttribute,
  stringAttribute,
  type Value,
} from "@camkit/cam-core";
import { rewriteGraph } from "../network/rewrite.ts";

/**
 * Writes convolutions over small maps as one matrix product over all positions of all samples:
 *
 *   y [positions · N, M] = pixels [positions · N, C · taps] · Wᵀ        pixels: what each tap reads, taps innermost
 *
 * ONNX Runtime multiplies sample by sample, which for four positions is hardly a product; and the way back turns the weights
 * round, which at 512×512×3×3 takes longer than the product. Here the backward pass is the product's: two more products with
 * the weights as they lie. (16×512×2², 3×3 to 512, forward and backward, one thread: 45 -> 14 ms; PyTorch 14.)
 *
 * The graph's sizes must be known. Other convolutions stay as they are.
 */
export function convsAsProducts(graph: Graph): Graph {
  return rewriteGraph(graph, "product", (node, op) =>
    node.domain === "" && node.opType === "Conv" ? asProduct(node, op) : undefined,
  );
}

function asProduct(node: Node, op: Builder): Value[] | undefined {
  const [x, w, bias] = node.inputs as [Value, Value, Value?];
  const from = numbers(op.dims(x));
  const shape = numbers(op.dims(w));
  const to = numbers(op.dims(node.outputs[0]!));
  if (!from || !shape || !to || numberAttribute(node, "group", 1) !== 1) return undefined;
  if (stringAttribute(node, "auto_pad", "NOTSET") !== "NOTSET") return undefined;
  const [samples, channels, ...size] = from as [number, number, ...number[]];
  const [filters, , ...kernel] = shape as [number, number, ...number[]];
  const out = to.slice(2);
  const positions = product(out);
  const taps = product(kernel);
  if (!isSmall({ samples, positions, filters, taps })) return undefined;

  const each = (value: number) => kernel.map(() => value);
  const strides = numbersAttribute(node, "strides") ?? each(1);
  const dilations = numbersAttribute(node, "dilations") ?? each(1);
  const pads = numbersAttribute(node, "pads") ?? [...each(0), ...each(0)];
  const axes = kernel.map((_, i) => i);

  // Positions first, so that what a tap reads lies in runs of N · C.
  const rows = op.transpose(op.reshape(x, [samples * channels, product(size)]), [1, 0]);
  const laid = op.reshape(rows, [...size, samples * channels]);
  const padded = pads.some((pad) => pad > 0)
    ? op.pad(laid, [...pads.slice(0, kernel.length), 0, ...pads.slice(kernel.length), 0])
    : laid;
  const plain = taps === 1 && strides.every((stride) => stride === 1);
  const reads = positionsOf(kernel).map((tap) => {
    const starts = tap.map((at, i) => at * dilations[i]!);
    const ends = starts.map((start, i) => start + (out[i]! - 1) * strides[i]! + 1);
    const read = plain ? padded : op.slice(padded, { axes, starts, ends, steps: strides });
    return op.reshape(read, [1, positions * samples * channels]);
  });
  const pixels = op.reshape(op.transpose(op.concat(reads, 0), [1, 0]), [positions * samples, channels * taps]);
  const y = op.gemm(pixels, op.reshape(w, [filters, channels * taps]), { transB: true });
  const shifted = bias ? op.add(y, bias) : y;
  const back = op.transpose(op.reshape(shifted, [positions, samples * filters]), [1, 0]);
  return [op.reshape(back, to)];
}

/**
 * Fewer rows than twice the filters, so that copying pixels costs less than turning weights; without taps nothing is turned, and
 * only maps of a few positions gain.
 */
function isSmall(conv: { samples: number; positions: number; filters: number; taps: number }): boolean {
  return conv.samples * conv.positions <= 2 * conv.filters && (conv.taps > 1 || conv.positions <= 16);
}

function numbers(dims: readonly unknown[] | undefined): readonly number[] | undefined {
  return dims?.every((dim) => typeof dim === "number") ? (dims as readonly number[]) : undefined;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}

/** Every position inside a kernel, row-major. */
function positionsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (found, size) => found.flatMap((position) => Array.from({ length: size }, (_, at) => [...position, at])),
    [[]],
  );
}
