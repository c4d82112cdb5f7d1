import { escapeHtml } from "./html.ts";
import { css } from "./style.ts";

export type Page = {
  readonly title: string;
  /** One sentence under the title. */
  readonly lead: string;
  /** What made the page: "camkit 0.1.0". */
  readonly generator: string;
  /** What must be read before the numbers. */
  readonly notes?: readonly string[];
  readonly tiles?: readonly Tile[];
  /** Styles beside those that all pages share. */
  readonly css?: string;
  /** Ready HTML, already escaped. */
  readonly main: string;
  readonly footer: string;
};

/** A number that says it in a glance. */
export type Tile = { readonly value: string; readonly label: string; readonly note?: string };

/** One HTML page that opens from disk and fetches nothing; light and dark. */
export function htmlPage({
  title,
  lead,
  generator,
  notes = [],
  tiles = [],
  css: own = "",
  main,
  footer,
}: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="${escapeHtml(generator)}">
<title>${escapeHtml(title)}</title>
<style>${css}${own}</style>
</head>
<body>
<header>
<p class="brand">${escapeHtml(generator)}</p>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${escapeHtml(lead)}</p>
${notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join("\n")}
${tilesHtml(tiles)}
</header>
<main>
${main}
</main>
<footer>
${footer}
</footer>
</body>
</html>
`;
}

/** A part of a page under its own heading. `html` is already escaped. */
export function sectionHtml(title: string, lead: string, html: string, id?: string): string {
  return `<section${id === undefined ? "" : ` id="${escapeHtml(id)}"`}>
<h2>${escapeHtml(title)}</h2>
${lead ? `<p class="lead">${escapeHtml(lead)}</p>` : ""}
${html}
</section>`;
}

export function tilesHtml(tiles: readonly Tile[]): string {
  if (tiles.length === 0) return "";
  const each = ({ value, label, note }: Tile) =>
    `<div class="tile"><strong>${escapeHtml(value)}</strong><span>${escapeHtml(label)}</span>${note ? `<small>${escapeHtml(note)}</small>` : ""}</div>`;
  return `<div class="tiles">${tiles.map(each).join("")}</div>`;
}

/** Names and what they stand for: versions, files, digests. */
export function factsHtml(facts: readonly (readonly [name: string, value: string])[]): string {
  const rows = facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<dl>${rows.join("")}</dl>`;
}
