import { cortexHu, marrowHu } from "./bones.ts";
import { smoothstep } from "./chance.ts";
import { spineAt } from "./fields.ts";
import { type LesionShape, lesionDepth, reach } from "./lesions.ts";
import { boxOf, type Plane, paintCapsules } from "./plane.ts";
import type { Scene } from "./scene.ts";
import { noiseAt } from "./smooth-noise.ts";
import { cover, paintTissues } from "./tissues.ts";

/** What one plane shows: [rows, columns]. */
export type Drawn = { readonly hu: Float32Array; readonly lung: Float32Array; readonly skin: Float32Array };

/** Draws one infinitely thin plane of a scene, in a fixed order. `lung`: mm inside the lungs; `skin`: mm inside the body. */
export function composePlane(scene: Scene, plane: Plane, into: Drawn): void {
  paintTissues(scene, plane, into);
  const { hu } = into;
  const { contents } = scene;
  paintCapsules(hu, plane, scene.great, "brighter");
  for (const lesion of scene.lesions) paintLesion(lesion, plane, into);
  paintCapsules(hu, plane, contents.blebs, "darker");
  paintCapsules(hu, plane, contents.vessels, "brighter");
  paintCapsules(hu, plane, contents.bands, "brighter");
  paintCapsules(hu, plane, contents.airways, "brighter", { extra: 0.55, value: -120 });
  paintCapsules(hu, plane, contents.airways, "darker");
  paintCapsules(hu, plane, scene.bronchograms, "darker");
  paintCapsules(hu, plane, scene.airways, "brighter", { extra: 1.6, value: 25 });
  paintCapsules(hu, plane, scene.airways, "darker");
  paintCapsules(hu, plane, contents.granulomas, "brighter");
  paintCapsules(hu, plane, scene.bones, "brighter");
  paintMarrow(hu, plane, scene);
  paintSpine(scene, plane, hu);
}

function paintMarrow(hu: Float32Array, plane: Plane, { bones }: Scene): void {
  const dense = bones.filter((bone) => bone.hu === cortexHu);
  paintCapsules(hu, plane, dense, "darker", { extra: -1.7, value: marrowHu });
}

function paintLesion(lesion: LesionShape, plane: Plane, { hu, lung }: Drawn): void {
  const box = boxOf(plane, lesion.center, reach(lesion));
  if (!box) return;
  const { origin, row, column, columns, pixelMm } = plane;
  const { kind, edge, mottle, noise, offset } = lesion;
  for (let i = box.top; i <= box.bottom; i++)
    for (let j = box.left; j <= box.right; j++) {
      const at = i * columns + j;
      const inLung = cover(lung[at]!, 1 / pixelMm);
      if (inLung === 0) continue;
      const x = origin[0] + i * row[0] + j * column[0];
      const y = origin[1] + i * row[1] + j * column[1];
      const z = origin[2] + i * row[2] + j * column[2];
      const weight = smoothstep(lesionDepth(lesion, x, y, z) / edge + 0.5) * inLung;
      if (weight === 0) continue;
      const grain =
        noiseAt(noise, x / 4 + offset, y / 4, z / 4) + 0.7 * noiseAt(noise, x / 11, y / 11 + offset, z / 11);
      const next = hu[at]! + (lesion.hu + mottle * grain - hu[at]!) * weight;
      if (kind === "consolidation" || next > hu[at]!) hu[at] = next;
    }
}

/** Vertebral bodies with discs between them, and the canal. */
function paintSpine({ anatomy }: Scene, plane: Plane, hu: Float32Array): void {
  const { origin, row, column, rows, columns, pixelMm } = plane;
  const perMm = 1 / pixelMm;
  const middle = anatomy.midline * 0.3;
  const [from, to] = [middle - 24, middle + 24];
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const x = origin[0] + i * row[0] + j * column[0];
      if (x < from || x > to) continue;
      const y = origin[1] + i * row[1] + j * column[1];
      if (y < -0.2 * anatomy.bodyY) continue;
      const z = origin[2] + i * row[2] + j * column[2];
      const back = y - spineAt(anatomy, z);
      if (back < -20 || back > 32) continue;
      const at = i * columns + j;
      const u = x - middle;
      const inDisc = Math.abs(((((z + 7) % 22) + 22) % 22) - 11) - 8.6; // mm into the disc from the end plate
      const waist = 1 - 0.07 * (1 - cover(inDisc + 3, 0.4));
      const body = (1 - Math.sqrt((u * u) / (17.5 * waist) ** 2 + (back * back) / (15 * waist) ** 2)) * 15;
      const bone = Math.min(body, -inDisc);
      const canal = (1 - Math.sqrt((u * u) / 110 + (back - 21) ** 2 / 64)) * 9;
      const wall = (1 - Math.sqrt((u * u) / 196 + (back - 21) ** 2 / 130)) * 12;
      if (inDisc < -3) hu[at] = hu[at]! + (430 - hu[at]!) * cover(wall, perMm);
      hu[at] = hu[at]! + (85 - hu[at]!) * cover(body, perMm);
      hu[at] = hu[at]! + (480 - hu[at]!) * cover(bone, perMm);
      hu[at] = hu[at]! + (marrowHu - 30 - hu[at]!) * cover(bone - 1.8, perMm);
      hu[at] = hu[at]! + (28 - hu[at]!) * cover(canal, perMm);
    }
}
