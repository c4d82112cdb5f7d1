import type { Value } from "@camkit/cam-core";
import type { LayerList } from "../layers/define-layer.ts";
import { covidnet3d } from "../networks/covidnet-3d.ts";
import { type CovidnetOp, covidnetCells, covidnetOps, defaultOp } from "../networks/covidnet-cells.ts";

/** One op for each cell: a network of the space. */
export type Architecture = Readonly<Record<string, string>>;

/** Where a cell's choice is seen in a network: what the op made of x, and what the cell gives: that, or x and that. */
export type Site = { readonly made: Value; readonly result: Value };

/**
 * The networks that a search chooses from. Ops that take part in several of them have the same names there, and so the same
 * weights: all networks together are one, of which each is a path.
 */
export type SearchSpace = {
  /** The ops of each cell. */
  readonly cells: Readonly<Record<string, readonly string[]>>;
  /** What would be taken without a search; it need not be among the choices. */
  readonly usual: Architecture;
  layers(architecture: Architecture): LayerList;
  /** Undefined where the op makes nothing, so that nothing depends on how much of it is taken. */
  siteOf(cell: string, op: string): Site | undefined;
};

export type CovidnetSpaceOptions = {
  readonly outputs: number;
  readonly width?: "small" | "large";
  readonly dropout?: number;
  /** Fewer ops for some cells. Default: all, but no zero in a stage's first cell. */
  readonly choices?: Readonly<Partial<Record<string, readonly CovidnetOp[]>>>;
};

/** The 21 cells of CovidNet3D. Source: He et al. 2021, arXiv:2101.05442. */
export function covidnetSpace({ choices = {}, ...options }: CovidnetSpaceOptions): SearchSpace {
  const opsOf = (cell: number) => (cell === 0 ? covidnetOps.filter((op) => op !== "zero") : covidnetOps);
  return {
    cells: Object.fromEntries(covidnetCells.map(({ name, cell }) => [name, choices[name] ?? opsOf(cell)])),
    usual: Object.fromEntries(covidnetCells.map(({ name }) => [name, defaultOp])),
    layers: (cells) => covidnet3d({ ...options, cells }),
    siteOf: (name, op) => {
      if (op === "zero") return undefined;
      const { stage, cell } = covidnetCells.find((each) => each.name === name)!;
      const isLast = !covidnetCells.some((each) => each.stage === stage && each.cell === cell + 1);
      // A block bears the name of its last value, so a stage's last cell is the stage.
      const result = isLast ? `stage${stage}` : `stage${stage}.${cell}`;
      if (cell === 0) return { made: result, result };
      const inside = `stage${stage}.${cell}`;
      return { made: op === "identity" ? `${inside}.calibrate` : `${inside}.sum.${op}`, result };
    },
  };
}
