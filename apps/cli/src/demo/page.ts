import { escapeHtml, factsHtml, htmlPage, sectionHtml, tilesHtml } from "@camkit/cam-core/page";
import { version } from "../version.ts";
import type { Section } from "./section.ts";
import { css } from "./style.ts";

/** The demo's page: one file that opens from disk and fetches nothing. */
export function demoPage(sections: readonly Section[], time: string): string {
  const made = `<p>Made by <code>camkit demo</code> on ${escapeHtml(time)}. The same numbers are in <a href="result.json">result.json</a>; every picture carries its own provenance.</p>`;
  return htmlPage({
    title: "Where a network looked",
    lead: "From an ONNX file alone, camkit shows which parts of a picture spoke for an answer, in the same run that gives the answer. Here the truth is known, so every map is checked.",
    generator: `camkit ${version}`,
    css,
    main: sections.map(sectionOf).join("\n"),
    footer: [...sections.map(footerOf), made].join("\n"),
  });
}

function sectionOf({ id, title, lead, tiles, html }: Section): string {
  return sectionHtml(title, lead, `${tilesHtml(tiles)}\n${html}`, id);
}

function footerOf({ title, provenance }: Section): string {
  return `<h4>${escapeHtml(title)}</h4>${factsHtml(provenance)}`;
}
