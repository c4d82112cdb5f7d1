import sharp, { type OverlayOptions as Layer } from "sharp";
import type { Tensor } from "../tensor.ts";
import { blendMap, type LaidMap, layMap, markSeen } from "./blend.ts";
import { type ColormapName, colormap, defaultColormap } from "./colormap.ts";
import { drawLegend, type Legend, minLegendWidth } from "./legend.ts";
import type { Picture } from "./picture.ts";
import type { Placement } from "./prepare.ts";
import { resample } from "./resample.ts";

/** `overlay`: the map over the picture. `side-by-side`: the picture, then the overlay. `heatmap`: the colours alone. */
export const overlayViews = ["overlay", "side-by-side", "heatmap"] as const;
export type OverlayView = (typeof overlayViews)[number];

export type OverlayOptions = {
  /** Where the map lies in the picture, in its pixels (from `preparePicture`). Default: all of it */
  placement?: Placement;
  view?: OverlayView;
  colormap?: ColormapName;
  /** Of the hottest places, 0..1. Default 0.65 */
  opacity?: number;
  /** Let cold places show the picture as it is (default), or lay one even veil over everything. */
  followMap?: boolean;
  /** The map values at the two ends of the colour scale. Default [0, 1] */
  range?: readonly [number, number];
  /** Without one, no strip is drawn. */
  legend?: Legend;
  /** The longest side of the drawn picture in pixels; larger ones are scaled down. Default 1600 */
  maxSide?: number;
  /** Smaller ones are scaled up by a whole number until the longest side has this many. Default 480 */
  minSide?: number;
};

const defaults = {
  view: "overlay",
  opacity: 0.65,
  followMap: true,
  range: [0, 1],
  maxSide: 1600,
  minSide: 480,
} as const;

/** Up to this side a picture (CIFAR, digits) is enlarged in squares: its pixels are what the model saw. */
const pixelArtSide = 64;

/**
 * A map drawn over the picture it explains, with a legend that says what it is.
 *
 * `map` is [h, w], of any size: it covers `placement`. Returns 8-bit RGB, ready for `encodePicture`.
 * Throws InputError for a map that isn't [h, w], values outside `range`, a placement beside the picture.
 */
export async function renderOverlay(picture: Picture, map: Tensor, options: OverlayOptions = {}): Promise<Picture> {
  const { view, opacity, followMap, range, maxSide, minSide } = { ...defaults, ...options };
  const shown = await atDrawingSize(picture, minSide, maxSide);
  const [perX, perY] = [shown.width / picture.width, shown.height / picture.height];
  const { x, y, width, height } = options.placement ?? { x: 0, y: 0, width: picture.width, height: picture.height };
  const laid = layMap(map, shown, { x: x * perX, y: y * perY, width: width * perX, height: height * perY }, range);
  const colors = colormap(options.colormap ?? defaultColormap);

  const heat = { opacity, follow: followMap };
  const panels: Record<OverlayView, () => Picture[]> = {
    overlay: () => [blendMap(shown, laid, colors, heat)],
    "side-by-side": () => [markSeen(shown, laid), blendMap(shown, laid, colors, heat)],
    heatmap: () => [blendMap(shown, laid, colors, { opacity: 1, follow: false })],
  };
  return compose(
    panels[view](),
    laid,
    colors,
    options.legend,
    options.legend?.ticks ?? [label(range[0]), label(range[1])],
  );
}

/** The panels from left to right, a frame round what the model saw, and the legend under all of it. */
async function compose(
  panels: readonly Picture[],
  seen: LaidMap,
  colors: ReturnType<typeof colormap>,
  legend: Legend | undefined,
  ticks: readonly [string, string],
): Promise<Picture> {
  const { width, height } = panels[0]!;
  const gap = Math.max(6, Math.round(width / 80));
  const across = width * panels.length + gap * (panels.length - 1);
  const canvasWidth = legend ? Math.max(across, minLegendWidth) : across;
  const strip = legend && drawLegend(legend, colors, canvasWidth, ticks);
  const left = Math.floor((canvasWidth - across) / 2);

  const frame = seen.width < width || seen.height < height ? Buffer.from(frameSvg(seen, width, height)) : undefined;
  const layers = panels.flatMap((panel, i): Layer[] => {
    const at = { left: left + i * (width + gap), top: 0 };
    return [
      {
        input: Buffer.from(panel.rgb.buffer, panel.rgb.byteOffset, panel.rgb.byteLength),
        raw: { width, height, channels: 3 },
        ...at,
      },
      ...(frame ? [{ input: frame, ...at }] : []),
    ];
  });
  if (strip) layers.push({ input: Buffer.from(strip.svg), left: 0, top: height });
  const { data, info } = await sharp({
    create: { width: canvasWidth, height: height + (strip?.height ?? 0), channels: 3, background: "#ffffff" },
  })
    .composite(layers)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}

function frameSvg(seen: LaidMap, width: number, height: number): string {
  const line = Math.max(1, Math.round(Math.max(width, height) / 500));
  const box = `x="${seen.left + line / 2}" y="${seen.top + line / 2}" width="${seen.width - line}" height="${seen.height - line}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect ${box} fill="none" stroke="#fff" stroke-opacity="0.9" stroke-width="${line}"/></svg>`;
}

/** Shrinking for the eye is sharp's work (six times faster than `resample`); enlarging is not, it would shift the picture. */
async function atDrawingSize(picture: Picture, minSide: number, maxSide: number): Promise<Picture> {
  const side = Math.max(picture.width, picture.height);
  const factor = side > maxSide ? maxSide / side : side < minSide ? Math.round(minSide / side) : 1;
  if (factor === 1) return picture;
  const width = Math.max(1, Math.round(picture.width * factor));
  const height = Math.max(1, Math.round(picture.height * factor));
  if (factor < 1) {
    const raw = { width: picture.width, height: picture.height, channels: 3 } as const;
    const data = await sharp(picture.rgb, { raw })
      .resize(width, height, { fit: "fill", kernel: "lanczos3" })
      .raw()
      .toBuffer();
    return { width, height, rgb: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  }
  const kernel = side <= pixelArtSide ? "nearest" : "bicubic";
  const source = { width: picture.width, height: picture.height, channels: 3, data: picture.rgb };
  return { width, height, rgb: resample(source, { width, height, kernel, antialias: true }).data };
}

/** At most three significant digits: 0, 1, 0.25, 12.4, 1.2e-7. */
function label(value: number): string {
  return String(Number(value.toPrecision(3)));
}
