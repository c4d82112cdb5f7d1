import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodePicture, encodePicture, type Picture, writeAtomic } from "@camkit/cam-core/data";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Browser, launchChromium, type Page, softwareGl } from "../../../testing/chromium.ts";
import { withoutPeers } from "../../../testing/peers.ts";
import type { Server } from "../../../testing/serve.ts";
import { derivedUid } from "../src/dicom/uids.ts";
import { type ExplainedScan, explainSeries, openScanModel, openStudy, selectSeries } from "../src/index.ts";
import { dicomweb, dicomwebDestination, storeResults } from "../src/pacs/index.ts";
import { drawThorax, thoraxGeometry } from "../src/phantom/index.ts";
import { indexOf, type Vec3 } from "../src/volume/geometry.ts";
import type { Volume } from "../src/volume/volume.ts";
import { writeCtSeries } from "../src/write/ct-series.ts";
import { writeParametricMap } from "../src/write/parametric-map.ts";
import { ohifFolder, serveOhif } from "./ohif.ts";
import { type Orthanc, startOrthanc } from "./orthanc.ts";
import { ctScan, geometries, lesionCentre, lesionMap, provenance } from "./results.ts";

const ohif = ohifFolder();

const seed = 26; // one consolidation, off the middle along every axis: no mirrored map would pass
const phantom = drawThorax(seed, { label: "consolidation", geometry: thoraxGeometry(seed, { size: 256, slices: 48 }) });
const { geometry } = phantom.volume;

describe.skipIf(ohif === undefined || withoutPeers("Orthanc", "chromium"))(
  "OHIF, on Orthanc",
  { timeout: 180_000 },
  () => {
    let folder: string;
    let orthanc: Orthanc;
    let server: Server;
    let browser: Browser;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "camkit-ohif-"));
      orthanc = await startOrthanc();
      server = await serveOhif(ohif!, orthanc.dicomweb);
      browser = await launchChromium(softwareGl);
    }, 60_000);
    afterAll(async () => {
      await browser?.close();
      await server?.close();
      await orthanc?.close();
      await rm(folder, { recursive: true, force: true });
    });

    /** Stores a scan and its map, opens the study and the map in it. */
    async function open(key: string, volume: Volume, explain: Explain): Promise<Page> {
      const ct = await writeCtSeries(volume, join(folder, key), { key, patientId: "phantom" });
      const { map, scan, provenance } = await explain(join(folder, key));
      const written = await writeParametricMap(join(folder, `${key}.dcm`), map, { scan, provenance });
      const destination = dicomwebDestination(dicomweb(orthanc.dicomweb));
      const stored = await storeResults(destination, [...ct, written.path], join(folder, "stored.jsonl"));
      expect(stored.refused).toEqual([]);

      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      await page.goto(`${server.url}/viewer?StudyInstanceUIDs=${derivedUid(key, "study")}`);
      await page.getByText("Skip all").click({ timeout: 60_000 }); // the viewer's own tour
      await page.getByText("PMAP", { exact: true }).dblclick();
      await page.waitForFunction(mapIsShown, undefined, { timeout: 60_000 });
      return page;
    }

    /** The viewer's maximum of the map lies in the voxel that has `mm` in it; the CT there is the scan's. Its index. */
    async function expectMaximum(page: Page, { geometry, data }: Volume, mm: Vec3): Promise<Vec3> {
      // The map may be there before the last slices of the CT are.
      let seen = await page.evaluate(look, mm);
      for (let tries = 0; tries < 60 && seen.huAtMaximum == null; tries++) {
        await page.waitForTimeout(500);
        seen = await page.evaluate(look, mm);
      }
      expect(seen.modalities.sort()).toEqual(["CT", "PMAP"]);
      const index = indexOf(geometry, seen.maximumMm);
      for (const [axis, at] of indexOf(geometry, mm).entries())
        expect(Math.abs(index[axis]! - at)).toBeLessThanOrEqual(0.51);
      const [k, row, column] = index.map(Math.round) as [number, number, number];
      expect(seen.huAtMaximum).toBe(data[(k * geometry.shape[1] + row) * geometry.shape[2] + column]);
      return [k, row, column];
    }

    test("the shipped model's Parametric Map lies over the CT, its maximum on the lesion", async () => {
      let found: ExplainedScan | undefined;
      const page = await open("ohif", phantom.volume, async (series) => {
        found = await explained(series);
        return found;
      });
      const { positionMm } = found!.statistics.peak;
      const [k, row, column] = await expectMaximum(page, phantom.volume, positionMm);
      expect(phantom.lesionMask[(k * geometry.shape[1] + row) * geometry.shape[2] + column]).toBeGreaterThan(0);

      // And the picture: the lesion's place has the warm end of the colours, the other lung none.
      await page.waitForFunction(`!document.body.innerText.includes("multiplied by 100")`); // the viewer's own note
      const picture = await stillPicture(page);
      const at = (mm: Vec3) => page.evaluate(canvasPosition, mm).then(([x, y]) => pixel(picture, x, y));
      const [r, g, b] = await at(positionMm);
      expect(r - b).toBeGreaterThan(60);
      expect(r).toBeGreaterThan(g);
      const [x, y, z] = positionMm;
      const [r1, g1, b1] = await at([-x, y, z]); // in the other lung
      expect(Math.max(r1, g1, b1) - Math.min(r1, g1, b1)).toBeLessThan(12);
      if (process.env.CAMKIT_PICTURES)
        await writeAtomic(
          join(process.env.CAMKIT_PICTURES, "ohif.webp"),
          await encodePicture(picture, { format: "webp" }),
        );
    });

    test("so it does over an oblique scan of unequal voxels", async () => {
      // OHIF 3.13 reads frames at wrong offsets, and gives up, where rows times columns is no multiple of four.
      const geometry = { ...geometries.oblique!, shape: [10, 22, 20] as const };
      const data = Int16Array.from({ length: 10 * 22 * 20 }, (_, i) => ((i * 7919) % 3001) - 1000);
      const page = await open("ohif-oblique", { geometry, data }, async () => ({
        map: lesionMap(geometry),
        scan: ctScan(geometry, "ohif-oblique"),
        provenance,
      }));
      await expectMaximum(page, { geometry, data }, lesionCentre(geometry));
    });
  },
);

type Explain = (folder: string) => Promise<Pick<ExplainedScan, "map" | "scan" | "provenance">>;

/** By the shipped model, from the series' files. */
async function explained(folder: string): Promise<ExplainedScan> {
  const model = await openScanModel(new URL("../../../models/chest-ct/model.onnx", import.meta.url).pathname);
  const { series } = selectSeries((await openStudy([folder])).series);
  const asked = { target: "auto", threshold: 0.5, metrics: [], camkitVersion: "0", time: new Date() };
  return explainSeries(series, { model, ...asked });
}

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
    maximumMm: maximumMm as [number, number, number],
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
