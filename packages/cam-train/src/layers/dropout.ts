import { float32 } from "@camkit/cam-core";
import { z } from "zod";
import { defineLayer } from "./define-layer.ts";

/**
 * Dropout in inference form: passes x through, and holds the share that training drops. The training form multiplies by a
 * mask instead. A ratio of 0 leaves no node. Source: Srivastava et al. 2014, JMLR 15, section 4 (kept units scaled up).
 */
export const dropout = defineLayer({
  kind: "dropout",
  summary: "in training, drops this share of values",
  main: "ratio",
  options: { ratio: z.number().min(0).lt(1).default(0.5) },
  build: ({ op }, x, { ratio }) => (ratio === 0 ? x : op.node("Dropout", [x, op.constant(float32([], [ratio]))])[0]!),
});
