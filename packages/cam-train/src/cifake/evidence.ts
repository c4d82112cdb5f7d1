import { type Graph, initializerOf, type ModelFile, viewBytes } from "@camkit/cam-core";
import { quantile } from "../metrics/bootstrap.ts";
import { keyed } from "../random.ts";
import { mapsOf, namedBy, scoresOf } from "./ask.ts";
import { foreground } from "./foreground.ts";
import { objects } from "./objects.ts";
import { area, type Pictures, pictureAt, verdicts } from "./pictures.ts";

/** How many networks with shuffled weights. */
const shuffled = 10;

export const evidenceMethods = ["grad-cam", "hires-cam", "layer-cam"] as const;

/** What a map's energy on an object is compared with. */
export type Share = {
  /** Pictures with a map that isn't zero everywhere and a mask that isn't empty or everything. */
  readonly count: number;
  /** Mean share of a map's energy on the object, and the object's mean share of the picture: what an even map would have. */
  readonly energy: number;
  readonly area: number;
  /** energy − area: above 0 where maps prefer the object. */
  readonly excess: Estimate;
  /**
   * energy − what the same maps have on the masks of other pictures of the same object and label, brought to the own object's
   * area: above 0 where maps follow the object itself, and don't just lie where objects mostly are.
   */
  readonly following: Estimate;
};

/**
 * A mean over pictures, and where it would lie for other pictures: a percentile bootstrap, 95 %. For shuffled networks the mean
 * over them, and their lowest and highest.
 */
export type Estimate = { readonly mean: number; readonly interval: readonly [number, number] };

export type EvidenceRow = {
  /** "detector", or the control whose weights were shuffled. */
  readonly model: "detector" | "shuffled weights";
  readonly method: string;
  readonly label: (typeof verdicts)[number] | "all";
  readonly verdict: (typeof verdicts)[number] | "all";
  readonly object: (typeof objects)[number] | "all";
  readonly share: Share;
};

export type Evidence = {
  readonly rows: readonly EvidenceRow[];
  readonly verdicts: Uint8Array; // [N]
  readonly masks: Uint8Array; // [N, 32 · 32]
  /** The detector's Grad-CAM for its verdict. */
  readonly maps: Float32Array; // [N, 32 · 32]
};

/**
 * Where a detector's evidence for its own verdicts lies: on the object or on the background. Maps are those of the verdict
 * reached; masks come from the maps of a classifier of objects. The control is the same network with the values of each weight
 * tensor shuffled, asked about the same verdicts, ten times: a share that some of them have, too, says nothing about what the
 * detector learned.
 */
export async function measureEvidence(
  detector: ModelFile,
  objectClassifier: ModelFile,
  pictures: Pictures,
  options: {
    readonly threads?: number | undefined;
    readonly seed?: number;
    readonly onStep?: (step: string) => void;
  } = {},
): Promise<Evidence> {
  const { seed = 1, onStep = () => {}, ...settings } = options;
  onStep("masks");
  const objectMaps = await mapsOf(objectClassifier, pictures, pictures.objects, "grad-cam", settings);
  const masks = new Uint8Array(pictures.count * area);
  for (let i = 0; i < pictures.count; i++)
    masks.set(foreground(objectMaps.subarray(i * area, (i + 1) * area), pictureAt(pictures, i)), i * area);
  const reached = namedBy(await scoresOf(detector, pictures.pixels, settings), pictures.count);
  const partner = partners(pictures, seed);
  const groups = groupsOf(pictures, reached);
  const shuffles = Array.from({ length: shuffled }, (_, i) => shuffledWeights(detector.graph, seed + i));
  const rows: EvidenceRow[] = [];
  let kept: Float32Array | undefined;
  for (const method of evidenceMethods) {
    onStep(method);
    const maps = await mapsOf(detector, pictures, reached, method, settings);
    kept ??= maps;
    const shares = sharesOf(maps, masks, partner);
    const chosen = groups.filter(({ isDetail }) => method === "grad-cam" || !isDetail);
    for (const { members, isDetail: _, ...told } of chosen)
      rows.push({ model: "detector", method, ...told, share: meanShare(shares, members, seed) });
  }
  for (const method of evidenceMethods) {
    onStep(`${method} with shuffled weights`);
    const drawn: Shares[] = [];
    for (const graph of shuffles) {
      const maps = await mapsOf({ ...detector, graph }, pictures, reached, method, settings);
      drawn.push(sharesOf(maps, masks, partner));
    }
    for (const { members, isDetail, ...told } of groups)
      if (!isDetail) {
        const share = overDraws(drawn.map((shares) => meanShare(shares, members, seed)));
        rows.push({ model: "shuffled weights", method, ...told, share });
      }
  }
  return { rows, verdicts: reached, masks, maps: kept! };
}

/** Pictures that are told about together; `isDetail` of Grad-CAM's only. */
type PictureGroup = Pick<EvidenceRow, "label" | "verdict" | "object"> & {
  readonly members: readonly number[];
  readonly isDetail: boolean;
};

