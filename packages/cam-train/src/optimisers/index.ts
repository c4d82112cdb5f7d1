import { z } from "zod";
import { adam, adamW } from "./adam.ts";
import type { Optimiser } from "./optimiser.ts";
import { sgd } from "./sgd.ts";

const betas = z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).exactOptional();
const adaptive = z.strictObject({ betas, epsilon: z.number().positive().exactOptional() });
const momentum = z
  .strictObject({
    momentum: z.number().min(0).lt(1).exactOptional(),
    nesterov: z.boolean().exactOptional(),
  })
  .refine(({ momentum = 0, nesterov }) => !nesterov || momentum > 0, "nesterov needs a momentum above 0");

/** Every optimiser by name: what it can be told, and how it is made from that. A new one is one line here. */
export const optimisers = {
  sgd: { schema: momentum, make: sgd },
  adam: { schema: adaptive, make: adam },
  adamw: { schema: adaptive, make: adamW },
} as const satisfies Record<string, { schema: z.ZodType; make: (options: never) => Optimiser }>;
