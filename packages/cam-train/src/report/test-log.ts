import { createRng } from "@camkit/cam-core";
import type { LogEntry } from "./log.ts";

/** A run of `epochs`: the loss falls, validation turns up again, the rate is a cosine after a warm-up. */
export function madeUpLog(epochs: number, stepsPerEpoch: number, every: number): LogEntry[] {
  const rng = createRng(4);
  const total = epochs * stepsPerEpoch;
  const entries: LogEntry[] = [];
  for (let step = 1; step <= total; step++) {
    const share = step / total;
    const rate = 1e-3 * Math.min(1, step / (0.05 * total)) * 0.5 * (1 + Math.cos(Math.PI * share));
    const noise = 0.08 * (rng.unit() + rng.unit() - 1);
    const loss = 0.16 + 0.5 * Math.exp(-share * 6) + noise * Math.exp(-share);
    const line = {
      step,
      epoch: Math.ceil(step / stepsPerEpoch),
      loss,
      rate,
      seconds: step / 20,
      samplesPerSecond: 2560,
    };
    if (step % every === 0) entries.push({ kind: "step", ...line });
    if (step % stepsPerEpoch === 0) {
      const wobble = 0.01 * (rng.unit() - 0.5);
      const validation = 0.2 + 0.4 * Math.exp(-share * 6) + 0.09 * share ** 2 + wobble;
      const metrics = { accuracy: 0.945 - 0.25 * validation - 0.1 * Math.exp(-share * 9) };
      entries.push({ kind: "epoch", ...line, validation: { loss: validation, metrics } });
    }
  }
  return entries;
}
