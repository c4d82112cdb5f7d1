import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodePicture, encodePicture, type Picture, writeAtomic } from "@camkit/cam-core/data";
import { chromium, type Page } from "playwright-core";
import { expect, test } from "vitest";
import { derivedUid } from "../src/dicom/uids.ts";
import { dicomweb, dicomwebDestination, storeResults } from "../src/pacs/index.ts";
import { type Geometry, positionOf, type Vec3 } from "../src/volume/geometry.ts";
import type { VoxelMap } from "../src/volume/volume.ts";
import { writeCtSeries } from "../src/write/ct-series.ts";
import { writeParametricMap } from "../src/write/parametric-map.ts";
import { ohifFolder, serveOhif } from "./ohif.ts";
import { startOrthanc } from "./orthanc.ts";
import { programAt, withoutPeers } from "./peers.ts";
import { ctScan, provenance } from "./results.ts";

const ohif = ohifFolder();

const key = "ohif";
const geometry: Geometry = {
  shape: [40, 128, 128],
  spacingMm: [6, 2.7, 2.7],
  originMm: [-172, -172, -120],
  directions: [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ],
};
/** Off the middle along every axis, so that no mirrored map would pass. */
const lesion: Vec3 = [27, 74, 85];
const lesionMm = positionOf(geometry, lesion);
const lesionRadiusMm = 14;

/** A thorax as far as a viewer is concerned: body, lungs, spine, and the lesion in the left lung. */
function thorax(): Int16Array {
  const [slices, rows, columns] = geometry.shape;
  const hu = new Int16Array(slices * rows * columns);
  const inside = (x: number, y: number, z: number, at: Vec3, half: Vec3) =>
    ((x - at[0]) / half[0]) ** 2 + ((y - at[1]) / half[1]) ** 2 + ((z - at[2]) / half[2]) ** 2 < 1;
  for (let i = 0; i < hu.length; i++) {
    const index: Vec3 = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
    const [x, y, z] = positionOf(geometry, index);
    const wave = 14 * Math.sin(x / 5 + Math.sin(y / 7)) * Math.sin(y / 6 + z / 9);
    let value = -1000;
    if (inside(x, y, 0, [0, 0, 0], [158, 112, 1])) value = inside(x, y, 0, [0, 0, 0], [146, 100, 1]) ? 45 : -90;
    if (inside(x, y, z, [68, -2, 0], [52, 74, 115]) || inside(x, y, z, [-68, -2, 0], [52, 74, 115]))
      value = -830 + wave * 4;
    if (inside(x, y, z, [18, -28, -30], [52, 44, 60])) value = 40;
    if (inside(x, y, 0, [0, 66, 0], [20, 22, 1])) value = 350;
    const distance = Math.hypot(x - lesionMm[0], y - lesionMm[1], z - lesionMm[2]);
    if (distance < lesionRadiusMm) value = -80;
    hu[i] = value + wave;
  }
  return hu;
}

/** What a network might have looked at: greatest in the middle of the lesion. */
const map: VoxelMap = {
  geometry,
  slice(k, into) {
    const columns = geometry.shape[2];
    for (let i = 0; i < into.length; i++) {
      const [x, y, z] = positionOf(geometry, [k, Math.floor(i / columns), i % columns]);
      const squared = (x - lesionMm[0]) ** 2 + (y - lesionMm[1]) ** 2 + (z - lesionMm[2]) ** 2;
      into[i] = Math.exp(-squared / (2 * 22 ** 2));
    }
  },
};

test.skipIf(ohif === undefined || withoutPeers("Orthanc", "chromium"))(
  "OHIF, on Orthanc, lays the Parametric Map over the CT: its maximum on the lesion",
  { timeout: 180_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "camkit-ohif-"));
    const orthanc = await startOrthanc();
    const server = await serveOhif(ohif!, orthanc.dicomweb);
    const browser = await chromium.launch({
      executablePath: programAt("chromium")!,
      args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"],
    });
    try {
      const volume = { geometry, data: thorax() };
      const ct = await writeCtSeries(volume, join(folder, "ct"), { key, patientId: "P1" });
      const written = await writeParametricMap(join(folder, "map.dcm"), map, {
        scan: ctScan(geometry, key),
        provenance,
      });
      const destination = dicomwebDestination(dicomweb(orthanc.dicomweb));
      expect((await storeResults(destination, [...ct, written.path], join(folder, "j.jsonl"))).refused).toEqual([]);

      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      await page.goto(`${server.url}/viewer?StudyInstanceUIDs=${derivedUid(key, "study")}`);
      await page.getByText("Skip all").click({ timeout: 60_000 }); // the viewer's own tour
      await page.getByText("PMAP", { exact: true }).dblclick();
      await page.waitForFunction(mapIsShown, undefined, { timeout: 60_000 });

      const seen = await page.evaluate(look, lesionMm);
      expect(seen.modalities.sort()).toEqual(["CT", "PMAP"]);
      for (const [axis, mm] of lesionMm.entries())
        expect(Math.abs(seen.maximumMm[axis]! - mm)).toBeLessThanOrEqual(geometry.spacingMm[2 - axis]! / 2 + 0.01);
      expect(seen.maximum).toBeCloseTo(100, 0); // it shows per cent
      expect(Math.abs(seen.huAtMaximum - -80)).toBeLessThan(30); // the CT's voxel there is the lesion's

      // And the picture: the lesion's place has the warm end of the colours, the other lung none.
      const picture = await stillPicture(page);
      const at = (mm: Vec3) => page.evaluate(canvasPosition, mm).then(([x, y]) => pixel(picture, x!, y!));
      const [r, g, b] = await at(lesionMm);
      expect(r - b).toBeGreaterThan(60);
      expect(r).toBeGreaterThan(g);
      const [r1, g1, b1] = await at([-lesionMm[0], lesionMm[1], lesionMm[2]]);
      expect(Math.max(r1, g1, b1) - Math.min(r1, g1, b1)).toBeLessThan(12);
      if (process.env.CAMKIT_PICTURES)
        await writeAtomic(
          join(process.env.CAMKIT_PICTURES, "ohif.webp"),
          await encodePicture(picture, { format: "webp" }),
        );
    } finally {
      await browser.close();
      await server.close();
      await orthanc.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
);

