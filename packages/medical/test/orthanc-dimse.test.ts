import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Hex } from "@camkit/cam-core/data";
import dicomParser from "dicom-parser";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { withoutPeers } from "../../../testing/peers.ts";
import { derivedUid } from "../src/dicom/uids.ts";
import { type Destination, dicomweb, dimseDestination, pacsSource, storeResults } from "../src/pacs/index.ts";
import { readJournal } from "../src/pacs/journal.ts";
import { writeCtSeries } from "../src/write/ct-series.ts";
import { writeParametricMap } from "../src/write/parametric-map.ts";
import { part10 } from "../src/write/part10.ts";
import { type Orthanc, startOrthanc } from "./orthanc.ts";
import { ctScan, geometries, lesionMap, provenance } from "./results.ts";

describe("C-STORE", () => {
  test.each(["pacs:104", "ORTHANC@pacs", "ORTHANC@pacs:99999", "A_TITLE_TOO_LONG_FOR_DICOM@pacs:104"])(
    "%s is no address",
    async (address) => {
      await expect(dimseDestination(address)).rejects.toThrow(/no address of a DICOM node/);
    },
  );

  test("without its package, the error says what to install", async () => {
    vi.doMock("dcmjs-dimse", () => {
      throw new Error("Cannot find package");
    });
    await expect(dimseDestination("ORTHANC@pacs:104")).rejects.toMatchObject({
      code: "missing-package",
      blame: "environment",
      hint: expect.stringContaining("npm install dcmjs-dimse"),
    });
    vi.doUnmock("dcmjs-dimse");
  });

  describe.skipIf(withoutPeers("Orthanc"))("to Orthanc", () => {
    let orthanc: Orthanc;
    let folder: string;
    let to: Destination;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "camkit-dimse-"));
      orthanc = await startOrthanc({ DicomCheckCalledAet: true, UnknownSopClassAccepted: false });
      to = await dimseDestination(`ORTHANC@127.0.0.1:${orthanc.dicomPort}`, { attempts: 1, idleMs: 5000 });
    }, 60_000);
    afterAll(async () => {
      await orthanc?.close();
      await rm(folder, { recursive: true, force: true });
    });

    test("a series and a map arrive with the pixels that were sent; a class that it doesn't take is named", async () => {
      const key = "dimse";
      const geometry = geometries.axial!;
      const data = Int16Array.from({ length: 12 * 20 * 24 }, (_, i) => ((i * 7919) % 3001) - 1000);
      const paths = await writeCtSeries({ geometry, data }, join(folder, "ct"), { key, patientId: key });
      const map = lesionMap(geometry);
      const written = await writeParametricMap(join(folder, "map.dcm"), map, {
        scan: ctScan(geometry, key),
        provenance,
      });
      const unknown = join(folder, "unknown.dcm");
      const uids = { StudyInstanceUID: "1.2", SeriesInstanceUID: "1.2.3", SOPInstanceUID: "1.2.3.4" };
      await writeFile(unknown, part10({ ...uids, SOPClassUID: "1.2.3.4.5", Modality: "CT" }));

      const journal = join(folder, "journal.jsonl");
      const stored = await storeResults(to, [...paths, written.path, unknown], journal);
      expect(stored.stored).toEqual([...paths, written.path]);
      expect(stored.refused).toMatchObject([
        { path: unknown, reason: expect.stringContaining("doesn't take 1.2.3.4.5") },
      ]);

      // The library writes data sets anew: what was read from the file has to be what the PACS got.
      const sent = await Promise.all(stored.stored.map(async (path) => elementsOf(await readFile(path))));
      const fetched: ReturnType<typeof elementsOf>[] = [];
      const client = dicomweb(orthanc.dicomweb);
      for (const series of [derivedUid(key, "series"), written.seriesInstanceUid])
        for await (const { bytes } of pacsSource(client, { study: derivedUid(key, "study"), series }))
          fetched.push(elementsOf(bytes));
      expect(fetched).toHaveLength(13);
      for (const instance of fetched) expect(sent).toContainEqual(instance);

      const again = await storeResults(to, paths, journal);
      expect(again).toMatchObject({ stored: [], present: paths });
      expect(await readJournal(journal)).toHaveLength(2 * 14);
    });

    test("wrong titles and ports are named", async () => {
      const [path] = await writeCtSeries(
        { geometry: { ...geometries.axial!, shape: [1, 4, 4] }, data: new Int16Array(16) },
        join(folder, "one"),
        { key: "one", patientId: "one" },
      );
      const storing = async (address: string) => {
        const destination = await dimseDestination(address, { attempts: 2, firstDelayMs: 10, idleMs: 5000 });
        return storeResults(destination, [path!], join(folder, "one.jsonl"));
      };
      await expect(storing(`NOBODY@127.0.0.1:${orthanc.dicomPort}`)).rejects.toMatchObject({
        code: "pacs",
        message: expect.stringMatching(/refuses the association: it isn't the called AE title/),
      });
      await expect(storing("ORTHANC@127.0.0.1:1")).rejects.toMatchObject({
        code: "pacs-unreachable",
        message: expect.stringMatching(/ORTHANC@127.0.0.1:1: nothing listens there/),
      });
    });
  });
});

/** Data elements by tag, as hashes of their bytes; sequences by their length. Padding aside, whatever encoded them. */
function elementsOf(bytes: Uint8Array): Record<string, string | number> {
  const { elements } = dicomParser.parseDicom(bytes);
  const found: Record<string, string | number> = {};
  for (const [tag, { vr, items, dataOffset, length }] of Object.entries(elements)) {
    if (tag < "x0008" || length === 0) continue;
    const value = Buffer.from(bytes.subarray(dataOffset, dataOffset + length));
    const isText = !["OW", "OB", "OF", "UN"].includes(vr ?? "");
    found[tag] = items ? items.length : sha256Hex(isText ? value.toString("latin1").replace(/[ \0]+$/, "") : value);
  }
  return found;
}
