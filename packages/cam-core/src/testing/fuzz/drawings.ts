import type { Rng } from "../rng.ts";
import { pick } from "./mutations/mutation.ts";

const open = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"';
const svg = (content: string, size = 'width="24" height="16"') => `${open} ${size}>${content}</svg>`;
const square = '<rect width="9" height="9"/>';

const lengths = ["0", "-5", "NaN", "1e9", "99999999999999999999", "100%", "1e400", "32768", "2147483648", "10em", ""];

/** Drawings are programs: each asks for something that a reader must not give. */
export const drawings: Readonly<Record<string, (random: Rng) => string>> = {
  drawnSize: (random) => svg(square, `width="${pick(random, lengths)}" height="${pick(random, lengths)}"`),
  viewBox: (random) => svg(square, `viewBox="0 0 ${pick(random, lengths)} ${pick(random, lengths)}"`),
  /** Ten words of ten of ten: 10^9 letters from a few lines. */
  entities: () => {
    const levels = Array.from({ length: 9 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`);
    return `<!DOCTYPE svg [<!ENTITY e0 "camkit">${levels.join("")}]>${svg("<text>&e9;</text>")}`;
  },
  entityOfAFile: () =>
    `<!DOCTYPE svg [<!ENTITY file SYSTEM "file:///etc/passwd">]>${svg('<text x="0" y="9">&file;</text>')}`,
  linkedFile: (random) => {
    const href = pick(random, ["file:///etc/passwd", "../../x.png", "/dev/zero", "http://127.0.0.1:9/x.png"])!;
    return svg(`<image xlink:href="${href}" width="24" height="16"/>`);
  },
  /** Each group shows the one before it ten times. */
  uses: (random) => {
    const depth = pick(random, [3, 9, 40])!;
    const groups = Array.from(
      { length: depth },
      (_, i) => `<g id="g${i + 1}">${`<use xlink:href="#g${i}"/>`.repeat(10)}</g>`,
    );
    return svg(`<g id="g0">${square}</g>${groups.join("")}<use xlink:href="#g${depth}"/>`);
  },
  usesItself: () => svg('<g id="a"><use xlink:href="#b"/></g><g id="b"><use xlink:href="#a"/></g>'),
  nested: (random) => {
    const depth = pick(random, [100, 1000, 20000])!;
    return svg("<g>".repeat(depth) + square + "</g>".repeat(depth));
  },
  /** Patterns that are filled with patterns. */
  patterns: () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) =>
        `<pattern id="p${i}" width="1" height="1" patternUnits="userSpaceOnUse"><rect width="24" height="16" fill="url(#p${i + 1})"/></pattern>`,
    );
    return svg(`${levels.join("")}<rect width="24" height="16" fill="url(#p0)"/>`);
  },
  filter: (random) => {
    const effect = pick(random, [
      '<feGaussianBlur stdDeviation="1000000"/>',
      '<feTurbulence baseFrequency="9" numOctaves="2000000000"/>',
      '<feMorphology operator="dilate" radius="100000"/>',
      '<feConvolveMatrix order="1000" kernelMatrix="1 2 3"/>',
      "<feTile/>".repeat(2000),
    ])!;
    return svg(
      `<filter id="f" width="100000" height="100000">${effect}</filter><rect width="9" height="9" filter="url(#f)"/>`,
    );
  },
  path: (random) => {
    const d = pick(random, ["M0 0L1e308 1e308A1e308 1 0 0 0 0 0", `M0 0${"L9 9L0 9".repeat(20000)}`, "M0 0h1e", "MM"])!;
    return svg(`<path stroke="#000" stroke-width="1e30" stroke-dasharray="1e-30" d="${d}"/>`);
  },
  script: () => svg('<script>while (true) {}</script><style>@import url("file:///etc/passwd");</style>'),
  openEnd: () => `${open} width="24" height="16"><g><rect`,
  notXml: () => `<svg${"<".repeat(500)}`,
};
