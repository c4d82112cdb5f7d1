import { expect, test } from "vitest";
import { measureEvidence, sharesOf, shuffledWeights } from "./evidence.ts";
import { area } from "./pictures.ts";
import { evidenceTable, objectTable } from "./tables.ts";
import { colourModel, disc, picturesOf } from "./test-models.ts";

test("shares by hand: a map on the object, an even one, none", () => {
  const half = Uint8Array.from({ length: area }, (_, i) => Number(i < area / 2));
  const quarter = Uint8Array.from({ length: area }, (_, i) => Number(i < area / 4));
  const maps = [half, new Uint8Array(area).fill(1), new Uint8Array(area)].flatMap((map) => [...map]);
  const masks = [half, quarter, half].flatMap((mask) => [...mask]);
  const found = sharesOf(Float32Array.from(maps), Uint8Array.from(masks), Int32Array.of(1, 0, 2));
  expect([...found.area]).toEqual([0.5, 0.25, 0.5]);
  expect([...found.energy]).toEqual([1, 0.25, Number.NaN]);
  // The first on the second's mask: half of its energy where 1/4 is covered; brought to its own area: 1/2 − 1/4 + 1/2.
  expect(found.elsewhere[0]).toBe(0.75);
  expect(found.elsewhere[1]).toBe(0.25); // an even map is even on any mask
});

test("a mask that is everything or nothing has no share", () => {
  const masks = Uint8Array.from({ length: 2 * area }, (_, i) => Number(i < area));
  const found = sharesOf(new Float32Array(2 * area).fill(1), masks, Int32Array.of(1, 0));
  expect([...found.area]).toEqual([Number.NaN, Number.NaN]);
});

test("shuffled weights are the same numbers in another order, by seed", () => {
  const { graph } = colourModel([
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ]);
  const [name] = [...graph.initializers].find(([, { shape }]) => shape.length === 2)!;
  const values = (of: typeof graph) => [...new Float32Array(of.initializers.get(name)!.bytes.slice().buffer)];
  const shuffled = values(shuffledWeights(graph, 1));
  expect(shuffled).not.toEqual(values(graph));
  expect(shuffled.sort()).toEqual(values(graph).sort());
  expect(values(shuffledWeights(graph, 1)).sort()).toEqual(shuffled);
});

// Red discs on blue ground. The object is what is red; REAL is what is red, FAKE what is blue.
const places = [
  [14, 17],
  [18, 13],
  [16, 16],
  [13, 14],
] as const;
const pictures = picturesOf([
  ...places.map((place) => [1, disc(place, [255, 0, 0], [0, 0, 40])] as const),
  ...places.map((place) => [0, disc(place, [255, 0, 0], [0, 0, 200])] as const),
]);
const detector = colourModel([[4], [0], [-4]]);
const whatIsRed = colourModel(
  [[1], [0], [0]].map(([w]) => Array<number>(10).fill(w!)),
  { classes: [..."0123456789"] },
);

test("a verdict for the disc's colour lies on the disc, one for the ground's beside it", async () => {
  const { rows, verdicts, masks, maps } = await measureEvidence(detector, whatIsRed, pictures);
  expect([...verdicts]).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
  expect([masks.length, maps.length]).toEqual([8 * area, 8 * area]);
  const share = (verdict: string) =>
    rows.find((row) => row.model === "detector" && row.method === "layer-cam" && row.verdict === verdict)!.share;
  expect(share("REAL")).toMatchObject({ count: 4 });
  expect(share("REAL").energy).toBeGreaterThan(0.98);
  expect(share("REAL").following.interval[0]).toBeGreaterThan(0.05); // discs lie in different places: maps go with them
  expect(share("FAKE").energy).toBeLessThan(0.02);
  expect(share("FAKE").excess.mean).toBeCloseTo(share("FAKE").energy - share("FAKE").area, 12);
  expect(rows.some(({ model }) => model === "shuffled weights")).toBe(true);

  expect(evidenceTable(rows)).toMatch(/\| layer-cam, detector \| all \| REAL \| 4 \| (9[89]\.\d|100\.0) % \|/);
  expect(objectTable(rows)).toMatch(/\| truck \| 0 \| – \| – \| 0 \| – \| – \|/);
});
