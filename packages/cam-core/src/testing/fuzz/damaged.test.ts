import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { afterAll, expect, test } from "vitest";
import { decodePicture } from "../../image/decode.ts";
import { bases } from "./bases.ts";
import { cases, waysOf } from "./cases.ts";
import { damagedBytes, damagedModel, damagedOperator, mutations } from "./damaged-models.ts";
import { damagedPicture } from "./damaged-pictures.ts";
import { pictureNames, soundPicture } from "./sound-pictures.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-damaged-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every way of damaging a model comes round. The whole of it is `npm run fuzz`, in processes of its own. */
const all = Object.keys(mutations).length;
const counts = { models: all, operators: 40, bytes: 40, pictures: 100, arrays: 150 };

test.each(Object.entries(counts))("damaged %s give results or named errors", async (kind, count) => {
  const codes = new Set<string>();
  for (let seed = 1; seed <= count; seed++) {
    const { base, ways, go } = await cases[kind]!(seed, join(folder, kind));
    for (const { code, stage, defect } of await go()) {
      codes.add(code);
      expect(defect, `${kind}:${seed} (${base}: ${ways.join(", ")}) at ${stage}`).toBeUndefined();
    }
  }
  expect(codes).toContain("ok");
  expect(codes.size).toBeGreaterThan(1);
});

test("a number makes the same file again, and each number another one", () => {
  expect(damagedModel(17)).toEqual(damagedModel(17));
  expect(damagedModel(17).bytes).not.toEqual(damagedModel(18).bytes);
});

test("what is said to be damaged is: no file is its base", async () => {
  const sound = Object.values(bases).map(({ model }) => Buffer.from(toBinary(ModelProtoSchema, model())));
  for (let seed = 1; seed <= 100; seed++) {
    for (const { bytes, files, ways } of [damagedModel(seed), damagedBytes(seed)]) {
      expect(ways).not.toEqual([]);
      if (!files.has("weights.bin"))
        expect(
          sound.some((each) => each.equals(bytes)),
          `${seed}: ${ways}`,
        ).toBe(false);
    }
    const picture = await damagedPicture(seed);
    const whole = await soundPicture(picture.base);
    expect(Buffer.from(picture.bytes).equals(whole), `${seed}: ${picture.ways}`).toBe(false);
  }
});

test.each(pictureNames)("%s: the picture is sound before", async (name) => {
  const bytes = await soundPicture(name);
  const turned = name.includes("turned");
  const { width, height, format } = await decodePicture(bytes);
  expect([width, height]).toEqual(turned ? [16, 24] : [24, 16]);
  expect(name.startsWith(format === "heif" ? "avif" : format)).toBe(true);
});

test.each([
  ["models", damagedModel],
  ["operators", damagedOperator],
] as const)("%s: every way of damaging is one that changes something", (kind, make) => {
  for (const [seed, way] of waysOf[kind]!.entries()) expect(make(seed).ways[0]).toBe(way);
});
