import { CamError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import { writeModel } from "../../model/write.ts";
import type { Session } from "../../runtime/runtime.ts";
import { openBytes } from "../../runtime/session.ts";
import { bytesOf, numbersIn, type Tensor, type TypedArray } from "../../tensor.ts";
import type { LoadedCase } from "./one-case.ts";

/** What came of opening a case with camkit, writing it and running it beside the file as it is. */
export type OutputsOutcome =
  /** Every output has the same bits. */
  | "the same bits"
  /** Every output agrees within the tolerance. */
  | "the same within rounding"
  /** The runtime takes what camkit wrote, but not the file as it is; the outputs are those that are stored. */
  | "only after the upgrade"
  /** It draws numbers, so that two runs differ: there is nothing to compare. */
  | "random"
  | "the runtime refuses it"
  | "camkit refuses it"
  /** onnxruntime-node can't be given what the case takes, or give what it returns. */
  | "not run"
  | "differs";

/** `detail` is the reason, for outcomes that have one; `worst` the largest difference, relative to the output's largest entry. */
export type OutputsResult = { outcome: OutputsOutcome; detail?: string; worst?: number; stored?: boolean };

/** What an operator that was written in another way may differ by, relative to the largest entry of the output. */
export const outputTolerance: Readonly<Record<string, number>> = { float64: 1e-12, float32: 1e-6, float16: 2e-3 };

/** Operators that draw numbers; few enough of them may be the same twice. */
const draws: ReadonlySet<string> = new Set(
  "Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike".split(" "),
);

/** The tolerance that the onnx package itself compares stored outputs with. */
const stored = { rtol: 1e-3, atol: 1e-7 };

const options = { device: "cpu", optimize: "disabled", threads: 1 } as const;

/**
 * Runs a case twice, as its file is and as camkit opens, upgrades and writes it (`upgraded`, or why that wasn't possible), and
 * compares all outputs. Where the untouched file gives what the case stores, the other one must give that, too. `results` are
 * the outputs of each data set, where both agree.
 */
export async function compareOutputs(
  loaded: LoadedCase,
  upgraded: Graph | CamError,
): Promise<OutputsResult & { results?: readonly Record<string, Tensor>[] }> {
  const before = await runs(loaded, () => ({ model: loaded.bytes, externalData: [], folder: undefined }));
  const refused = "refused" in before ? before.refused : undefined;
  if (upgraded instanceof CamError)
    // What the runtime refuses as well isn't held against camkit.
    return refused
      ? { outcome: "the runtime refuses it", detail: refused }
      : { outcome: "camkit refuses it", detail: upgraded.message };
  const after = await runs(loaded, () => writeModel(upgraded));
  if ("refused" in after)
    return refused
      ? { outcome: "the runtime refuses it", detail: refused }
      : { outcome: "differs", detail: `only the file as it is runs: ${after.refused}` };
  if ("refused" in before) {
    const agrees = loaded.sets.every(({ expected }, i) => agreesWithStored(after.first[i]!, expected));
    return agrees
      ? { outcome: "only after the upgrade", detail: before.refused, results: after.first }
      : { outcome: "differs", detail: "from the stored outputs; the runtime doesn't take the file as it is" };
  }
  const random = loaded.graph.nodes.some(({ opType }) => draws.has(opType));
  return { ...(random ? { outcome: "random" as const } : compare(loaded, before, after)), results: after.first };
}

/** Outputs by data set, of a first run and of a second one. */
type Runs = { first: Record<string, Tensor>[]; again: Record<string, Tensor>[] };

async function runs(
  loaded: LoadedCase,
  from: () => Parameters<typeof openBytes>[0],
): Promise<Runs | { refused: string }> {
  let session: Session | undefined;
  try {
    session = await openBytes(from(), options);
    const first: Record<string, Tensor>[] = [];
    const again: Record<string, Tensor>[] = [];
    for (const { feeds } of loaded.sets) {
      first.push(await session.run(feeds));
      again.push(await session.run(feeds));
    }
    return { first, again };
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) };
  } finally {
    await session?.close();
  }
}

function compare(loaded: LoadedCase, before: Runs, after: Runs): OutputsResult {
  let worst = 0;
  let bits = true;
  let asStored = true;
  for (const [set, { expected }] of loaded.sets.entries()) {
    const [old, now] = [before.first[set]!, after.first[set]!];
    for (const { name } of loaded.graph.outputs) {
      const [a, b] = [old[name]!, now[name]!];
      if (!sameBits(a, before.again[set]![name]!)) return { outcome: "random" };
      if (b.dtype !== a.dtype || b.shape.join() !== a.shape.join())
        return { outcome: "differs", detail: `${name}: ${b.dtype} [${b.shape}], not ${a.dtype} [${a.shape}]` };
      if (sameBits(a, b)) continue;
      bits = false;
      const difference = relativeDifference(b, a);
      worst = Math.max(worst, difference);
      if (!(difference <= (outputTolerance[a.dtype] ?? 0)))
        return { outcome: "differs", detail: `${name}: by ${difference.toExponential(1)} of its maximum`, worst };
    }
    if (!agreesWithStored(old, expected)) asStored = false;
    else if (!agreesWithStored(now, expected)) return { outcome: "differs", detail: "from the stored outputs", worst };
  }
  return { outcome: bits ? "the same bits" : "the same within rounding", worst, stored: asStored };
}

function sameBits(a: Tensor, b: Tensor): boolean {
  if (a.dtype === "string") return (a.data as string[]).every((value, i) => value === b.data[i]);
  const [left, right] = [a, b].map(({ data }) => bytesOf(data as TypedArray));
  return left!.length === right!.length && Buffer.compare(left!, right!) === 0;
}

/** max |a − b| / max |b|; entries that aren't finite must be the same. */
function relativeDifference(a: Tensor, b: Tensor): number {
  if (a.dtype === "string") return sameBits(a, b) ? 0 : Number.POSITIVE_INFINITY;
  const [left, right] = [numbersIn(a), numbersIn(b)];
  let difference = 0;
  let scale = 0;
  for (const [i, value] of right.entries()) {
    if (Object.is(value, left[i])) continue;
    if (!Number.isFinite(value) || !Number.isFinite(left[i]!)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, Math.abs(left[i]! - value));
    scale = Math.max(scale, Math.abs(value));
  }
  return difference === 0
    ? 0
    : difference / right.reduce((a, b) => (Number.isFinite(b) ? Math.max(a, Math.abs(b)) : a), scale);
}

function agreesWithStored(got: Record<string, Tensor>, expected: Record<string, Tensor>): boolean {
  return Object.entries(expected).every(([name, want]) => {
    const have = got[name];
    if (!have || have.dtype !== want.dtype || have.shape.join() !== want.shape.join()) return false;
    if (want.dtype === "string") return sameBits(have, want);
    const [a, b] = [numbersIn(have), numbersIn(want)];
    return b.every(
      (value, i) => Object.is(a[i], value) || Math.abs(a[i]! - value) <= stored.atol + stored.rtol * Math.abs(value),
    );
  });
}
