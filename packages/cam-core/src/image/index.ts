export { type Colormap, type ColormapName, colorIndex, colormap, colormapNames, defaultColormap } from "./colormap.ts";
export { type DecodedPicture, decodePicture } from "./decode.ts";
export {
  type EncodeOptions,
  encodePicture,
  type PictureFormat,
  type Provenance,
  pictureFormats,
  readProvenance,
} from "./encode.ts";
export type { Legend } from "./legend.ts";
export { type OverlayOptions, type OverlayView, overlayViews, renderOverlay } from "./overlay.ts";
export type { Picture } from "./picture.ts";
export {
  luma,
  type Placement,
  type PreparedPicture,
  pixelAffine,
  preparePicture,
  toModel,
  toPicture,
} from "./prepare.ts";
export { type Resizing, resample, type Samples } from "./resample.ts";
export { fitText, type TextStyle, textPath, textWidth, type Weight, wrapText } from "./text.ts";
