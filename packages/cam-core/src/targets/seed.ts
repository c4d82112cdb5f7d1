import { TargetError } from "../errors.ts";
import type { Builder, Value } from "../graph/builder.ts";
import { int64, type Tensor } from "../tensor.ts";
import type { Target } from "./parse.ts";

/**
 * A target as graph nodes. `value` is the tensor that the scalar is read from, `seed` its cotangent (d target / d value),
 * `scores` [N] the scalar itself, `winners` [N] the class that was explained where there is one. What changes from run to
 * run (class numbers, masks) are graph inputs, so one compiled graph serves every class.
 */
export type Seeded = {
  readonly value: Value;
  readonly seed: Value;
  readonly scores: Value;
  readonly winners?: Value;
  /** The tensors to feed for a target of this kind, for a batch of n. */
  feeds(target: Target, n: number): Record<string, Tensor>;
};

/** What targets are built on. */
export type TargetSite = {
  readonly op: Builder;
  /** The class scores: the model's output, before a final softmax or sigmoid. */
  readonly logits: Value;
  /** The axis of `logits` that counts classes. */
  readonly classAxis: number;
  /** Names of classes; none where there is no manifest. */
  readonly labels: readonly string[];
  /** The model's own outputs by name. */
  readonly outputs: readonly Value[];
};

/** Adds the nodes of one target. `slot` keeps several targets of one graph apart. Throws TargetError. */
export function seedTarget(site: TargetSite, target: Target, slot: number): Seeded {
  switch (target.kind) {
    case "auto":
    case "class":
      return classLogit(site, slot);
    case "contrast":
      return contrast(site, slot);
    case "element":
      return element(site, target);
    case "mask":
      return maskSum(site, target, slot);
  }
}

/** Targets with the same key share a compiled graph: only what they feed differs. */
export function targetKey(target: Target): string {
  switch (target.kind) {
    case "auto":
    case "class":
      return "class";
    case "contrast":
      return "contrast";
    case "element":
      return `${target.output}[${target.indices.join()}]`;
    case "mask":
      return `mask of rank ${target.mask.shape.length}`;
  }
}

/** The logit of a class per sample; −1 asks for the winner. For dense outputs, its sum over all positions. */
function classLogit(site: TargetSite, slot: number): Seeded {
  const { op, logits } = site;
  const asked = input(op, `camkit/target.${slot}`, [batchOf(site)], "int64");
  const totals = perClass(site, logits); // [N, C]
  const single = classCount(site) === 1;
  const winner = single
    ? op.cast(op.greaterOrEqual(op.squeeze(totals, [1]), 0), "int64")
    : op.argMax(totals, { axis: 1, keepdims: false });
  const unasked = op.less(asked, 0);
  const winners = op.where(unasked, winner, asked);
  // One column without two names is the output itself when it is asked for; unasked, the side that it speaks for.
  const weights =
    single && !isPair(site)
      ? op.unsqueeze(signed(op, op.and(unasked, op.equal(winners, 0))), [1])
      : weightsOf(site, winners, totals);
  return {
    ...spread(site, logits, weights),
    winners,
    feeds: (target, n) => {
      const index = target.kind === "class" ? checkClass(site, target.index) : -1;
      return { [asked]: perSample(index, n) };
    },
  };
}

/** How many class numbers there are, as a scalar int64 value: a pair's one score has two. */
export function classNumbers(site: TargetSite): Value {
  const { op, logits, classAxis } = site;
  return isPair(site) ? op.scalar(2, "int64") : op.squeeze(op.dim(logits, classAxis), [0]);
}

/** Whether one score stands between two named classes, as in a binary classifier: for class 1, against class 0. */
export function isPair(site: TargetSite): boolean {
  return classCount(site) === 1 && site.labels.length === 2;
}

/** What a class's score is made of, by output column: [N, C]. A pair's only column counts 1 for class 1, −1 for class 0. */
function weightsOf(site: TargetSite, classes: Value, totals: Value): Value {
  const { op } = site;
  return isPair(site) ? op.unsqueeze(signed(op, op.equal(classes, 0)), [1]) : hot(op, classes, totals);
}

/** −1 where true, 1 elsewhere. */
function signed(op: Builder, negative: Value): Value {
  return op.where(negative, op.scalar(-1, "float32"), op.scalar(1, "float32"));
}

