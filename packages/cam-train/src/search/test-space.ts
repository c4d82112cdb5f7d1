import { openDataset } from "../data/open.ts";
import type { LayerItem } from "../layers/define-layer.ts";
import { buildLoss } from "../losses/index.ts";
import { searchSchema } from "./config.ts";
import { setUp } from "./search.ts";
import type { SearchSpace } from "./space.ts";

/**
 * For tests: three cells on volumes of 4×6×6. `point` sees single voxels, `near` a voxel's neighbours, `none` leaves x. Each op
 * that makes something ends with a norm, whose scale and shift scale what it makes.
 */
export const smallSpace: SearchSpace = {
  cells: { c0: ["point", "near"], c1: ["point", "near", "none"], c2: ["none", "point"] },
  usual: { c0: "point", c1: "point", c2: "point" },
  layers: (architecture) => [
    { conv: { name: "stem", filters: 6, kernel: 1 } },
    ...Object.entries(architecture).map(([name, op]): LayerItem => {
      if (op === "none") return { block: { name, layers: [{ silu: { name: "still" } }] } };
      const filters = { filters: 6, kernel: op === "near" ? 3 : 1, padding: op === "near" ? 1 : 0 };
      const made = {
        block: { name: op, layers: [{ conv: { name: "conv", ...filters } }, { batchNorm: { name: "norm" } }] },
      };
      return { block: { name, layers: [{ residual: { name: "sum", main: [made] } }, { silu: { name: "after" } }] } };
    }),
    { globalAveragePool: { name: "pool" } },
    { dropout: { name: "dropout", ratio: 0.1 } },
    { dense: { name: "head", units: 2 } },
  ],
  siteOf: (cell, op) => (op === "none" ? undefined : { made: `${cell}.sum.${op}`, result: `${cell}.sum` }),
};

/**
 * Half of the voxels are bright in every volume: in one class every other one, in the other class one half of the volume. No sum
 * over single voxels tells them apart; neighbours do.
 */
const volumes = `
export default ({ count, size: [d, h, w] }) => ({
  count,
  classes: ["blocks", "chequers"],
  fields: { input: { dtype: "float32", shape: [1, d, h, w] }, label: { dtype: "int64", shape: [] } },
  labelOf: (index) => index % 2,
  load: (index) => {
    let state = (index * 104729 + 11) % 2147483647;
    const next = () => (state = (state * 48271) % 2147483647) / 2147483647;
    for (let i = 0; i < 5; i++) next();
    const shift = Math.floor(next() * 2);
    const axis = Math.floor(next() * 3);
    const bright = ([z, y, x]) => index % 2 === 1 ? (z + y + x + shift) % 2 : Number([2 * z < d, 2 * y < h, 2 * x < w][axis]) ^ shift;
    const data = new Float32Array(d * h * w);
    for (let i = 0; i < data.length; i++)
      data[i] = bright([Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w]) + 0.3 * (next() - 0.5);
    return {
      input: { dtype: "float32", shape: [1, d, h, w], data },
      label: { dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(index % 2)) },
    };
  },
});
`;

/** The data set as a configuration names it. */
export const volumesOf = (count: number, size: readonly [number, number, number]) => ({
  kind: "module" as const,
  url: `data:text/javascript,${encodeURIComponent(volumes)}`,
  options: { count, size: [...size] },
});

export async function smallSetup(settings: object = {}) {
  const data = volumesOf(48, [4, 6, 6]);
  const config = searchSchema.parse({
    ...{ data, batch: 6, epochs: 6, rate: 0.02, workers: 0, threads: 1, seed: 2 },
    ...{ alpha: { rate: 0.1 }, choose: { candidates: 2, epochs: 6, fraction: 0.25 } },
    ...settings,
  });
  return setUp(smallSpace, config, await openDataset(data), (context) => buildLoss(context, "crossEntropy"));
}
