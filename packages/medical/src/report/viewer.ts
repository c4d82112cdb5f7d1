import { colormap } from "@camkit/cam-core";
import { colorBar, escapeHtml } from "@camkit/cam-core/page";
import { type Geometry, positionOf, type Vec3 } from "../volume/geometry.ts";
import type { Volume } from "../volume/volume.ts";
import { greysOf, valueOfByte } from "./companding.ts";
import { mapColors } from "./draw-plane.ts";
import type { Sprites } from "./sprites.ts";
import type { MapStatistics } from "./statistics.ts";
import { viewerScript } from "./viewer-script.ts";
import { displayView, nativeView, type View, viewNames } from "./views.ts";
import type { Display } from "./window.ts";

/**
 * The slice browser: markup, what stands under it (the curve), its pictures as JSON, its script. Hidden until the script runs, which
 * comes last since it looks for what is above.
 */
export function viewerHtml(
  volume: Volume,
  sprites: Sprites,
  { peak }: Pick<MapStatistics, "peak">,
  {
    display,
    isProjection,
    under,
  }: { readonly display: Display; readonly isProjection: boolean; readonly under: string },
): string {
  const views = isProjection ? { picture: pictureView(volume.geometry) } : scanViews(volume.geometry);
  const json = JSON.stringify(viewerData(volume, sprites, peak.index, views, display)).replace(/</g, "\\u003c");
  const turning = isProjection ? " hidden" : "";
  return `<noscript><p class="note">Turning slices needs JavaScript. Further down is a contact sheet.</p></noscript>
<div class="viewer" id="viewer" hidden>
<div class="stage" data-stage tabindex="0" aria-label="Slices of the scan with the map. Arrow keys turn slices.">
<canvas data-canvas></canvas>
<b class="letter l" data-left></b><b class="letter r" data-right></b><b class="letter t" data-top></b><b class="letter b" data-bottom></b>
<span class="where" data-where></span><span class="only">Research use only</span>
<span class="loading"><i data-progress></i></span>
</div>
<div class="panel">
${isProjection ? "" : buttons("view", "Plane", Object.keys(views))}
${isProjection ? "" : buttons("window", "Window", Object.keys(display.windows))}
<label class="row"${turning}><span>Slice</span><input type="range" data-slice min="0" value="0"></label>
<label class="row"><span>Opacity</span><input type="range" data-opacity min="0" max="1" step="0.01" value="0.6"></label>
<label class="row"><span>Threshold <output data-threshold-value>0.00</output></span><input type="range" data-threshold min="0" max="1" step="0.01" value="0"></label>
<div class="row"><span>Map</span><label class="check"><input type="checkbox" data-map checked> shown</label>${colorBar(mapColors)}</div>
<div class="row"><button type="button" data-play${turning}>Play</button><button type="button" data-maximum${turning}>Maximum</button></div>
<p class="readout" data-readout aria-live="off"></p>
<p class="keys"${turning}>Wheel or arrows: slices. Page keys: ten. Space: play. X: maximum. M: map. 1 2 3: planes. A click sets the other planes.</p>
</div>
</div>
${under}
<script type="application/json" id="viewer-data">${json}</script>
<script>${viewerScript}</script>`;
}

/** The first is pressed. */
function buttons(group: string, title: string, names: readonly string[]): string {
  const each = names.map(
    (name, i) =>
      `<button type="button" data-${group}-of="${name}" aria-pressed="${i === 0}">${escapeHtml(name)}</button>`,
  );
  return `<div class="row"><span>${title}</span><div class="buttons" role="group" aria-label="${title}">${each.join("")}</div></div>`;
}

type Views = Readonly<Record<string, View>>;

const scanViews = (geometry: Geometry): Views =>
  Object.fromEntries(viewNames.map((name) => [name, displayView(geometry, name)]));

/** A radiograph as it is; where it lies in the patient isn't known. */
const pictureView = (geometry: Geometry): View => ({
  ...nativeView(geometry),
  letters: { left: "", right: "", top: "", bottom: "" },
});

/** What the script reads. Indices are those of the grey pictures. */
function viewerData({ geometry }: Volume, { shape, ...sprites }: Sprites, peak: Vec3, views: Views, display: Display) {
  const shrink = shape.map((size, axis) => size / geometry.shape[axis]!);
  const spacingMm = geometry.spacingMm.map((mm, axis) => mm / shrink[axis]!);
  const at = peak.map((index, axis) => Math.min(shape[axis]! - 1, Math.floor((index + 0.5) * shrink[axis]!)));
  const start = Object.fromEntries(Object.entries(views).map(([name, { fixed }]) => [name, at[fixed]!]));
  const first = shrink.map((share) => 0.5 / share - 0.5) as unknown as Vec3; // the scan's index of the first picture's first pixel
  const corner = positionOf(geometry, first);
  return {
    ...sprites,
    shape,
    spacingMm,
    corner,
    directions: geometry.directions,
    /** Along each axis, where its first index lies: the position told beside a slice. */
    originMm: geometry.directions.map((direction) => direction.reduce((sum, d, axis) => sum + d * corner[axis]!, 0)),
    views,
    sliceView: Object.keys(views).find((name) => views[name]!.fixed === 0)!,
    start,
    peak: at,
    windows: Object.fromEntries(
      Object.entries(display.windows).map(([name, window]) => [name, greysOf(display, window)]),
    ),
    values: Array.from({ length: 256 }, (_, byte) => Math.round(valueOfByte(display, byte))),
    unit: display.unit,
    colors: Buffer.from(colormap(mapColors).table).toString("base64"),
  };
}
