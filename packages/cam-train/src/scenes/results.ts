import { type MeasuredResult, sceneLabels } from "@camkit/cam-core";
import { type Interval, quantile } from "../metrics/bootstrap.ts";
import { measure } from "../metrics/measure.ts";
import { keyed } from "../random.ts";
import type { ObjectAim, SceneMeasurement } from "./measure.ts";

const resamples = 1000;
const seed = 1;

/**
 * What a scene classifier's manifest says of its answers and maps, each number beside what it would be by chance. Intervals
 * are percentile bootstraps over scenes: two objects of one scene aren't independent.
 */
export async function sceneResults(
  { scores, aims }: SceneMeasurement,
  told: { readonly data: string; readonly command: string },
): Promise<Record<string, MeasuredResult>> {
  const measured = new Map((await measure(scores, { seed, resamples })).metrics.map((metric) => [metric.name, metric]));
  const answer = (name: string, baseline: number, note: string): MeasuredResult => {
    const { value, interval } = measured.get(name)!;
    return { value: round(value), baseline: round(baseline), interval: ends(interval!), data: told.data, note };
  };
  const chance = round(aims.reduce((sum, aim) => sum + aim.chance, 0) / aims.length);
  const maps = (value: (aim: ObjectAim) => number, note: string): MeasuredResult => {
    const { mean, interval } = meanOverObjects(aims, scores.count, value);
    const data = `${aims.length} objects in ${told.data}`;
    return { value: round(mean), baseline: chance, interval: ends(interval), data, note };
  };
  const results = {
    "balanced-accuracy": answer(
      "balanced-accuracy",
      0.5,
      "mean over the classes of (sensitivity + specificity) / 2, threshold: logit > 0",
    ),
    "exact-match": answer(
      "exact-match",
      commonestSet(scores),
      "all eight answers of a scene right; baseline: always the commonest set",
    ),
    "pointing-game": maps(
      ({ hit }) => Number(hit),
      "Grad-CAM at features, bilinear to 96 x 96: its maximum lies in the visible mask of the object, found by the classifier or not, no tolerance; baseline: the masks' mean share of the picture",
    ),
    "energy-in-mask": maps(
      ({ energy }) => energy,
      "share of the same map's sum inside the mask; baseline: an even map",
    ),
  };
  return Object.fromEntries(Object.entries(results).map(([name, each]) => [name, { ...each, command: told.command }]));
}

/** Pointing and energy of each class by itself. */
export function aimsByClass({ aims }: SceneMeasurement) {
  return sceneLabels.map((label, index) => {
    const own = aims.filter((aim) => aim.class === index);
    const mean = (value: (aim: ObjectAim) => number) =>
      round(own.reduce((sum, aim) => sum + value(aim), 0) / own.length);
    return { label, objects: own.length, pointing: mean(({ hit }) => Number(hit)), energy: mean((aim) => aim.energy) };
  });
}

function meanOverObjects(aims: readonly ObjectAim[], scenes: number, value: (aim: ObjectAim) => number) {
  const [sums, counts] = [new Float64Array(scenes), new Float64Array(scenes)];
  for (const aim of aims) {
    sums[aim.scene]! += value(aim);
    counts[aim.scene]!++;
  }
  const means = Float64Array.from({ length: resamples }, (_, r) => {
    const rng = keyed(seed, "bootstrap", r);
    let [sum, count] = [0, 0];
    for (let i = 0; i < scenes; i++) {
      const scene = rng.integer(0, scenes - 1);
      sum += sums[scene]!;
      count += counts[scene]!;
    }
    return sum / count;
  }).sort();
  const mean = sums.reduce((a, b) => a + b) / aims.length;
  return { mean, interval: { low: quantile(means, 0.025), high: quantile(means, 0.975) } };
}

/** How often a scene holds the commonest set of classes. */
function commonestSet({ labels, classes, count }: SceneMeasurement["scores"]): number {
  const seen = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const set = labels.slice(i * classes.length, (i + 1) * classes.length).join("");
    seen.set(set, (seen.get(set) ?? 0) + 1);
  }
  return Math.max(...seen.values()) / count;
}

const round = (value: number) => Math.round(value * 1e4) / 1e4;
const ends = ({ low, high }: Pick<Interval, "low" | "high">): [number, number] => [round(low), round(high)];
