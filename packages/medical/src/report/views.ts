import type { Geometry, Vec3 } from "../volume/geometry.ts";

/** The three planes in which a scan is looked at. */
export const viewNames = ["axial", "coronal", "sagittal"] as const;
export type ViewName = (typeof viewNames)[number];

type ArrayAxis = 0 | 1 | 2;
/** An axis of the array, and whether it is walked upwards. */
export type Along = { readonly axis: ArrayAxis; readonly forward: boolean };

/** Which axes of a volume a picture shows. */
export type View = {
  /** The axis that stands still. */
  readonly fixed: ArrayAxis;
  readonly right: Along;
  readonly down: Along;
  /** What lies at the picture's edges: letters of the patient, L R A P H F. */
  readonly letters: { readonly left: string; readonly right: string; readonly top: string; readonly bottom: string };
};

/** Towards the patient's left, back and head: the ends of LPS. */
const positive = ["L", "P", "H"] as const;
const negative = ["R", "A", "F"] as const;

/** A direction's second letter is told where it has at least this much of it: from 17° on. */
const oblique = 0.3;

/** A slice as it lies in the file: columns to the right, rows down. */
export function nativeView(geometry: Geometry): View {
  return viewOf(geometry, 0, { axis: 2, forward: true }, { axis: 1, forward: true });
}

/**
 * The planes as radiologists hang them: seen from the feet (axial), from the front (coronal), from the left (sagittal; the face
 * to the left). Planes are the array's own: in an oblique scan they are as oblique as it is, and the letters say so.
 */
export function displayView(geometry: Geometry, name: ViewName): View {
  const [x, y, z] = patientAxes(geometry);
  const feetwards = { ...z, forward: !z.forward };
  if (name === "axial") return viewOf(geometry, z.axis, x, y);
  if (name === "coronal") return viewOf(geometry, y.axis, x, feetwards);
  return viewOf(geometry, x.axis, y, feetwards);
}

/** For the patient's x, y and z the axis of the array that runs most along it, each axis once. */
function patientAxes({ directions }: Geometry): [Along, Along, Along] {
  const free = new Set<ArrayAxis>([0, 1, 2]);
  const found: Along[] = [];
  // z first: a tilted gantry turns z and y alike, and slices are then still the axial planes.
  for (const axis of [2, 0, 1]) {
    const best = [...free].reduce((a, b) => (Math.abs(directions[b][axis]!) > Math.abs(directions[a][axis]!) ? b : a));
    free.delete(best);
    found[axis] = { axis: best, forward: directions[best][axis]! >= 0 };
  }
  return found as [Along, Along, Along];
}

function viewOf(geometry: Geometry, fixed: ArrayAxis, right: Along, down: Along): View {
  const towards = ({ axis, forward }: Along) =>
    geometry.directions[axis].map((d) => (forward ? d : -d)) as unknown as Vec3;
  const letters = {
    left: lettersOf(towards({ ...right, forward: !right.forward })),
    right: lettersOf(towards(right)),
    top: lettersOf(towards({ ...down, forward: !down.forward })),
    bottom: lettersOf(towards(down)),
  };
  return { fixed, right, down, letters };
}

/** The letters of a direction, the strongest first: "L", "LP", "HA". */
export function lettersOf(direction: Vec3): string {
  return [0, 1, 2]
    .filter((axis) => Math.abs(direction[axis]!) >= oblique)
    .sort((a, b) => Math.abs(direction[b]!) - Math.abs(direction[a]!))
    .map((axis) => (direction[axis]! > 0 ? positive : negative)[axis])
    .join("");
}

/** Where the pixels of a plane lie in an array [slices, rows, columns]: at offset + x · right + y · down. */
export type Walk = {
  readonly width: number;
  readonly height: number;
  readonly offset: number;
  readonly right: number;
  readonly down: number;
};

export function walkOf({ fixed, right, down }: View, shape: Vec3, index: number): Walk {
  const strides = [shape[1] * shape[2], shape[2], 1] as const;
  const start = ({ axis, forward }: Along) => (forward ? 0 : (shape[axis] - 1) * strides[axis]);
  const step = ({ axis, forward }: Along) => (forward ? 1 : -1) * strides[axis];
  return {
    width: shape[right.axis],
    height: shape[down.axis],
    offset: index * strides[fixed] + start(right) + start(down),
    right: step(right),
    down: step(down),
  };
}
