import type { ShapeRule } from "../infer.ts";
import { control } from "./control.ts";
import { conv } from "./conv.ts";
import { elementwise } from "./elementwise.ts";
import { fourier } from "./fourier.ts";
import { fused } from "./fused.ts";
import { gathers } from "./gather.ts";
import { linear } from "./linear.ts";
import { losses } from "./losses.ts";
import { make } from "./make.ts";
import { norm } from "./norm.ts";
import { pool } from "./pool.ts";
import { reduce } from "./reduce.ts";
import { reshape } from "./reshape.ts";
import { resizes } from "./resize.ts";
import { sequence } from "./sequence.ts";
import { slices } from "./slice.ts";

/** How each operator's outputs get their types and shapes, by operator name, with its domain where ONNX has one of the same name. */
export const shapeRules: Readonly<Record<string, ShapeRule>> = {
  ...elementwise,
  ...reduce,
  ...linear,
  ...conv,
  ...pool,
  ...norm,
  ...reshape,
  ...slices,
  ...gathers,
  ...resizes,
  ...make,
  ...sequence,
  ...control,
  ...fourier,
  ...losses,
  ...fused,
};
