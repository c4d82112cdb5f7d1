import { expect, test } from "vitest";
import { type Faithfulness, faithfulnessHtml, faithfulnessWarnings } from "./faithfulness.ts";
import { reportPage } from "./page.ts";
import { predictionHtml, predictionTiles, verdict, wording } from "./prediction.ts";
import { statistics } from "./statistics.ts";
import { ballReport } from "./test-report.ts";
import { ballMap } from "./test-scan.ts";
import { placeWarnings } from "./where.ts";

const text = (html: string) =>
  html
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

test("one page, everything in it, nothing fetched", async () => {
  const html = await reportPage(ballReport());
  expect(html).not.toMatch(/(src|href|action)="(https?:)?\/\//);
  expect(html).not.toMatch(/@import|url\((?!data:)|<link/);
  const read = text(html);
  for (const said of [
    "Research use only",
    "Consolidation",
    "87 %", // the prediction
    "78 points ahead of ground-glass",
    "temperature 1.34",
    "right lung",
    "Deletion: lower is better",
    "Weight randomisation: ends at 0.040",
    "−1200 to 600 HU", // preprocessing
    "1 localizer set aside", // notes
    "A demonstration", // limits
    "2 UIDs were missing or illegal",
    "map.dcm",
    "slice 14, row 29, column 19", // the maximum
  ])
    expect(read).toContain(said);
  expect(html).toContain('<script type="application/json" id="viewer-data">');
  const [top] = html.split("<main>");
  expect(text(top!)).toContain("A demonstration");
});

test("what isn't known is left out, and what is uncalibrated says so", async () => {
  const { calibration: _, faithfulness: __, seenSlices: ___, ...bare } = ballReport();
  const map = ballMap();
  const read = text(await reportPage({ ...bare, statistics: statistics(map, undefined, { threshold: 0.5 }) }));
  expect(read).toContain("how sure it sounds, not how likely it is");
  expect(read).toContain("No lungs were found");
  expect(read).not.toContain("Does the model use what the map marks?");
  expect(read).not.toContain("the network saw");
});

test("below the threshold of its calibration the model can't say", () => {
  const answer = { ...ballReport(), target: "consolidation", calibration: { temperature: 1, answerAbove: 0.9 } };
  expect(verdict(answer)).toBe("Undecided");
  expect(wording(answer)).toMatch(/^No class reaches 90 %, from where the model answers: it can't say\. Probabilities/);
  expect(verdict({ ...answer, calibration: { temperature: 1, answerAbove: 0.8 } })).toBe("Consolidation");
});

test("findings that don't exclude each other are all named; a segmentation is called after its target", () => {
  const of = (...probabilities: number[]) => ({
    predictions: probabilities.map((probability, i) => ({ class: i, label: `finding ${i}`, score: 0, probability })),
    isMultiLabel: true,
    target: "lesion",
  });
  expect(verdict(of(0.9, 0.6, 0.1))).toBe("Finding 0, finding 1");
  expect(verdict(of(0.3, 0.1))).toBe("None of 2 findings");
  expect(predictionTiles(of(0.9, 0.6)).map(({ label }) => label)).toEqual(["finding 0"]);
  expect(verdict({ predictions: [], target: "lesion" })).toBe("Lesion");
  expect(predictionHtml({ predictions: [], target: "lesion" })).toBe("");
});

test("a radiograph has a picture, not slices, and no place in the patient", async () => {
  const { volume, map, scan, seenSlices: _, ...report } = ballReport();
  const geometry = { ...volume.geometry, shape: [1, 48, 64] as const };
  const picture = { geometry, data: Int16Array.from({ length: 48 * 64 }, (_, i) => i % 256) };
  const flat = { geometry, slice: (_: number, into: Float32Array) => map.slice(13, into) };
  const read = text(
    await reportPage({
      ...report,
      volume: picture,
      map: flat,
      statistics: statistics(flat, undefined, { threshold: 0.5 }),
      scan: { ...scan, frameOfReferenceUid: undefined, modality: "DX", geometry },
    }),
  );
  expect(read).toContain("The map's maximum is in row 29, column 19.");
  expect(read).toContain("DX of 2026-01-01: what covidnet3d-s saw");
  for (const said of ["Slices", "Contact sheet", "No lungs were found", "coronal", "mediastinum", "slices of"])
    expect(read).not.toContain(said);
});

test("text from files can't become markup, nor end the script's data", async () => {
  const report = ballReport();
  const evil = '</script><img src=x onerror="alert(1)">';
  const html = await reportPage({
    ...report,
    scan: {
      ...report.scan,
      notes: [evil],
      identity: { ...report.scan.identity, PatientID: evil, SeriesDescription: evil },
    },
    predictions: [{ class: 0, label: evil, score: 1, probability: 0.5 }],
    files: [{ name: 'a"b<c>.dcm', what: evil }],
  });
  expect(html).not.toContain("<img src=x");
  expect(html.match(/<\/script>/g)).toHaveLength(2);
});

test("a map that the model doesn't heed, or that lies outside the lungs, is warned of", () => {
  const report = ballReport();
  expect([...placeWarnings(report.statistics), ...faithfulnessWarnings(report.faithfulness!)]).toEqual([]);
  expect(placeWarnings({ ...report.statistics, energyInLungs: 0.2 })).toEqual([
    expect.stringMatching(/^Only 20 % of the map lies in the lungs, which take up \d+ % of the scan/),
  ]);
  expect(placeWarnings({ ...report.statistics, peak: { ...report.statistics.peak, tied: 4096 } })).toEqual([
    expect.stringMatching(/^4,096 voxels share/),
  ]);
  const { deletion, insertion } = report.faithfulness! as Required<Faithfulness>;
  const swapped = faithfulnessWarnings({
    deletion: { ...deletion, value: 0.5, random: { ...deletion.random!, area: 0.4 }, warnings: ["60 % are tied"] },
    insertion: { ...insertion, value: 0.4, random: { ...insertion.random!, area: 0.5 } },
    randomisation: { value: 0.9, warnings: ["the map is much the same"], stages: [] },
  });
  expect(swapped).toEqual([
    expect.stringMatching(/^Deletion: the map's order does no better than a random one \(0\.500 against 0\.400\)/),
    expect.stringMatching(/^Insertion: the map's order does no better than a random one \(0\.400 against 0\.500\)/),
    "Weight randomisation: the map is much the same.",
  ]);
  const tied = { ...deletion, warnings: ["60 % are tied"] };
  const html = faithfulnessHtml({ deletion: tied, insertion: { ...insertion, warnings: ["60 % are tied"] } });
  expect(html.split("About these curves: 60 % are tied.")).toHaveLength(2); // once
  const none = faithfulnessWarnings({ deletion: { ...deletion, value: Number.NaN, reason: "the map is constant" } });
  expect(none).toEqual(["Deletion says nothing: the map is constant."]);
});

test("a map of zeros makes a page, not a crash", async () => {
  const report = ballReport();
  const map = { geometry: report.volume.geometry, slice: (_: number, into: Float32Array) => void into.fill(0) };
  const html = await reportPage({ ...report, map, statistics: statistics(map, undefined, { threshold: 0.5 }) });
  // Warnings stand before anything else.
  expect(text(html.slice(0, html.indexOf("<main>")))).toContain("The map is 0 everywhere");
  expect(text(html)).not.toContain("maximum is in");
  expect(html).not.toMatch(/NaN/);
});

test("an abort takes effect between slices", async () => {
  await expect(reportPage({ ...ballReport(), signal: AbortSignal.abort() })).rejects.toThrow();
});
