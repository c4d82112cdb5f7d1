/** `@camkit/cam-core/page`: what HTML reports are made of. */
export { colorBar, dataUri, escapeHtml, outlinePath } from "./html.ts";
export { factsHtml, htmlPage, type Page, sectionHtml, type Tile, tilesHtml } from "./page.ts";
