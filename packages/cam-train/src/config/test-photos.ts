import { join } from "node:path";
import { encodePicture, writeAtomic } from "@camkit/cam-core";
import { keyed } from "../random.ts";

/** For tests: a folder with two classes of noisy pictures, `red` and `blue`, `count` of each, 16 pixels wide. */
export async function writePhotos(folder: string, count: number, seed: number, noise = 60, tint = 40): Promise<void> {
  for (const [label, bright] of [
    ["blue", 2],
    ["red", 0],
  ] as const)
    for (let i = 0; i < count; i++) {
      const draw = keyed(seed, label, i);
      const rgb = Uint8Array.from({ length: 16 * 16 * 3 }, (_, at) =>
        Math.max(0, Math.min(255, 110 + draw.uniform(-noise, noise) + (at % 3 === bright ? tint : 0))),
      );
      await writeAtomic(join(folder, label, `${i}.png`), await encodePicture({ width: 16, height: 16, rgb }));
    }
}
