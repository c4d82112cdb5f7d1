import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { element, file, greyLayout, uids } from "../../../test/encapsulated.ts";
import { PixelDataError, UnsupportedPixelsError } from "../../errors.ts";
import type { Frame, Instance, PixelLayout } from "../instance.ts";
import { loadVolume, type VolumeSource } from "./load-volume.ts";
import { closeDecoders } from "./pool.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "camkit-volume-"));
});
afterAll(async () => {
  await closeDecoders();
  await rm(folder, { recursive: true });
});

const frame = (rescaleSlope = 1, rescaleIntercept = 0) => ({ rescaleSlope, rescaleIntercept }) as Frame;

/** Slices of one row, two columns; each its own file. */
async function slices(
  values: readonly (readonly [number, number])[],
  more: { frames?: Frame[]; pixels?: Partial<PixelLayout> } = {},
): Promise<VolumeSource> {
  const instances = await Promise.all(
    values.map(async (pair, k) => {
      const path = join(folder, `${Math.random()}-${k}.dcm`);
      const pixels = element(0x7fe0, 0x0010, "OW", new Uint8Array(Int16Array.from(pair).buffer));
      await writeFile(path, file(uids.explicit, [pixels]));
      return {
        name: path,
        store: { path },
        transferSyntaxUid: uids.explicit,
        frames: [more.frames?.[k] ?? frame()],
        pixels: greyLayout(1, 2, { pixelRepresentation: 1, ...more.pixels }),
      } as unknown as Instance;
    }),
  );
  return {
    geometry: { shape: [values.length, 1, 2] } as unknown as VolumeSource["geometry"],
    slices: instances.map((instance) => ({ instance, frame: 0 })),
  };
}

test("slices stay in their order, each with its own slope and intercept", async () => {
  const frames = [frame(1, -1024), frame(2, 0), frame(-1, 5)];
  const done: number[] = [];
  const volume = await loadVolume(
    await slices(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      { frames },
    ),
    {
      onProgress: (count, total) => done.push(count / total),
    },
  );
  expect(volume.data).toBeInstanceOf(Int16Array);
  expect(Array.from(volume.data)).toEqual([-1023, -1022, 6, 8, 0, -1]);
  expect(volume.padding).toBeUndefined();
  expect(done).toEqual([1 / 3, 2 / 3, 1]);
});

test("float32 where a slope isn't whole, or a value doesn't fit into int16", async () => {
  const half = await loadVolume(
    await slices(
      [
        [1, 2],
        [3, 4],
      ],
      { frames: [frame(), frame(0.5)] },
    ),
  );
  expect(half.data).toEqual(Float32Array.of(1, 2, 1.5, 2));
  const large = await loadVolume(
    await slices(
      [
        [1, 2],
        [32767, 4],
      ],
      { frames: [frame(), frame(1, 1)] },
    ),
  );
  expect(large.data).toEqual(Float32Array.of(1, 2, 32768, 5));
});

test("padding gets the lowest value of all slices", async () => {
  const volume = await loadVolume(
    await slices(
      [
        [-2000, 100],
        [-2000, -2000],
        [-900, 7],
      ],
      { pixels: { pixelPaddingValue: -2000 } },
    ),
  );
  expect(Array.from(volume.data)).toEqual([-900, 100, -900, -900, -900, 7]);
  expect(volume.padding).toEqual({ voxels: 3, value: -900 });
});

test("frames of one instance, from memory", async () => {
  const bytes = file(uids.explicit, [
    element(0x7fe0, 0x0010, "OW", new Uint8Array(Int16Array.from(Array(40).keys()).buffer)),
  ]);
  const instance = {
    name: "enhanced",
    store: { bytes },
    transferSyntaxUid: uids.explicit,
    frames: Array.from({ length: 20 }, () => frame()),
    pixels: greyLayout(1, 2, { numberOfFrames: 20 }),
  } as unknown as Instance;
  const order = Array.from({ length: 20 }, (_, k) => 19 - k);
  const volume = await loadVolume({
    geometry: { shape: [20, 1, 2] } as unknown as VolumeSource["geometry"],
    slices: order.map((index) => ({ instance, frame: index })),
  });
  expect(Array.from(volume.data)).toEqual(order.flatMap((index) => [2 * index, 2 * index + 1]));
});

