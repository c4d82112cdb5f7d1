import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

// A machine without fonts: fontconfig reads these when sharp first needs it, so they are set before sharp is loaded.
const empty = mkdtempSync(join(tmpdir(), "camkit-fontless-"));
const config = join(empty, "fonts.conf");
writeFileSync(
  config,
  `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${empty}</dir></fontconfig>`,
);
Object.assign(process.env, { FONTCONFIG_FILE: config, FONTCONFIG_PATH: empty, XDG_CACHE_HOME: empty, HOME: empty });

const { default: sharp } = await import("sharp");
const { renderOverlay } = await import("./overlay.ts");
const { float32 } = await import("../tensor.ts");

/** The share of pixels in a rectangle that are dark. */
function ink(
  rgb: Uint8Array,
  width: number,
  area: { left: number; top: number; right: number; bottom: number },
): number {
  let dark = 0;
  for (let y = area.top; y < area.bottom; y++)
    for (let x = area.left; x < area.right; x++) if (rgb[(y * width + x) * 3]! < 128) dark++;
  return dark / ((area.right - area.left) * (area.bottom - area.top));
}

test("this process really has no letters: SVG text is a row of empty boxes or nothing", async () => {
  const draw = async (text: string) => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="300" height="60"><rect width="300" height="60" fill="#fff"/><text x="5" y="40" font-size="30" font-family="sans-serif">${text}</text></svg>`;
    return new Uint8Array(await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer());
  };
  expect(await draw("iiiiii")).toEqual(await draw("oooooo"));
});

test("a legend is drawn all the same, and differs by what it says", async () => {
  const picture = { width: 600, height: 20, rgb: new Uint8Array(600 * 20 * 3).fill(255) };
  const draw = (title: string) =>
    renderOverlay(picture, float32([1, 1], [0]), { legend: { title, detail: "Grad-CAM" }, minSide: 1 });
  const drawn = await draw("tabby cat");
  const words = { left: 14, top: 22, right: 120, bottom: drawn.height - 5 };
  expect(ink(drawn.rgb, drawn.width, words)).toBeGreaterThan(0.06);
  expect((await draw("iiiiiiiii")).rgb).not.toEqual((await draw("ooooooooo")).rgb);
});
