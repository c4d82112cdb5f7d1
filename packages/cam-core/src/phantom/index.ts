export { createRng, type Direction, type Rng } from "./random.ts";
export {
  drawScene,
  labelsOfScene,
  type PixelBox,
  type Scene,
  type SceneLabel,
  type SceneObject,
  type SceneOptions,
  sceneLabels,
} from "./scenes.ts";
