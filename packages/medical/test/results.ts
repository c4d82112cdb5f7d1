import type { Scan } from "../src/dicom/scan.ts";
import { derivedUid } from "../src/dicom/uids.ts";
import type { Provenance } from "../src/provenance.ts";
import { cross, type Geometry, indexOf, positionOf, type Vec3 } from "../src/volume/geometry.ts";
import type { VoxelMap } from "../src/volume/volume.ts";
import { ctImageStorage } from "../src/write/ct-series.ts";

/** Scans, maps and provenance that tests of written results share. */

/** A lesion: a ball of this radius, in which the map falls from 1 at the centre to 0. */
export const lesion = { radiusMm: 9 };

/** Axial; thick and unequal voxels; turned about two axes; and from head to feet, which is left-handed. */
export const geometries: Readonly<Record<string, Geometry>> = {
  axial: {
    shape: [12, 20, 24],
    spacingMm: [2.5, 1.5, 1.5],
    originMm: [-17.3, -120.5, 31.25],
    directions: [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ],
  },
  anisotropic: {
    shape: [7, 31, 18],
    spacingMm: [5, 0.9, 1.7],
    originMm: [-10, 4, -300],
    directions: [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ],
  },
  oblique: { shape: [10, 22, 19], spacingMm: [3, 1.4, 1.8], originMm: [12, -44, 7], directions: turned(0.3, -0.45) },
  "head to feet": {
    shape: [9, 16, 20],
    spacingMm: [3, 2, 2],
    originMm: [-20, -20, 100],
    directions: [
      [0, 0, -1],
      [0, 1, 0],
      [1, 0, 0],
    ],
  },
};

/** Slice, row and column directions, turned about x and then about z; angles in rad. */
function turned(aboutX: number, aboutZ: number): readonly [Vec3, Vec3, Vec3] {
  const turn = ([x, y, z]: Vec3): Vec3 => {
    const [y1, z1] = [y * Math.cos(aboutX) - z * Math.sin(aboutX), y * Math.sin(aboutX) + z * Math.cos(aboutX)];
    return [x * Math.cos(aboutZ) - y1 * Math.sin(aboutZ), x * Math.sin(aboutZ) + y1 * Math.cos(aboutZ), z1];
  };
  const column = turn([1, 0, 0]);
  const row = turn([0, 1, 0]);
  return [cross(column, row), row, column];
}

/** The middle of the lesion, LPS mm: off the middle of the grid and not on a voxel's centre. */
export const lesionCentre = (geometry: Geometry): Vec3 =>
  positionOf(geometry, [geometry.shape[0] * 0.6 + 0.2, geometry.shape[1] * 0.4 + 0.3, geometry.shape[2] * 0.55 - 0.1]);

/** The lesion's map: 1 at its centre, falling to 0 at its edge. */
export function lesionMap(geometry: Geometry): VoxelMap {
  const centre = lesionCentre(geometry);
  const [, rows, columns] = geometry.shape;
  return {
    geometry,
    slice(k, into) {
      for (let i = 0; i < rows * columns; i++) {
        const [x, y, z] = positionOf(geometry, [k, Math.floor(i / columns), i % columns]);
        const distance = Math.hypot(x - centre[0], y - centre[1], z - centre[2]);
        into[i] = Math.max(0, 1 - distance / lesion.radiusMm);
      }
    },
  };
}

export function allOf(map: VoxelMap): Float32Array {
  const [slices, rows, columns] = map.geometry.shape;
  const all = new Float32Array(slices * rows * columns);
  for (let k = 0; k < slices; k++) map.slice(k, all.subarray(k * rows * columns, (k + 1) * rows * columns));
  return all;
}

/** The centre of mass of values on a grid, LPS mm. */
export function centreOf(values: ArrayLike<number>, geometry: Geometry): Vec3 {
  const [, rows, columns] = geometry.shape;
  const sum = [0, 0, 0];
  let mass = 0;
  for (let i = 0; i < values.length; i++) {
    if (!values[i]) continue;
    mass += values[i]!;
    sum[0]! += values[i]! * Math.floor(i / (rows * columns));
    sum[1]! += values[i]! * (Math.floor(i / columns) % rows);
    sum[2]! += values[i]! * (i % columns);
  }
  return positionOf(geometry, [sum[0]! / mass, sum[1]! / mass, sum[2]! / mass]);
}

/** How far apart two positions are in voxels, along the axis where it is most. */
export function voxelsApart(geometry: Geometry, a: Vec3, b: Vec3): number {
  const [one, other] = [indexOf(geometry, a), indexOf(geometry, b)];
  return Math.max(...one.map((index, axis) => Math.abs(index - other[axis]!)));
}

/** What of a source's identity is otherwise; undefined: not there. */
type Changes = { readonly [Keyword in keyof Scan["identity"]]?: string | undefined };

/** A CT scan on a grid, as reading one gives it; its instances are those that `writeCtSeries` writes with this key. */
export const ctScan = (geometry: Geometry, key: string, identity: Changes = {}): Scan => ({
  modality: "CT",
  geometry,
  frameOfReferenceUid: derivedUid(key, "frame"),
  slices: Array.from({ length: geometry.shape[0] }, (_, k) => ({
    name: `IM${k}`,
    sopClassUid: ctImageStorage,
    sopInstanceUid: derivedUid(key, "instance", String(k)),
    instanceNumber: k + 1,
    sliceThicknessMm: geometry.spacingMm[0],
  })),
  identity: {
    PatientName: "Phantom",
    PatientID: "P1",
    StudyInstanceUID: derivedUid(key, "study"),
    StudyDate: "20260101",
    StudyTime: "120000",
    StudyID: "1",
    StudyDescription: "Synthetic chest CT: no patient",
    SeriesInstanceUID: derivedUid(key, "series"),
    SeriesNumber: "1",
    SeriesDescription: "Phantom",
    BodyPartExamined: "CHEST",
    PatientSex: "O",
    PatientPosition: "HFS",
    Manufacturer: "camkit",
    ManufacturerModelName: "phantom",
    ...identity,
  } as Scan["identity"],
  remapped: [],
  notes: [],
});

/** A radiograph: one picture, no frame of reference. */
export const radiograph = (key: string, identity: Changes = {}): Scan => {
  const geometry: Geometry = {
    shape: [1, 30, 26],
    spacingMm: [1, 0.5, 0.5],
    originMm: [0, 0, 0],
    directions: [
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ],
  };
  const scan = ctScan(geometry, key, identity);
  return {
    ...scan,
    modality: "CR",
    frameOfReferenceUid: undefined,
    slices: [
      {
        name: "radiograph",
        sopClassUid: "1.2.840.10008.5.1.4.1.1.1",
        sopInstanceUid: derivedUid(key, "instance"),
        instanceNumber: 1,
      },
    ],
  };
};

export const provenance: Provenance = {
  camkitVersion: "0.1.0",
  model: { name: "covidnet3d-s", version: "1.0.0", sha256: "0123456789abcdef".repeat(4) },
  method: "grad-cam",
  layers: ["/features/last/Relu_output_0"],
  target: "ground-glass",
  score: 3.25,
  probability: 0.91,
  preprocessing: "HU window [-1200, 600], lung mask, 32 even slices of 128 x 128",
  provider: "cpu",
  seed: 7,
  time: new Date(2026, 10, 23, 12, 34, 56),
};
