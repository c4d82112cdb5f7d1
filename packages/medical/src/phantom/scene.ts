import { type Anatomy, anatomyOf, type Capsule, greatVessels } from "./anatomy.ts";
import { bonesOf, largeAirways } from "./bones.ts";
import { bronchograms, type Contents, contentsOf } from "./contents.ts";
import { field, fieldCount, fieldsOf } from "./fields.ts";
import { type LesionShape, lesionDepth, type PhantomClass, placeLesions, reach } from "./lesions.ts";

/** A patient as shapes in space; nothing of it knows of voxels. */
export type Scene = {
  readonly anatomy: Anatomy;
  readonly fields: ReturnType<typeof fieldsOf>;
  /** mm inside the lungs, negative outside. */
  readonly lungDepth: (x: number, y: number, z: number) => number;
  readonly great: readonly Capsule[];
  readonly bones: readonly Capsule[];
  readonly airways: readonly Capsule[];
  readonly contents: Contents;
  readonly lesions: readonly LesionShape[];
  readonly bronchograms: readonly Capsule[];
};

export function sceneOf(seed: number, label: PhantomClass): Scene {
  const anatomy = anatomyOf(seed);
  const great = greatVessels(anatomy);
  const fields = fieldsOf(anatomy, great);
  const out = new Float64Array(fieldCount);
  const lungDepth = (x: number, y: number, z: number) => {
    fields(x, y, z, out, 0);
    return out[field.lung]!;
  };
  const lesions = placeLesions(seed, label, anatomy, lungDepth);
  return {
    anatomy,
    fields,
    lungDepth,
    great,
    bones: bonesOf(seed, anatomy),
    airways: largeAirways(anatomy),
    contents: contentsOf(seed, anatomy, lungDepth),
    lesions,
    bronchograms: bronchograms(seed, anatomy, lesions),
  };
}

/** A lesion's truth by counting in a lattice: its centroid in the patient's frame, mm, and its volume, mm³. */
export function measureLesion(lesion: LesionShape, { lungDepth }: Scene) {
  const step = lesion.radius / 9;
  const n = Math.ceil(reach(lesion) / step);
  let count = 0;
  const sum = [0, 0, 0];
  for (let i = -n; i <= n; i++)
    for (let j = -n; j <= n; j++)
      for (let k = -n; k <= n; k++) {
        const p = [lesion.center[0] + i * step, lesion.center[1] + j * step, lesion.center[2] + k * step] as const;
        if (lesionDepth(lesion, ...p) <= 0 || lungDepth(...p) <= 0) continue;
        count++;
        for (const axis of [0, 1, 2]) sum[axis]! += p[axis]!;
      }
  return { centerMm: sum.map((s) => s / count) as [number, number, number], volumeMm3: count * step ** 3 };
}
