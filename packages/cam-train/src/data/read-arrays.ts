import type { Tensor } from "@camkit/cam-core/data";
import { labelTensorAt } from "./labels.ts";
import { pictureField, prepared } from "./prepare.ts";
import type { ArraySource, Reader } from "./source.ts";

export function arrayReader({ inputs, labels, input }: ArraySource): Reader {
  const shape = inputs.shape.slice(1);
  const size = shape.reduce((product, dim) => product * dim, 1);
  const row = (index: number) => (inputs.data as Uint8Array).subarray(index * size, (index + 1) * size);
  if (input === undefined)
    return (index) => ({
      input: { dtype: inputs.dtype, shape, data: row(index) },
      label: labelTensorAt(labels, index),
    });

  const [height, width, channels] = shape as [number, number, number];
  const field = pictureField(input);
  return (index) => {
    const rgb = channels === 3 ? row(index) : fromGrey(row(index));
    const picture: Tensor = { ...field, data: prepared({ width, height, rgb }, input) };
    return { input: picture, label: labelTensorAt(labels, index) };
  };
}

function fromGrey(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0; i < grey.length; i++) rgb.fill(grey[i]!, 3 * i, 3 * i + 3);
  return rgb;
}