function groupsOf(pictures: Pictures, reached: Uint8Array): PictureGroup[] {
  const all = Array.from({ length: pictures.count }, (_, i) => i);
  const group = (label: number | "all", verdict: number | "all", object: number | "all"): PictureGroup => ({
    label: label === "all" ? "all" : verdicts[label]!,
    verdict: verdict === "all" ? "all" : verdicts[verdict]!,
    object: object === "all" ? "all" : objects[object]!,
    isDetail: label !== "all" || object !== "all",
    members: all.filter(
      (i) =>
        (label === "all" || pictures.labels[i] === label) &&
        (verdict === "all" || reached[i] === verdict) &&
        (object === "all" || pictures.objects[i] === object),
    ),
  });
  const both = [0, 1] as const;
  return [
    ...(["all", ...both] as const).map((verdict) => group("all", verdict, "all")),
    ...both.flatMap((label) => both.map((verdict) => group(label, verdict, "all"))),
    ...objects.flatMap((_, object) => both.map((verdict) => group("all", verdict, object))),
  ];
}

/** What several shuffled networks have: means over them, and from the lowest to the highest. */
function overDraws(shares: readonly Share[]): Share {
  const mean = (value: (share: Share) => number) =>
    shares.reduce((sum, share) => sum + value(share), 0) / shares.length;
  const spread = (value: (share: Share) => number): Estimate => {
    const values = shares.map(value);
    return { mean: mean(value), interval: [Math.min(...values), Math.max(...values)] };
  };
  return {
    count: Math.round(mean(({ count }) => count)),
    energy: mean(({ energy }) => energy),
    area: mean(({ area }) => area),
    excess: spread(({ excess }) => excess.mean),
    following: spread(({ following }) => following.mean),
  };
}

/** Each float tensor of two or more axes with its values in another order: as large as before, and nothing learned in them. */
export function shuffledWeights(graph: Graph, seed: number): Graph {
  const initializers = new Map(
    [...graph.initializers].map(([name, weight]) => {
      if (weight.dtype !== "float32" || weight.shape.length < 2) return [name, weight];
      const values = keyed(seed, "shuffled", name).shuffle([...(viewBytes("float32", weight.bytes) as Float32Array)]);
      return [name, initializerOf({ dtype: "float32", shape: weight.shape, data: Float32Array.from(values) })];
    }),
  );
  return { ...graph, initializers };
}

/** Per picture; NaN where there is no share: a map that is zero everywhere, a mask that is empty or everything. */
type Shares = { readonly energy: Float64Array; readonly area: Float64Array; readonly elsewhere: Float64Array };

export function sharesOf(maps: Float32Array, masks: Uint8Array, partner: Int32Array): Shares {
  const count = partner.length;
  const inside = (i: number, j: number) => {
    let [on, all] = [0, 0];
    for (let at = 0; at < area; at++) {
      const value = maps[i * area + at]!;
      all += value;
      if (masks[j * area + at] === 1) on += value;
    }
    return on / all; // NaN for a map of zeros
  };
  const covered = Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let at = 0; at < area; at++) sum += masks[i * area + at]!;
    return sum === 0 || sum === area ? Number.NaN : sum / area;
  });
  return {
    area: covered,
    energy: Float64Array.from({ length: count }, (_, i) => inside(i, i)),
    elsewhere: Float64Array.from(
      { length: count },
      (_, i) => inside(i, partner[i]!) - covered[partner[i]!]! + covered[i]!,
    ),
  };
}

/** For each picture another one of the same object and label; itself where there is none. */
function partners({ count, labels, objects: shown }: Pictures, seed: number): Int32Array {
  const cells = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const cell = labels[i]! * objects.length + shown[i]!;
    cells.set(cell, [...(cells.get(cell) ?? []), i]);
  }
  const partner = new Int32Array(count);
  for (const [cell, members] of cells) {
    const order = keyed(seed, "partners", cell).shuffle(members);
    for (const [at, i] of order.entries()) partner[i] = order[(at + 1) % order.length]!;
  }
  return partner;
}

const resamples = 1000;

function meanShare({ energy, area: covered, elsewhere }: Shares, members: readonly number[], seed: number): Share {
  const valid = members.filter((i) => Number.isFinite(energy[i]! + covered[i]! + elsewhere[i]!));
  const mean = (values: (i: number) => number) => valid.reduce((sum, i) => sum + values(i), 0) / valid.length;
  return {
    count: valid.length,
    energy: mean((i) => energy[i]!),
    area: mean((i) => covered[i]!),
    excess: estimate(
      valid.map((i) => energy[i]! - covered[i]!),
      seed,
    ),
    following: estimate(
      valid.map((i) => energy[i]! - elsewhere[i]!),
      seed,
    ),
  };
}

function estimate(values: readonly number[], seed: number): Estimate {
  const count = values.length;
  const means = Float64Array.from({ length: resamples }, (_, r) => {
    const rng = keyed(seed, "bootstrap", r);
    let sum = 0;
    for (let i = 0; i < count; i++) sum += values[rng.integer(0, count - 1)]!;
    return sum / count;
  }).sort();
  const mean = values.reduce((a, b) => a + b, 0) / count;
  return { mean, interval: [quantile(means, 0.025), quantile(means, 0.975)] };
}
