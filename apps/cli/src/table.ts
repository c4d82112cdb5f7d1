export type Cell = string | number | undefined;
export type Column = { readonly title: string; readonly align?: "left" | "right" };

/** Rows under titles, columns two spaces apart, numbers to the right; nothing at all without rows. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], { indent = "  " } = {}): string {
  if (rows.length === 0) return "";
  const cells = rows.map((row) => columns.map((_, i) => (row[i] === undefined ? "" : String(row[i]))));
  const titled = columns.some((column) => column.title !== "")
    ? [columns.map((column) => column.title), ...cells]
    : cells;
  const widths = columns.map((_, i) => Math.max(...titled.map((row) => width(row[i]!))));
  return titled
    .map((row) => {
      const line = row.map((cell, i) => pad(cell, widths[i]!, columns[i]!.align ?? "left")).join("  ");
      return `${indent}${line.trimEnd()}`;
    })
    .join("\n");
}

/** A block of `name  value` lines; undefined values are left out. */
export function facts(pairs: readonly (readonly [string, Cell])[]): string {
  return table(
    [{ title: "" }, { title: "" }],
    pairs.filter(([, value]) => value !== undefined && value !== ""),
    { indent: "" },
  );
}

function pad(text: string, to: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, to - width(text)));
  return align === "right" ? space + text : text + space;
}

/** Characters as a terminal counts them, near enough: marks take no room, East Asian letters two places. */
function width(text: string): number {
  let places = 0;
  for (const char of text)
    places += /\p{M}/u.test(char)
      ? 0
      : /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u.test(char)
        ? 2
        : 1;
  return places;
}
