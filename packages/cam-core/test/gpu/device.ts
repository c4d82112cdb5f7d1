import { afterAll, beforeAll } from "vitest";
import type { Session } from "../../src/runtime/runtime.ts";
import { openSession } from "../../src/runtime/session.ts";
import type { Tensor } from "../../src/tensor.ts";
import { tinyModel } from "../../src/testing/tiny-models.ts";

/** The device that the suite is for: CAMKIT_GPU, as in `CAMKIT_GPU=webgpu npx vitest run test/gpu`. CI sets it with a software driver. */
export const device = process.env.CAMKIT_GPU ?? "";

/** For `skipIf`: whether no device was named; it then prints why. */
export function withoutGpu(): boolean {
  if (device === "")
    console.warn("skipped: CAMKIT_GPU names no device (webgpu, cuda…); .ci/gpu runs this on SwiftShader");
  return device === "";
}

/**
 * Keeps a session open while a file's tests run: with its last session a WebGPU device goes, and every kernel that was compiled
 * for it. A service keeps one open as well, so this is also where kernels that sessions share are seen.
 */
export function holdDevice(): void {
  if (device === "") return;
  let held: Session | undefined;
  beforeAll(async () => {
    held = await openSession(tinyModel({ x: [1] }, (op, { x }) => ({ y: op.relu(x!) })).graph, { device });
  });
  afterAll(() => held?.close());
}

/** What results of two devices may differ by, relative to a tensor's largest size. */
export const tolerance = 1e-3;

/** The largest difference between the same outputs, each relative to the largest finite size in `right`'s. */
export function gapBetween(right: Readonly<Record<string, Tensor>>, other: Readonly<Record<string, Tensor>>): number {
  return Math.max(0, ...Object.keys(right).map((name) => gapOf(right[name]!, other[name]!)));
}

function gapOf(right: Tensor, other: Tensor): number {
  if (right.shape.join() !== other.shape.join()) return Number.POSITIVE_INFINITY;
  const [a, b] = [right, other].map(({ data }) => Array.from(data as ArrayLike<number | bigint>, Number)) as [
    number[],
    number[],
  ];
  const largest = a.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  const gaps = a.map((value, i) => {
    const gap = Object.is(value, b[i]) ? 0 : Math.abs(value - b[i]!);
    return Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap;
  });
  return gaps.reduce((most, gap) => Math.max(most, gap), 0) / (largest || 1);
}
