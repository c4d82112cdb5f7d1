import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { cases } from "./cases.ts";
import { damagedModel, mutations } from "./damaged-models.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-damaged-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every way of damaging a model comes round at least twice. The whole of it is `npm run fuzz`, in processes of its own. */
const counts = { models: 2 * Object.keys(mutations).length, bytes: 40, pictures: 100, arrays: 150 };

test.each(Object.entries(counts))("damaged %s give results or named errors", async (kind, count) => {
  const codes = new Set<string>();
  for (let seed = 1; seed <= count; seed++) {
    const { story, outcomes } = await cases[kind]!(seed, join(folder, kind));
    for (const { code, stage, defect } of outcomes) {
      codes.add(code);
      expect(defect, `${kind}:${seed} (${story}) at ${stage}`).toBeUndefined();
    }
  }
  expect(codes).toContain("ok");
  expect(codes.size).toBeGreaterThan(1);
});

test("a number makes the same file again, and each number another one", () => {
  expect(damagedModel(17).bytes).toEqual(damagedModel(17).bytes);
  expect(damagedModel(17).story).not.toBe(damagedModel(18).story);
});
