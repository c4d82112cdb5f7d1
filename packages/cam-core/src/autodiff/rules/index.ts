import type { Rules } from "../rule.ts";
import { activation } from "./activation.ts";
import { affineGrid } from "./affine-grid.ts";
import { attention } from "./attention.ts";
import { cache } from "./cache.ts";
import { conv } from "./conv.ts";
import { convTranspose } from "./conv-transpose.ts";
import { deformConv } from "./deform-conv.ts";
import { determinant } from "./determinant.ts";
import { einsum } from "./einsum.ts";
import { elementwise } from "./elementwise.ts";
import { fold } from "./fold.ts";
import { fourier } from "./fourier.ts";
import { gather } from "./gather.ts";
import { gridSample } from "./grid-sample.ts";
import { linear } from "./linear.ts";
import { losses } from "./losses.ts";
import { noGradient } from "./no-gradient.ts";
import { norm } from "./norm.ts";
import { pad } from "./pad.ts";
import { pool } from "./pool.ts";
import { quantisation } from "./quantise.ts";
import { recurrent } from "./recurrent.ts";
import { reduce } from "./reduce.ts";
import { resize } from "./resize.ts";
import { roiAlign } from "./roi-align.ts";
import { rotary } from "./rotary.ts";
import { scan } from "./scan.ts";
import { scanOperator } from "./scan-operator.ts";
import { shape } from "./shape.ts";
import { softmax } from "./softmax.ts";
import { unpool } from "./unpool.ts";

/** Every gradient rule, by ONNX operator name. A new rule is one entry in its family; a new family is one line here. */
export const rules: Rules = {
  ...elementwise,
  ...activation,
  ...reduce,
  ...softmax,
  ...norm,
  ...linear,
  ...einsum,
  ...conv,
  ...convTranspose,
  ...pool,
  ...unpool,
  ...resize,
  ...deformConv,
  ...fold,
  ...gridSample,
  ...affineGrid,
  ...roiAlign,
  ...pad,
  ...shape,
  ...gather,
  ...scan,
  ...scanOperator,
  ...recurrent,
  ...attention,
  ...rotary,
  ...cache,
  ...fourier,
  ...determinant,
  ...losses,
  ...noGradient,
  ...quantisation,
};