test("a bad slice is named, and the threads go on", async () => {
  const many = await slices(Array.from({ length: 40 }, (_, k) => [k, k] as const));
  const bad = many.slices[17]!.instance;
  await writeFile(bad.name, file(uids.explicit, [element(0x7fe0, 0x0010, "OW", new Uint8Array(2))]));
  const loading = loadVolume(many);
  await expect(loading).rejects.toBeInstanceOf(PixelDataError);
  await expect(loading).rejects.toThrow(`${bad.name}: pixel data have 2 bytes`);
  await rm(bad.name);
  await expect(loadVolume(many)).rejects.toMatchObject({ code: "file", path: bad.name });
  expect((await loadVolume(await slices([[8, 9]]))).data).toEqual(Int16Array.of(8, 9));
});

test("interrupted before and while it loads", async () => {
  const many = await slices(Array.from({ length: 30 }, (_, k) => [k, k] as const));
  await expect(loadVolume(many, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
  const stop = new AbortController();
  const loading = loadVolume(many, { signal: stop.signal, onProgress: () => stop.abort() });
  await expect(loading).rejects.toMatchObject({ code: "aborted" });
  expect((await loadVolume(many)).data.length).toBe(60);
});

test("colour, another size and too many voxels are refused", async () => {
  const colour = await slices([[1, 2]], { pixels: { photometricInterpretation: "RGB", samplesPerPixel: 3 } });
  await expect(loadVolume(colour)).rejects.toThrow(/take 12|needs one grey value per pixel/);
  const palette = await slices([[1, 2]], { pixels: { photometricInterpretation: "PALETTE COLOR" } });
  await expect(loadVolume(palette)).rejects.toBeInstanceOf(UnsupportedPixelsError);
  const mixed = await slices([
    [1, 2],
    [3, 4],
  ]);
  const other = mixed.slices[1]!.instance;
  const turned = { ...other, pixels: greyLayout(2, 1) } as Instance;
  await expect(loadVolume({ ...mixed, slices: [mixed.slices[0]!, { instance: turned, frame: 0 }] })).rejects.toThrow(
    `${other.name}: a slice of 2 × 1 pixels in a volume of 1 × 2`,
  );
  const huge = { ...mixed, geometry: { shape: [2, 65535, 65535] } as unknown as VolumeSource["geometry"] };
  await expect(loadVolume(huge)).rejects.toThrow("= 8589672450 voxels: at most 1073741824 are loaded");
});

test("threads that end are an error, not a wait for ever; the next volume gets new ones", async () => {
  const many = await slices(Array.from({ length: 40 }, (_, k) => [k, k] as const));
  const loading = loadVolume(many).catch((cause: unknown) => cause);
  await closeDecoders();
  expect(await loading).toMatchObject({ code: "decoder-thread" });
  expect((await loadVolume(many)).data.length).toBe(80);
});

test("values that go through a table instead of a slope are refused", async () => {
  const source = await slices([[1, 2]]);
  const { instance } = source.slices[0]!;
  const modalityLut = { firstMapped: 0, bits: 16, entries: Uint16Array.of(7, 8, 9) };
  const display = { modalityLut } as Instance["display"];
  const loading = loadVolume({ ...source, slices: [{ instance: { ...instance, display } as Instance, frame: 0 }] });
  await expect(loading).rejects.toBeInstanceOf(UnsupportedPixelsError);
  await expect(loading).rejects.toThrow("its values go through a Modality LUT (0028,3000)");
});

test("bytes that can't be had any more are an error; threads that rested are followed by new ones", async () => {
  const source = await slices([
    [1, 2],
    [3, 4],
  ]);
  const gone = {
    get bytes(): Uint8Array {
      throw new Error("the archive was damaged");
    },
  };
  const [first, second] = source.slices;
  const damaged = { ...source, slices: [first!, { ...second!, instance: { ...second!.instance, store: gone } }] };
  await expect(loadVolume(damaged)).rejects.toThrow("the archive was damaged");
  expect([...(await loadVolume(source)).data]).toEqual([1, 2, 3, 4]);
  await new Promise((resolve) => setTimeout(resolve, 2300));
  expect([...(await loadVolume(source)).data]).toEqual([1, 2, 3, 4]);
});
