import { decodePicture } from "@camkit/cam-core/data";
import { expect, test, vi } from "vitest";
import golden from "../../test/golden/small-jpegs.json" with { type: "json" };
import { keyed } from "../random.ts";
import { decodeSmallJpeg } from "./small-jpeg.ts";

/**
 * Damage makes coefficients that no picture has. sharp's SIMD saturates them at 16 bits, C code doesn't, so a damaged file looks
 * a little different from one machine to the next; here, where all else is compared, sharp is held to C.
 */
vi.hoisted(() => {
  process.env.JSIMD_FORCENONE = "1";
});

test("a damaged file is either decoded alike or left to others, who refuse it", async () => {
  const rng = keyed(5, "damage");
  const count = { changed: 0, cut: 0 };
  for (const [name, base64] of Object.entries(golden)) {
    if (name === "turned by EXIF") continue; // not turned when that very word is hit
    const original = new Uint8Array(Buffer.from(base64, "base64"));
    for (let i = 0; i < 40; i++) {
      const isCut = i % 4 === 0;
      const at = rng.integer(2, original.length - 3);
      const bytes = isCut ? original.slice(0, at) : original.with(at, rng.integer(0, 255));
      const found = await decodeSmallJpeg(bytes);
      if (found === undefined) continue;
      const { width, height, rgb } = await decodePicture(bytes);
      expect(found).toEqual({ width, height, rgb });
      count[isCut ? "cut" : "changed"]++;
    }
  }
  expect(count.changed).toBeGreaterThan(200);
  expect(count.cut).toBe(0);
});