/** One class's logit minus another's. */
function contrast(site: TargetSite, slot: number): Seeded {
  const { op, logits } = site;
  const first = input(op, `camkit/target.${slot}`, [batchOf(site)], "int64");
  const second = input(op, `camkit/against.${slot}`, [batchOf(site)], "int64");
  const totals = perClass(site, logits);
  const weights = op.sub(weightsOf(site, first, totals), weightsOf(site, second, totals));
  return {
    ...spread(site, logits, weights),
    winners: first,
    feeds: (target, n) => {
      if (target.kind !== "contrast") throw new TargetError("this graph was prepared for a contrast of two classes");
      return {
        [first]: perSample(checkClass(site, target.index), n),
        [second]: perSample(checkClass(site, target.against), n),
      };
    },
  };
}

/** One element of an output; without a batch index, that element of every sample. */
function element(site: TargetSite, target: Extract<Target, { kind: "element" }>): Seeded {
  const { op } = site;
  const value = outputNamed(site, target.output);
  const rank = op.rank(value);
  const { indices } = target;
  if (indices.length !== rank && indices.length !== rank - 1)
    throw new TargetError(
      `${target.output}[${indices.join(", ")}] has ${indices.length} indices; the output has rank ${rank}`,
      {
        hint: `Give ${rank} indices, or ${rank - 1} to leave the batch axis out.`,
      },
    );
  const offset = rank - indices.length;
  indices.forEach((index, i) => {
    const dim = op.dims(value)![i + offset];
    if (typeof dim === "number" && (index >= dim || index < -dim))
      throw new TargetError(`${target.output}[${indices.join(", ")}]: axis ${i + offset} has ${dim} entries`, {
        hint: "Indices count from 0.",
      });
  });
  const dtype = op.dtype(value);
  const at = op.constant(int64([1, indices.length], indices));
  const n = op.shape(value, 0, 1);
  // [N, rank]: every sample's own row, or the one that was named.
  const rows = op.reshape(op.range(op.scalar(0, "int64"), op.squeeze(n, [0]), op.scalar(1, "int64")), [-1, 1]);
  const places = offset === 0 ? at : op.concat([rows, op.expand(at, op.concat([n, op.ints([indices.length])], 0))], 1);
  const ones = op.expand(op.scalar(1, dtype), op.shape(places, 0, 1));
  const seed = op.scatterND(op.fillLike(value, 0), places, ones);
  const feeds = (_: Target, n: number) => {
    if (offset === 0 && (indices[0]! >= n || indices[0]! < -n))
      throw new TargetError(`${target.output}[${indices.join(", ")}]: axis 0, the batch, has ${n} entries`, {
        hint: "Indices count from 0.",
      });
    return {};
  };
  return { value, seed, scores: total(op, op.mul(value, seed)), feeds };
}

/** The sum of an output under a mask. Without a class axis in the mask, the class that wins under it. */
function maskSum(site: TargetSite, target: Extract<Target, { kind: "mask" }>, slot: number): Seeded {
  const { op, logits } = site;
  const rank = op.rank(logits);
  const given = target.mask.shape;
  const mask = input(
    op,
    `camkit/mask.${slot}`,
    given.map((_, i) => `mask${slot}.${i}`),
    "float32",
  );
  const feeds = (fed: Target) => {
    if (fed.kind !== "mask") throw new TargetError("this graph was prepared for a mask");
    return { [mask]: fitMask(fed, site) };
  };
  if (given.length === rank || given.length === rank - 1) {
    const weights = op.cast(given.length === rank ? mask : op.unsqueeze(mask, [0]), op.dtype(logits));
    const seed = op.expand(weights, op.shape(logits));
    return { value: logits, seed, scores: total(op, op.mul(logits, seed)), feeds };
  }
  if (given.length !== rank - 2)
    throw new TargetError(`the mask ${target.name} has shape [${given.join(", ")}]; the output has rank ${rank}`, {
      hint: "Give a mask over the output's positions, or over classes and positions.",
    });
  const weights = op.unsqueeze(op.cast(atResolution(site, mask), op.dtype(logits)), [0, site.classAxis]);
  const totals = perClass(site, op.mul(logits, weights));
  const winners = op.argMax(totals, { axis: 1, keepdims: false });
  const seeded = spread(site, op.mul(logits, weights), hot(op, winners, totals));
  return { value: logits, seed: op.mul(seeded.seed, weights), scores: seeded.scores, winners, feeds };
}

