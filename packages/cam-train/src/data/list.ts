import { dirname } from "node:path";
import { readBytes } from "@camkit/cam-core/data";
import { DataError } from "../errors.ts";
import { parseCsv, type Row } from "./csv.ts";
import type { Dataset, Label, LabelKind } from "./dataset.ts";
import { openFiles } from "./files.ts";
import type { DatasetOptions } from "./open.ts";
import type { ListSpec } from "./spec.ts";

/** A CSV list, see `ListSpec`. Throws DataError naming the line. */
export async function openList(spec: ListSpec, options: DatasetOptions): Promise<Dataset> {
  const { columns, rows: all } = parseCsv(decoded(await readBytes(spec.path), spec.path), spec.path);
  const needed = ["path", ...(spec.targets ?? ["label"]), ...(spec.split === undefined ? [] : ["split"])];
  const missing = needed.find((name) => !columns.includes(name));
  if (missing !== undefined)
    throw new DataError(`${spec.path}: no column "${missing}"`, { hint: `Columns there: ${columns.join(", ")}.` });

  const rows = spec.split === undefined ? all : all.filter(({ cells }) => cells.split === spec.split);
  if (rows.length === 0)
    throw new DataError(`${spec.path}: no rows${spec.split === undefined ? "" : ` whose split is "${spec.split}"`}`);
  for (const name of ["path", "group", "mask"])
    for (const { line, cells } of rows)
      if (cells[name] === "") throw new DataError(`${spec.path}, line ${line}: no ${name}`);

  const { classes, labelKind, labelOf } = labelling(spec, rows);
  const files = rows.map((row) => ({
    id: row.cells.path!,
    label: labelOf(row),
    ...(row.cells.group !== undefined && { group: row.cells.group }),
    ...(row.cells.mask !== undefined && { mask: row.cells.mask }),
  }));
  const listing = { root: spec.root ?? dirname(spec.path), files, classes, labelKind, stray: [] };
  return openFiles(spec.path, listing, { ...options, skipUnreadable: spec.skipUnreadable });
}

function decoded(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${path} isn't UTF-8 text`, { hint: "Save the list as UTF-8.", cause });
  }
}

type Labelling = { classes: readonly string[] | undefined; labelKind: LabelKind; labelOf: (row: Row) => Label };

function labelling(spec: ListSpec, rows: readonly Row[]): Labelling {
  const { targets } = spec;
  if (targets !== undefined)
    return {
      classes: undefined,
      labelKind: "values",
      labelOf: ({ line, cells }) =>
        targets.map((name) => {
          const value = cells[name]!.trim() === "" ? Number.NaN : Number(cells[name]);
          if (!Number.isFinite(value))
            throw new DataError(`${spec.path}, line ${line}: "${cells[name]}" in column "${name}" is no number`);
          return value;
        }),
    };

  const several = spec.multiLabel ?? rows.some(({ cells }) => cells.label!.includes("|"));
  const namesIn = ({ cells }: Row) => (several ? cells.label!.split("|") : [cells.label!]).map((name) => name.trim());
  const classes = spec.classes ?? classesOf(rows.flatMap(namesIn).filter(Boolean));
  const numbers = new Map(classes.map((name, index) => [name, index]));
  // A number stands for its class where no class is called by a number.
  const areNumbered = !classes.some((name) => /^\d+$/.test(name));
  const numberOf = (name: string, line: number): number => {
    const number = numbers.get(name) ?? (areNumbered && /^\d+$/.test(name) ? Number(name) : Number.NaN);
    if (!(number < classes.length))
      throw new DataError(`${spec.path}, line ${line}: the label "${name}" is none of the ${classes.length} classes`, {
        hint: `Classes: ${classes.slice(0, 24).join(", ")}${classes.length > 24 ? ", …" : ""}.`,
      });
    return number;
  };
  if (!several) return { classes, labelKind: "class", labelOf: (row) => numberOf(row.cells.label!, row.line) };
  return {
    classes,
    labelKind: "multi-label",
    labelOf: (row) => {
      const found = namesIn(row).filter(Boolean);
      const present = new Set(found.map((name) => numberOf(name, row.line)));
      return classes.map((_, index) => Number(present.has(index)));
    },
  };
}

/** Names in order; of numbers all from 0 to the largest, so that a class without a sample keeps its place. */
function classesOf(names: readonly string[]): readonly string[] {
  if (names.every((name) => /^\d+$/.test(name)))
    return Array.from({ length: 1 + names.reduce((most, name) => Math.max(most, Number(name)), -1) }, (_, i) => `${i}`);
  return [...new Set(names)].sort();
}
