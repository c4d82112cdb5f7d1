import { float32, int64, type Tensor } from "@camkit/cam-core/data";
import type { Label } from "./dataset.ts";

/** One label a sample as a tensor: class numbers int64 [N], several numbers float32 [N, K]. */
export function labelTensor(labels: readonly Label[]): Tensor {
  const [first] = labels;
  if (typeof first === "number") return int64([labels.length], labels as readonly number[]);
  return float32([labels.length, first?.length ?? 0], (labels as readonly (readonly number[])[]).flat());
}

/** The label of a sample, out of a tensor [N] or [N, K]. */
export function labelAt({ shape, data }: Tensor, index: number): Label {
  const width = shape[1];
  if (width === undefined) return Number(data[index]);
  return Array.from({ length: width }, (_, k) => Number(data[index * width + k]));
}

/** The same as a tensor [] or [K], a view. */
export function labelTensorAt({ dtype, shape, data }: Tensor, index: number): Tensor {
  const width = shape[1] ?? 1;
  return { dtype, shape: shape.slice(1), data: (data as Float32Array).subarray(index * width, (index + 1) * width) };
}