/** A picture's mask at the output's own resolution, which may be known only in the run: nearest, since its edges mean something. */
function atResolution({ op, logits, classAxis }: TargetSite, mask: Value): Value {
  const space = op.dims(logits)!.flatMap((_, axis) => (axis === 0 || axis === classAxis ? [] : [axis]));
  // A list of anchors or tokens has no resolution.
  if (space.length < 2) return mask;
  const sizes = op.concat([op.ints([1, 1]), ...space.map((axis) => op.dim(logits, axis))], 0);
  const laid = op.node("Resize", [op.unsqueeze(mask, [0, 1]), undefined, undefined, sizes], {
    mode: "nearest",
    nearest_mode: "round_prefer_ceil",
  })[0]!;
  return op.squeeze(laid, [0, 1]);
}

/** The mask as it is fed. Throws TargetError for an empty one, or one that doesn't fit the output. */
function fitMask({ mask, name }: Extract<Target, { kind: "mask" }>, site: TargetSite): Tensor {
  const dims = site.op.dims(site.logits)!;
  const space = dims.filter((_, axis) => axis !== 0 && axis !== site.classAxis);
  const data = Float32Array.from(mask.data as Float32Array, Number);
  if (data.every((value) => value === 0))
    throw new TargetError(`the mask ${name} is empty`, { hint: "Mark at least one position." });
  const { shape } = mask;
  const resized = shape.length === space.length && space.length >= 2;
  const wanted =
    shape.length === dims.length ? [null, ...dims.slice(1)] : shape.length === dims.length - 1 ? dims.slice(1) : space;
  if (!resized && wanted.some((dim, i) => typeof dim === "number" && dim !== shape[i]))
    throw new TargetError(
      `the mask ${name} has shape [${shape.join(", ")}]; the output [${dims.map((dim) => dim ?? "?").join(", ")}]`,
      {
        hint: "Give one weight per class and position, or per position.",
      },
    );
  return { dtype: "float32", shape, data };
}

// --- parts -----------------------------------------------------------------------------------------------------------

/** The model's own batch dimension, so that what is fed per sample is known to have its size. */
function batchOf({ op, logits }: TargetSite): number | string {
  return op.dims(logits)?.[0] ?? "N";
}

function input(op: Builder, name: string, shape: readonly (number | string)[], dtype: "int64" | "float32"): Value {
  op.graph.inputs.push({ name, dtype, shape });
  op.facts.types.set(name, { dtype, shape });
  return name;
}

/** How many classes the output has, where that is known. */
function classCount({ op, logits, classAxis }: TargetSite): number | undefined {
  const dim = op.dims(logits)?.[classAxis];
  return typeof dim === "number" ? dim : undefined;
}

/** Scores summed over positions: [N, C]. */
function perClass({ op, classAxis }: TargetSite, scores: Value): Value {
  const axes = op.dims(scores)!.flatMap((_, axis) => (axis === 0 || axis === classAxis ? [] : [axis]));
  return op.reduceSum(scores, { axes, keepdims: false });
}

/** 1 in each sample's class, 0 elsewhere: [N, C]. */
function hot(op: Builder, classes: Value, like: Value): Value {
  return op.oneHot(classes, op.squeeze(op.dim(like, 1), [0]), op.dtype(like));
}

/** A weight per class [N, C] laid over all positions of the output. */
function spread(
  { op, classAxis }: TargetSite,
  value: Value,
  weights: Value,
): Pick<Seeded, "value" | "seed" | "scores"> {
  const rank = op.rank(value);
  const others = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 0 && axis !== classAxis);
  const laid = op.unsqueeze(op.cast(weights, op.dtype(value)), others);
  const seed = rank === 2 ? laid : op.expand(laid, op.shape(value));
  return { value, seed, scores: total(op, op.mul(value, seed)) };
}

/** Sum over all but the batch axis: [N]. */
function total(op: Builder, x: Value): Value {
  const axes = Array.from({ length: op.rank(x) - 1 }, (_, i) => i + 1);
  return op.cast(op.reduceSum(x, { axes, keepdims: false }), "float32");
}

function perSample(index: number, n: number): Tensor {
  return int64(
    [n],
    Array.from({ length: n }, () => index),
  );
}

function checkClass(site: TargetSite, index: number): number {
  const classes = isPair(site) ? 2 : classCount(site);
  if (classes !== undefined && index >= classes)
    throw new TargetError(
      `class ${index} does not exist: the output has ${classes} class${classes === 1 ? "" : "es"}`,
      { hint: `Classes count from 0 to ${classes - 1}.` },
    );
  return index;
}

function outputNamed({ outputs }: TargetSite, name: string): Value {
  if (outputs.includes(name)) return name;
  if (name === "out") return outputs[0]!;
  throw new TargetError(`the model has no output "${name}"`, {
    hint: `Outputs: ${outputs.join(", ")}; "out" is the first one.`,
  });
}
