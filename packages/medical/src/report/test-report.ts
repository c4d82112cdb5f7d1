import type { PerturbationMeasured } from "@camkit/cam-core";
import type { ScanReport } from "./page.ts";
import { statistics } from "./statistics.ts";
import { ballLungs, ballMap, ballVolume } from "./test-scan.ts";

const fractions = Array.from({ length: 21 }, (_, i) => i / 20);

/** For tests: a curve and a random one, areas by trapezoids. */
function walked(map: (x: number) => number, random: (x: number) => number): PerturbationMeasured {
  const curveOf = (f: (x: number) => number) => {
    const scores = fractions.map(f);
    return { fractions, scores, area: scores.slice(1).reduce((sum, y, i) => sum + (y + scores[i]!) / 40, 0) };
  };
  const [curve, other] = [curveOf(map), curveOf(random)];
  return {
    value: curve.area,
    curve,
    random: other,
    randomAreas: [other.area],
    tied: 0.1,
    quantity: "probability",
    warnings: [],
  };
}

/** For tests: everything a page can say, of the scan with a ball. */
export function ballReport(): ScanReport {
  const [volume, map] = [ballVolume(), ballMap()];
  const uid = "2.25.329800735698586629295641978511506172918";
  return {
    volume,
    map,
    statistics: statistics(map, ballLungs, { threshold: 0.5 }),
    scan: {
      modality: "CT",
      geometry: volume.geometry,
      frameOfReferenceUid: uid,
      slices: [],
      identity: {
        StudyInstanceUID: uid,
        SeriesInstanceUID: uid,
        PatientID: "P1",
        StudyDate: "20260101",
        SeriesDescription: "Phantom",
      },
      remapped: [
        { keyword: "StudyInstanceUID", old: "", uid },
        { keyword: "FrameOfReferenceUID", old: "{3F2504E0-4F89-11D3-9A0C-0305E82C3301}", uid },
      ],
      notes: ["1 localizer set aside"],
    },
    provenance: {
      camkitVersion: "0.1.0",
      model: {
        name: "covidnet3d-s",
        version: "1.0.0",
        sha256: "0123456789abcdef".repeat(4),
        limits: ["A demonstration, trained on synthetic scans."],
      },
      method: "grad-cam",
      layers: ["stage3"],
      target: "consolidation",
      score: 3.2,
      probability: 0.87,
      preprocessing: "lung-ct: window -1200 to 600 HU",
      provider: "cpu",
      seed: 0,
      time: new Date("2026-11-23T12:00:00Z"),
    },
    predictions: [
      { class: 2, label: "consolidation", score: 3.2, probability: 0.87 },
      { class: 1, label: "ground-glass", score: 0.9, probability: 0.09 },
      { class: 0, label: "normal", score: -0.2, probability: 0.04 },
    ],
    calibration: { temperature: 1.34, data: "400 phantoms held out" },
    faithfulness: {
      deletion: walked(
        (x) => 0.82 * Math.exp(-9 * x) + 0.05,
        (x) => 0.87 - 0.8 * x * x,
      ),
      insertion: walked(
        (x) => 0.87 - 0.77 * Math.exp(-8 * x),
        (x) => 0.1 + 0.77 * x * x,
      ),
      randomisation: {
        value: 0.04,
        warnings: [],
        stages: [0.8, 0.32, 0.1, 0.04].map((value, i) => ({
          layers: [`stage${4 - i}`],
          spearman: value,
          ssim: 0.1 + 0.8 * value,
        })),
      },
      baseline: "air, −1000 HU",
    },
    seenSlices: [2, 5, 8, 11, 14, 17],
    preprocessing: [["window", "−1200 to 600 HU"]],
    notes: ["The map's layer has 4 cells along z."],
    files: [{ name: "map.dcm", what: "Parametric Map", bytes: 245_760 }],
  };
}
