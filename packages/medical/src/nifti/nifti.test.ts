import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { sha256Hex } from "@camkit/cam-core/data";
import { afterAll, describe, expect, test } from "vitest";
import { allOf, geometries, lesionMap, provenance } from "../../test/results.ts";
import { type Geometry, positionOf } from "../volume/geometry.ts";
import { fields, niftiHeader, quaternionOf } from "./header.ts";
import { readNifti } from "./read-nifti.ts";
import { readHeader } from "./scan-header.ts";
import { VoxelSink } from "./voxel-sink.ts";
import { writeNifti } from "./write-nifti.ts";

const folder = mkdtempSync(join(tmpdir(), "camkit-nifti-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const fresh = (ending = ".nii") => join(folder, `${files++}${ending}`);
const cases = Object.entries(geometries);

/** Largest distance, mm, between the same corners of two grids. */
const apart = (a: Geometry, b: Geometry): number =>
  Math.max(
    ...[0, 1, 2, 3, 4, 5, 6, 7].map((bits) => {
      const corner = a.shape.map((n, axis) => ((bits >> axis) & 1) * (n - 1)) as [number, number, number];
      const [p, q] = [positionOf(a, corner), positionOf(b, corner)];
      return Math.hypot(...p.map((mm, axis) => mm - q[axis]!));
    }),
  );

test.each(cases)("%s: what is written is read, by sform and by qform", async (_, geometry) => {
  const path = fresh(".nii.gz");
  await writeNifti(path, lesionMap(geometry), provenance);
  const volume = await readNifti(path);
  expect(volume.geometry.shape).toEqual(geometry.shape);
  expect([...volume.data]).toEqual([...allOf(lesionMap(geometry))]);
  expect(apart(volume.geometry, geometry)).toBeLessThan(1e-4); // float32 of some 100 mm

  const plain = fresh();
  await writeNifti(plain, volume);
  const bytes = readFileSync(plain);
  bytes.writeInt16LE(0, fields.sformCode);
  bytes.fill(0, fields.srow, fields.srow + 48);
  writeFileSync(plain, bytes);
  expect(apart((await readNifti(plain)).geometry, geometry)).toBeLessThan(1e-3);
});

test("a quaternion by hand: a half turn about x, and a mirrored third axis", () => {
  // LPS directions that are RAS (1,0,0), (0,-1,0), (0,0,-1) for columns, rows, slices: half a turn about x is b = 1.
  const geometry = {
    ...geometries.axial!,
    directions: [
      [0, 0, -1],
      [0, 1, 0],
      [-1, 0, 0],
    ],
  } as Geometry;
  expect(quaternionOf(geometry)!.qfac).toBe(1);
  expect(quaternionOf(geometry)!.bcd.map(Math.abs)).toEqual([1, 0, 0]);
  const mirrored = {
    ...geometry,
    directions: [
      [0, 0, 1],
      [0, 1, 0],
      [-1, 0, 0],
    ],
  } as Geometry;
  expect(quaternionOf(mirrored)).toEqual({ bcd: quaternionOf(geometry)!.bcd, qfac: -1 });
});

test("whole numbers stay int16, others become float32 from where they begin, whatever the pieces", () => {
  const head = niftiHeader({
    geometry: geometries.axial!,
    dtype: "float32",
    voxOffset: 352,
    description: "",
    intent: undefined,
  });
  const view = new DataView(head.buffer);
  view.setInt16(fields.dim + 2, 5, true);
  view.setInt16(fields.dim + 4, 1, true);
  view.setInt16(fields.dim + 6, 1, true);
  view.setFloat32(fields.sclSlope, 2, true);
  view.setFloat32(fields.sclInter, -1000, true);
  const stored = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
  const taken = (bytes: Uint8Array, piece: number) => {
    const sink = new VoxelSink(readHeader("x", head));
    for (let at = 0; at < bytes.length; at += piece) sink.take(bytes.subarray(at, at + piece), at);
    expect(sink.isFull).toBe(true);
    return sink.data();
  };
  for (const piece of [1, 3, 4, 7, 20]) {
    expect(taken(stored([0, 1, 2, 500, -1]), piece)).toEqual(Int16Array.from([-1000, -998, -996, 0, -1002]));
    expect(taken(stored([0, 1, 0.25, 500, 20_000]), piece)).toEqual(
      Float32Array.from([-1000, -998, -999.5, 0, 39_000]),
    );
  }
});

test("big endian", async () => {
  const path = fresh();
  const geometry = geometries.oblique!;
  await writeNifti(path, { geometry, data: Int16Array.from(allOf(lesionMap(geometry)), (value) => 1000 * value) });
  const expected = await readNifti(path);
  const bytes = readFileSync(path);
  const int16s = [40, 42, 44, 46, 68, 70, 72, 252, 254];
  for (const at of int16s) bytes.subarray(at, at + 2).reverse();
  for (const at of [
    0,
    ...Array.from({ length: 13 }, (_, i) => 76 + 4 * i),
    ...Array.from({ length: 18 }, (_, i) => 256 + 4 * i),
  ])
    if (at !== 120) bytes.subarray(at, at + 4).reverse(); // 120: single bytes
  bytes.subarray(352).swap16();
  writeFileSync(path, bytes);
  const swapped = await readNifti(path);
  expect(swapped.geometry).toEqual(expected.geometry);
  expect(swapped.data).toEqual(expected.data);
});

/** Edits of a file's header that answer with the file. */
const int16 =
  (value: number, ...offsets: readonly number[]) =>
  (bytes: Buffer) => {
    for (const at of offsets) bytes.writeInt16LE(value, at);
    return bytes;
  };
const int32 = (value: number, at: number) => (bytes: Buffer) => {
  bytes.writeInt32LE(value, at);
  return bytes;
};
const float32 = (value: number, at: number) => (bytes: Buffer) => {
  bytes.writeFloatLE(value, at);
  return bytes;
};

describe("refused by name", () => {
  const geometry = geometries.axial!;
  const edited = async (edit: (bytes: Buffer) => Buffer, ending = ".nii") => {
    const path = fresh(ending);
    const plain = fresh();
    await writeNifti(plain, lesionMap(geometry));
    const bytes = readFileSync(plain);
    writeFileSync(path, edit(bytes));
    return path;
  };
  test.each<[string, RegExp, (bytes: Buffer) => Buffer]>([
    [
      "cut off",
      /cut off: its header promises 23392 bytes, the file can't hold more than 20000/,
      (b) => b.subarray(0, 20_000),
    ],
    ["cut off in gzip", /cut off after 4912 of 5760 voxels/, (b) => gzipSync(b.subarray(0, 20_000))],
    ["damaged gzip", /damaged gzip data/, (b) => gzipSync(b).fill(0x55, 30, 60)],
    ["half of a gzip", /damaged gzip data/, (b) => gzipSync(b).subarray(0, 300)],
    ["too short", /100 bytes, expected a header of 348/, (b) => b.subarray(0, 100)],
    ["something else", /no NIfTI: its header says that it has 0 bytes/, (b) => b.fill(0)],
    ["a pair", /pair of files/, int32(0x00_31_69_6e, fields.magic)], // "ni1"
    ["NIfTI-2", /NIfTI-2/, int32(540, 0)],
    ["several volumes", /24 x 20 x 12 x 3: several volumes/, (b) => int16(3, 48)(int16(4, 40)(b))],
    ["no voxels", /sizes 24 x 0 x 12/, int16(0, 44)],
    ["colour", /datatype 128/, int16(128, fields.datatype)],
    ["a lying header", /32767 x 32767 x 32767 voxels/, int16(32_767, 42, 44, 46)],
    ["a lying gzip", /promises 4000000352 bytes/, (b) => gzipSync(int16(1000, 42, 44, 46)(b))],
    ["no orientation", /neither an sform nor a qform/, int16(0, fields.qformCode, fields.sformCode)],
    ["skewed axes", /aren't orthogonal: a cosine of 0.1961/, float32(0.3, fields.srow + 4)],
    ["a voxel without size", /expected positive sizes/, float32(0, fields.srow)],
  ])("%s", async (_, message, edit) => {
    const path = await edited(edit);
    await expect(readNifti(path)).rejects.toThrow(message);
    await expect(readNifti(path)).rejects.toMatchObject({ code: "nifti" });
  });
  test("a file that isn't there", async () => {
    await expect(readNifti(join(folder, "none.nii"))).rejects.toMatchObject({ code: "file" });
  });
});

test("damaged files are read or refused by name, within the memory that a file of theirs can fill", async () => {
  const plain = fresh();
  await writeNifti(plain, lesionMap(geometries.axial!), provenance);
  const sound = readFileSync(plain);
  const path = fresh();
  let seed = 7;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  let refused = 0;
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(sound);
    for (let i = random(6); i >= 0; i--) bytes[random(352)] = random(256);
    const cut = random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
    writeFileSync(path, round % 2 === 0 ? cut : gzipSync(cut, { level: 1 }));
    const volume = await readNifti(path).catch((error: unknown) => {
      expect(error).toMatchObject({ code: "nifti" });
      refused++;
    });
    if (volume) expect(volume.data.length).toBeLessThanOrEqual(sound.length * 1032);
  }
  expect(refused).toBeGreaterThan(100);
  expect(refused).toBeLessThan(300);
});

const shared = process.env.CAMKIT_SHARED ?? join(import.meta.dirname, "../../../../../shared");
const scans = join(shared, "data/ct/nifti");
if (!existsSync(scans)) console.warn(`skipped: no scans at ${scans}`);

// nibabel 5.4.2: sha256 of asanyarray(dataobj).transpose(2, 1, 0) as little-endian int16; the scan's own dtype is in the comment.
const golden = [
  ["example_ct.nii.gz", [112, 101, 122], "dedfbdb72fb24a5cb908a1171353e4457eeb6569cddc874af02a04a4f29f5489"], // int32
  ["example_ct_sm.nii.gz", [30, 101, 122], "d46fabdda64cab23afd3eee9d16f527d0531ce53b377d7de040603b9e991c77b"], // int16
  ["example_seg.nii.gz", [30, 101, 122], "285022df00ca3db66e9f2ede0964d6e34c2f719c0fa7f7563f2a42ff23f8cda1"], // uint8
] as const;

test.skipIf(!existsSync(scans)).each(golden)("%s is what nibabel reads", async (name, shape, sha256) => {
  const { geometry, data } = await readNifti(join(scans, name));
  expect(geometry.shape).toEqual(shape);
  expect(data).toBeInstanceOf(Int16Array);
  expect(sha256Hex(new Uint8Array(data.buffer))).toBe(sha256);
  // nibabel's affine: 3 mm along each axis, from RAS (-177.956, 11.319, 94.302).
  expect(geometry.spacingMm).toEqual([3, 3, 3]);
  expect(geometry.originMm.map((mm) => Math.round(mm * 1000))).toEqual([177_956, -11_319, 94_302]);
  expect(geometry.directions.flat().map((d) => d + 0)).toEqual([0, 0, 1, 0, -1, 0, -1, 0, 0].map((d) => d + 0));
});

test("voxels that are no numbers are refused, with the first of them", async () => {
  const geometry = geometries.anisotropic!;
  const [slices, rows, columns] = geometry.shape;
  const data = new Float32Array(slices * rows * columns).fill(0.5);
  data[(2 * rows + 3) * columns + 4] = Number.NaN;
  data[data.length - 1] = Number.POSITIVE_INFINITY;
  const path = fresh();
  await writeNifti(path, { geometry, data });
  await expect(readNifti(path)).rejects.toThrow(
    `${path}: 2 of ${data.length} voxels are no numbers, NaN at slice, row, column 2, 3, 4 for one`,
  );
});
