import { DataError } from "../errors.ts";

/** A row of a CSV file by its header's names, and the line it begins on. */
export type Row = { readonly line: number; readonly cells: Readonly<Record<string, string>> };

/**
 * Comma-separated values (RFC 4180): a header, then rows; cells may be quoted, `""` is a quote inside. A byte order mark,
 * blank lines and blanks around unquoted cells are dropped. Throws DataError naming file and line: a row with another number of cells than the
 * header, a name that stands twice, a quote that doesn't end.
 */
export function parseCsv(text: string, source: string): { columns: readonly string[]; rows: readonly Row[] } {
  const [header, ...body] = records(text.replace(/^\uFEFF/, ""), source);
  if (header === undefined) throw new DataError(`${source}: an empty list; expected a header such as "path,label"`);
  const columns = header.cells;
  const twice = columns.find((name, i) => columns.indexOf(name) !== i);
  if (twice !== undefined) throw new DataError(`${source}: two columns are named "${twice}"`);
  const rows = body.map(({ line, cells }) => {
    if (cells.length !== columns.length)
      throw new DataError(`${source}, line ${line}: ${cells.length} cells, the header has ${columns.length}`, {
        hint: 'Put cells that hold a comma into "quotes".',
      });
    return { line, cells: Object.fromEntries(columns.map((name, i) => [name, cells[i]!])) };
  });
  return { columns, rows };
}

/** A cell, quoted or not, and what ends it. */
const cellPattern = /[^\S\r\n]*(?:"((?:[^"]|"")*)"[^\S\r\n]*|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;

function records(text: string, source: string): { line: number; cells: string[] }[] {
  const found: { line: number; cells: string[] }[] = [];
  let [at, line] = [0, 1];
  let record: { line: number; cells: string[] } = { line, cells: [] };
  while (at < text.length || record.cells.length > 0) {
    cellPattern.lastIndex = at;
    const cell = cellPattern.exec(text);
    if (cell === null)
      throw new DataError(`${source}, line ${line}: a quote that doesn't end, or stands inside a cell`);
    const [all, quoted, plain = "", end] = cell;
    record.cells.push(quoted?.replaceAll('""', '"') ?? plain.trim());
    at += all.length;
    line += all.match(/\r\n|\n|\r/g)?.length ?? 0;
    if (end === ",") continue;
    if (record.cells.length > 1 || record.cells[0] !== "") found.push(record);
    record = { line, cells: [] };
  }
  return found;
}
