import { UnknownNameError } from "../errors.ts";
import { cam } from "./cam.ts";
import { gradCam } from "./grad-cam.ts";
import { gradCamPlusPlus } from "./grad-cam-plus-plus.ts";
import { hiresCam } from "./hires-cam.ts";
import { inputGradient } from "./input-gradient.ts";
import { inputXGradient } from "./input-x-gradient.ts";
import { layerCam } from "./layer-cam.ts";
import type { Method } from "./method.ts";
import { xgradCam } from "./xgrad-cam.ts";

/** Every method, in the order in which help texts list them. A new method is one file and one line here. */
export const methods: readonly Method[] = [
  gradCam,
  gradCamPlusPlus,
  hiresCam,
  layerCam,
  xgradCam,
  cam,
  inputGradient,
  inputXGradient,
];

export const methodNames: readonly string[] = methods.map((method) => method.name);

/** The method of that name; `gradcam`, `GradCAM++` and the like are understood. Throws UnknownNameError. */
export function methodNamed(name: string): Method {
  const plain = (text: string) => text.toLowerCase().replace(/[-_ ]/g, "").replace("plusplus", "++");
  const found = methods.find((method) => plain(method.name) === plain(name));
  if (found) return found;
  throw new UnknownNameError("method", name, methodNames);
}
