import { z } from "zod";

/** What the learning rate is multiplied by, at an update (from 0) of a run of `total` updates. */
export type Schedule = (update: number, total: number) => number;

/** The peak rate all the time. */
export function constant(): Schedule {
  return () => 1;
}

/** Times `factor` whenever `every` of the run (a fraction, 0 … 1) has passed. */
export function step({ every, factor = 0.1 }: { every: number; factor?: number }): Schedule {
  return (update, total) => factor ** Math.floor(update / Math.max(1, Math.round(every * total)));
}

/** Down to `floor` along half a cosine. Source: Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5, without restarts. */
export function cosine({ floor = 0 }: { floor?: number } = {}): Schedule {
  return (update, total) => floor + ((1 - floor) * (1 + Math.cos((Math.PI * update) / total))) / 2;
}

/** Down to `floor` along a straight line. */
export function linear({ floor = 0 }: { floor?: number } = {}): Schedule {
  return (update, total) => 1 - (1 - floor) * (update / total);
}

/** Up along a straight line during the first `fraction` of the run, then `after` over what remains. */
export function warmUp(fraction: number, after: Schedule): Schedule {
  return (update, total) => {
    const first = Math.round(fraction * total);
    return update < first ? (update + 1) / first : after(update - first, total - first);
  };
}

const floor = z.number().min(0).max(1).exactOptional();

/** Every schedule by name. A new one is a function above and a line here. */
export const schedules = {
  constant: { schema: z.strictObject({}), make: constant },
  step: {
    schema: z.strictObject({ every: z.number().gt(0).max(1), factor: z.number().gt(0).lt(1).exactOptional() }),
    make: step,
  },
  cosine: { schema: z.strictObject({ floor }), make: cosine },
  linear: { schema: z.strictObject({ floor }), make: linear },
} as const satisfies Record<string, { schema: z.ZodType; make: (options: never) => Schedule }>;
