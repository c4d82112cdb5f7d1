import * as activations from "./activations.ts";
import { attention } from "./attention.ts";
import * as composite from "./composite.ts";
import { conv, convTranspose } from "./conv.ts";
import type { AnyLayer } from "./define-layer.ts";
import { dense } from "./dense.ts";
import { dropout } from "./dropout.ts";
import * as norm from "./norm.ts";
import * as pool from "./pool.ts";
import { squeezeExcite } from "./squeeze-excite.ts";
import * as tokens from "./tokens.ts";
import { upsample } from "./upsample.ts";

let table: ReadonlyMap<string, AnyLayer> | undefined;

/**
 * Every layer that a list may name. A new one is an entry in its family; a new family is one line here. A function, since
 * composite layers are both in the table and built from it.
 */
export function layers(): ReadonlyMap<string, AnyLayer> {
  table ??= new Map(
    [
      conv,
      convTranspose,
      dense,
      dropout,
      ...Object.values(pool),
      ...Object.values(norm),
      ...Object.values(activations),
      attention,
      ...Object.values(tokens),
      squeezeExcite,
      upsample,
      ...Object.values(composite),
    ].map((layer: AnyLayer) => [layer.kind, layer]),
  );
  return table;
}
