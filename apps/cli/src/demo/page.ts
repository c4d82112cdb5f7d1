import { version } from "../version.ts";
import { escapeHtml } from "./html.ts";
import type { Section, Tile } from "./section.ts";
import { css } from "./style.ts";

/** The demo's page: one file that opens from disk and fetches nothing. */
export function demoPage(sections: readonly Section[], time: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="camkit ${version}">
<title>camkit: where a network looked</title>
<style>${css}</style>
</head>
<body>
<header>
  <p class="brand">camkit ${version}</p>
  <h1>Where a network looked</h1>
  <p class="lead">From an ONNX file alone, camkit shows which parts of a picture spoke for an answer, in the same run that gives the answer. Here the truth is known, so every map is checked.</p>
</header>
<main>
${sections.map(sectionHtml).join("\n")}
</main>
<footer>
${sections.map(footerHtml).join("\n")}
<p>Made by <code>camkit demo</code> on ${escapeHtml(time)}. The same numbers are in <a href="result.json">result.json</a>; every picture carries its own provenance.</p>
</footer>
</body>
</html>
`;
}

function sectionHtml({ id, title, lead, tiles, html }: Section): string {
  return `<section id="${escapeHtml(id)}">
<h2>${escapeHtml(title)}</h2>
<p class="lead">${escapeHtml(lead)}</p>
<div class="tiles">${tiles.map(tileHtml).join("")}</div>
${html}
</section>`;
}

function tileHtml({ value, label, note }: Tile): string {
  return `<div class="tile"><strong>${escapeHtml(value)}</strong><span>${escapeHtml(label)}</span>${note ? `<small>${escapeHtml(note)}</small>` : ""}</div>`;
}

function footerHtml({ title, provenance }: Section): string {
  const rows = provenance.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<h4>${escapeHtml(title)}</h4><dl>${rows.join("")}</dl>`;
}