/** The screen once it doesn't change any more. */
async function stillPicture(page: Page): Promise<Picture> {
  let before = "";
  for (let tries = 0; tries < 40; tries++) {
    const shot = await page.screenshot();
    if (shot.toString("base64") === before) return decodePicture(shot, "a screenshot");
    before = shot.toString("base64");
    await page.waitForTimeout(500);
  }
  throw new Error("the viewer's picture doesn't come to rest");
}

function pixel({ rgb, width }: Picture, x: number, y: number): [r: number, g: number, b: number] {
  const at = (Math.round(y) * width + Math.round(x)) * 3;
  return [rgb[at]!, rgb[at + 1]!, rgb[at + 2]!];
}

// What follows runs in the page. OHIF gives its services to whoever asks: window.services!.

/** As much of Cornerstone as is used here. */
type Viewport = {
  readonly element: { getBoundingClientRect(): { left: number; top: number } };
  getActors(): readonly unknown[];
  worldToCanvas(mm: readonly number[]): [x: number, y: number];
  jumpToWorld(mm: readonly number[]): boolean;
  render(): void;
};
type LoadedVolume = {
  readonly volumeId: string;
  /** [columns, rows, slices] */
  readonly dimensions: readonly number[];
  readonly imageData: { indexToWorld(ijk: readonly number[]): number[]; worldToIndex(mm: readonly number[]): number[] };
  readonly voxelManager: {
    getCompleteScalarDataArray(): ArrayLike<number>;
    getAtIJK(i: number, j: number, k: number): number;
  };
};
declare const window: {
  readonly services?: {
    cornerstoneViewportService: { getRenderingEngine(): { getViewports(): readonly Viewport[] } | null };
    displaySetService: { getActiveDisplaySets(): readonly { readonly Modality: string }[] };
  };
  readonly cornerstone: { cache: { getVolumes(): readonly LoadedVolume[] } };
};

/** The CT and the map, in one viewport. */
function mapIsShown(): boolean {
  const viewports = window.services?.cornerstoneViewportService.getRenderingEngine()?.getViewports() ?? [];
  return viewports[0]?.getActors().length === 2;
}

/** Turns to a position, and says where the viewer has the map's maximum, and what the CT is there. */
function look(mm: readonly number[]) {
  const viewport = window.services!.cornerstoneViewportService.getRenderingEngine()!.getViewports()[0]!;
  viewport.jumpToWorld(mm);
  viewport.render();
  const volumes = window.cornerstone.cache.getVolumes();
  const map = volumes.find(({ volumeId }) => volumeId.startsWith("pmap"))!;
  const ct = volumes.find((volume) => volume !== map)!;
  const values = map.voxelManager.getCompleteScalarDataArray();
  let best = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  const [columns, rows] = map.dimensions as [number, number];
  const ijk = [best % columns, Math.floor(best / columns) % rows, Math.floor(best / columns / rows)];
  const maximumMm = map.imageData.indexToWorld(ijk);
  const [i, j, k] = ct.imageData.worldToIndex(maximumMm).map(Math.round) as [number, number, number];
  return {
    modalities: window.services!.displaySetService.getActiveDisplaySets().map(({ Modality }) => Modality),
    maximum: values[best]!,
    maximumMm,
    huAtMaximum: ct.voxelManager.getAtIJK(i, j, k),
  };
}

/** Where a position in the patient lies on the screen, pixels. */
function canvasPosition(mm: readonly number[]): [x: number, y: number] {
  const viewport = window.services!.cornerstoneViewportService.getRenderingEngine()!.getViewports()[0]!;
  const { left, top } = viewport.element.getBoundingClientRect();
  const [x, y] = viewport.worldToCanvas(mm);
  return [left + x, top + y];
}
