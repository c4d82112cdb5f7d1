import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import phantoms from "./generator.ts";

/** Of all tensors: comparing them number by number takes seconds. */
function digest(sample: unknown): string {
  const hash = createHash("sha256");
  for (const { data } of Object.values(sample as Record<string, { data: Float32Array }>)) hash.update(data);
  return hash.digest("hex");
}

test("samples have a network's shape, a class and a mask of the lesions; kept ones are the same", async () => {
  const folder = await mkdtemp(join(tmpdir(), "camkit-phantoms-"));
  const options = { first: 31, count: 3, size: [16, 64, 64] } satisfies Parameters<typeof phantoms>[0];
  try {
    const fresh = phantoms(options);
    expect(fresh.fields).toEqual({
      input: { dtype: "float32", shape: [1, 16, 64, 64] },
      label: { dtype: "int64", shape: [] },
      mask: { dtype: "uint8", shape: [16, 64, 64] },
    });
    const drawn = [0, 1, 2].map((i) => fresh.load(i) as Record<string, { data: Float32Array }>);
    for (const [i, { input, label, mask }] of drawn.entries()) {
      const number = Number(label!.data[0]);
      expect(number).toBe((31 + i) % 3);
      expect(fresh.labelOf!(i)).toBe(number);
      expect(mask!.data.some((inside) => inside === 1)).toBe(number > 0);
      expect(input!.data.every((level) => level >= 0 && level <= 1)).toBe(true);
    }
    // Ground-glass is denser than the lungs, and consolidation denser than that; window [-1200, 600].
    const inLesion = drawn.map(({ input, mask }) => {
      const inside = [...input!.data].filter((_, at) => mask!.data[at] === 1);
      return 1800 * (inside.reduce((sum, value) => sum + value, 0) / inside.length) - 1200;
    });
    expect(inLesion[0]!).toBeGreaterThan(-720);
    expect(inLesion[0]!).toBeLessThan(-250);
    expect(inLesion[1]!).toBeGreaterThan(inLesion[0]! + 100);

    const keep = join(folder, "keep");
    const first = phantoms({ ...options, keep });
    for (const i of [2, 1]) expect(digest(first.load(i))).toBe(digest(drawn[i]!));
    const [file] = await readdir(keep);
    expect(digest(phantoms({ ...options, keep }).load(1))).toBe(digest(drawn[1]!));
    await truncate(join(keep, file!), 3 * 16 * 64 * 64 + 100); // the second record is cut off
    expect(digest(phantoms({ ...options, keep }).load(1))).toBe(digest(drawn[1]!));
    expect(await readdir(keep)).toEqual([file]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
