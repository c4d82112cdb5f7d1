import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { decodePicture } from "./decode.ts";
import { checkDrawing } from "./drawing.ts";

const svg = (content: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="24" height="16">${content}</svg>`;

/** Groups each of which shows the one before it ten times: 10^levels squares. */
const groups = (levels: number) =>
  svg(
    `<g id="g0"><rect width="24" height="16" fill="#00f"/></g>${Array.from(
      { length: levels },
      (_, i) => `<g id="g${i + 1}">${`<use xlink:href="#g${i}"/>`.repeat(10)}</g>`,
    ).join("")}<use xlink:href="#g${levels}"/>`,
  );
const refusal = /x\.svg: a drawing of \d+ characters that comes to .* where its references are followed/;

describe("a few lines that stand for millions of shapes are refused", () => {
  test.each<[string, string | Uint8Array]>([
    ["groups of groups", groups(9)],
    ["compressed", gzipSync(groups(9))],
    [
      "patterns filled with patterns",
      svg(
        `${Array.from({ length: 12 }, (_, i) => `<pattern id="p${i}">${`<rect fill='url(#p${i + 1})'/>`.repeat(9)}</pattern>`).join("")}<rect fill="url(#p0)"/>`,
      ),
    ],
    [
      "one long path, shown often",
      svg(`<path id="p" d="M0 0${"L9 9L0 9".repeat(9000)}"/>${'<use href="#p"/>'.repeat(100)}`),
    ],
    [
      "a chain of a thousand",
      svg(Array.from({ length: 1000 }, (_, i) => `<g id="g${1000 - i}"><use href="#g${999 - i}"/></g>`).join("")),
    ],
  ])("%s", async (_, drawing) => {
    const bytes = Buffer.from(drawing as string);
    const start = performance.now();
    await expect(decodePicture(bytes, "x.svg")).rejects.toMatchObject({
      code: "input",
      message: expect.stringMatching(refusal),
    });
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("markup in entities, which would be shown behind the count's back", () => {
    const bytes = Buffer.from(`<!DOCTYPE svg [<!ENTITY g "<use href='#g'/>">]>${svg("&g;")}`);
    expect(() => checkDrawing(bytes, "x.svg")).toThrow(/whose entities hold markup/);
  });
});

describe("what drawing programs write is drawn", () => {
  const blue = [0, 0, 255];

  test.each<[string, string]>([
    [
      "a thousand letters, each a reference to one of a few",
      svg(
        `<g id="a"><path d="M0 0h1"/></g>${'<use xlink:href="#a"/>'.repeat(1000)}<rect width="24" height="16" fill="#00f"/>`,
      ),
    ],
    ["references two deep", groups(2)],
    [
      "entities that are text",
      `<!DOCTYPE svg [<!ENTITY blue "#00f">]>${svg('<rect width="24" height="16" fill="&blue;"/>')}`,
    ],
    [
      "comments and sections with markup in them",
      svg(`<!-- <g id="a"> --><style><![CDATA[ a > b {} ]]></style><rect width="24" height="16" fill="#00f"/>`),
    ],
  ])("%s", async (_, drawing) => {
    const { rgb } = await decodePicture(Buffer.from(drawing), "x.svg");
    expect([...rgb.subarray(3 * (8 * 24 + 12), 3 * (8 * 24 + 12) + 3)]).toEqual(blue);
  });
});
