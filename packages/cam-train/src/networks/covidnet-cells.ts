import { z } from "zod";

/** Inverted residuals by kernel k and expansion e, in the order of the authors' one-hot lists. */
const mbconvs = [
  [3, 3],
  [3, 4],
  [3, 6],
  [5, 3],
  [5, 4],
  [7, 3],
  [7, 4],
] as const;

export type CovidnetOp = "identity" | "zero" | `mbconv_${number}_${number}`;

/** What a cell may compute, in the order of the authors' lists: mbconv_k_e, then identity, then zero. */
export const covidnetOps: readonly CovidnetOp[] = [
  ...mbconvs.map(([k, e]): CovidnetOp => `mbconv_${k}_${e}`),
  "identity",
  "zero",
];

/** Kernel and expansion of each op that has weights. */
export const mbconvShapes: ReadonlyMap<CovidnetOp, { readonly kernel: number; readonly expansion: number }> = new Map(
  mbconvs.map(([kernel, expansion]) => [`mbconv_${kernel}_${expansion}`, { kernel, expansion }]),
);

/** Cells per stage. */
const counts = [4, 4, 4, 4, 4, 1];

/** The 21 places of an architecture. The first cell of a stage has no shortcut. */
export const covidnetCells = counts.flatMap((count, stage) =>
  Array.from({ length: count }, (_, cell) => ({ name: `s${stage}_c${cell}`, stage, cell })),
);

/** An op by cell; cells that aren't named have the default. */
export type CovidnetArchitecture = Readonly<Partial<Record<string, CovidnetOp>>>;

export const defaultOp: CovidnetOp = "mbconv_3_3";

/**
 * The op behind a one-hot list: 9 numbers in the order of `covidnetOps`; cells with a shortcut have a tenth, which is zero again.
 * Source: the architecture files that github.com/marsggbo/CovidNet3D writes.
 */
const oneHot = z
  .array(z.number())
  .refine((list) => list.length === covidnetOps.length || list.length === covidnetOps.length + 1, {
    error: `a one-hot list has ${covidnetOps.length} numbers, ${covidnetOps.length + 1} in a cell with a shortcut`,
  })
  .refine((list) => list.every((value) => value === 0 || value === 1) && list.filter(Boolean).length === 1, {
    error: "a one-hot list has a single 1 among zeros",
  })
  .transform((list) => covidnetOps[list.indexOf(1)] ?? "zero");

const op = z.union([z.enum(covidnetOps as readonly [CovidnetOp, ...CovidnetOp[]]), oneHot]);

const names = covidnetCells.map(({ name }) => name);

/** An architecture as files have it: the authors' one-hot lists, or ops by name, cell by cell. */
export const architectureSchema: z.ZodType<CovidnetArchitecture, Readonly<Record<string, unknown>>> = z
  .partialRecord(z.enum(names), op)
  .check(({ value, issues }) => {
    // A first cell has no shortcut that could carry x past it.
    for (const { name, cell } of covidnetCells)
      if (cell === 0 && value[name] === "zero")
        issues.push({
          code: "custom",
          input: value,
          path: [name],
          message: "nothing would pass: a stage's first cell",
        });
  });
