import { createRng, type Tensor } from "@camkit/cam-core/data";
import type { Generator } from "@camkit/cam-train";

type Size = readonly [number, number, number];

/**
 * Parts of a generator's volumes: `each` of them per volume, around a cell of a lesion where there is one, anywhere else in a normal
 * one. They cost a network a fraction of the whole, and what tells the classes apart is never far away: a start for a training
 * that goes on with whole volumes. Sample i is part i mod `each` of volume i / `each`, the same for the same i.
 */
export function partsOf(volumes: Generator, size: Size, each: number): Generator {
  const whole = volumes.fields.mask!.shape as unknown as Size;
  return {
    ...volumes,
    count: volumes.count * each,
    fields: {
      ...volumes.fields,
      input: { dtype: "float32", shape: [1, ...size] },
      mask: { dtype: "uint8", shape: [...size] },
    },
    labelOf: (index) => volumes.labelOf!(Math.floor(index / each)),
    groupOf: (index) => String(Math.floor(index / each)),
    load: async (index) => {
      const { input, mask, label } = await volumes.load(Math.floor(index / each));
      const rng = createRng(index, 1);
      const lesion = cellsIn(mask!.data as Uint8Array);
      const at = lesion.length > 0 ? lesion[rng.integer(0, lesion.length - 1)]! : undefined;
      const start = size.map((n, axis) => {
        const room = whole[axis]! - n;
        if (at === undefined) return rng.integer(0, room);
        const jitter = rng.integer(-Math.floor(n / 4), Math.floor(n / 4));
        return Math.min(room, Math.max(0, along(at, axis, whole) - Math.floor(n / 2) + jitter));
      }) as unknown as Size;
      return {
        input: part(input!, [1, ...size], whole, start, size),
        mask: part(mask!, [...size], whole, start, size),
        label: label!,
      };
    },
  };
}

function cellsIn(mask: Uint8Array): number[] {
  const cells: number[] = [];
  for (let cell = 0; cell < mask.length; cell++) if (mask[cell]) cells.push(cell);
  return cells;
}

/** A cell's index along an axis. */
function along(cell: number, axis: number, [, rows, columns]: Size): number {
  if (axis === 0) return Math.floor(cell / (rows * columns));
  return axis === 1 ? Math.floor(cell / columns) % rows : cell % columns;
}

function part({ dtype, data }: Tensor, shape: number[], [, rows, columns]: Size, start: Size, size: Size): Tensor {
  const source = data as Float32Array;
  const out = source.slice(0, size[0] * size[1] * size[2]);
  for (let z = 0, to = 0; z < size[0]; z++)
    for (let y = 0; y < size[1]; y++, to += size[2]) {
      const from = ((start[0] + z) * rows + start[1] + y) * columns + start[2];
      out.set(source.subarray(from, from + size[2]), to);
    }
  return { dtype, shape, data: out } as Tensor;
}
