import { defaultColormap, type Scene } from "@camkit/cam-core";
import { colorBar, dataUri, escapeHtml, outlinePath } from "@camkit/cam-core/page";
import { probability } from "../format.ts";
import type { compareMethods, SceneMap, ShownScene } from "./scenes-run.ts";

type Comparison = Awaited<ReturnType<typeof compareMethods>>;

/** The scenes section: a row per scene, then one object seen by every method. */
export function scenesHtml(scenes: readonly ShownScene[], comparison: Comparison, labels: readonly string[]): string {
  return `
<div class="key">
  <span>${colorBar(defaultColormap)} evidence for the class</span>
  <span><svg class="glyph" viewBox="0 0 24 24"><circle class="truth-back" cx="12" cy="12" r="8"/><circle class="truth" cx="12" cy="12" r="8"/></svg> the object, as drawn</span>
  <span><svg class="glyph" viewBox="0 0 24 24">${cross(12, 12, 7)}</svg> the map's highest point</span>
  <label><input type="checkbox" id="marks" checked> show both</label>
</div>
${scenes.map((scene) => sceneRow(scene, labels)).join("\n")}
<h3>One object, every method</h3>
<p class="lead">The ${escapeHtml(comparison.label)} of scene ${comparison.seed}, from the same file: coarse where a method works at the last layer, fine where it works at the input.</p>
<div class="methods">
${comparison.maps.map((map) => figure(map, comparison.scene, comparison.object.mask, methodCaption(map))).join("\n")}
</div>`;
}

function sceneRow({ seed, scene, picture, predictions, maps }: ShownScene, labels: readonly string[]): string {
  const present = new Set(scene.objects.map((object) => object.classIndex));
  const rows = predictions.slice(0, 4).map(({ class: index, label, probability: p = 0 }) => {
    const named = p > 0.5;
    const verdict = named === present.has(index) ? "" : named ? "not in the scene" : "missed";
    return `<tr class="${named ? "named" : ""}"><th>${escapeHtml(label ?? labels[index] ?? "")}</th><td class="meter"><i style="width:${(p * 100).toFixed(1)}%"></i></td><td class="num">${escapeHtml(probability(p))}</td><td class="verdict">${verdict}</td></tr>`;
  });
  return `<article class="scene">
  <figure><div class="pic"><img src="${dataUri(picture, "webp")}" alt="scene ${seed}"></div><figcaption><b>Scene ${seed}</b><span>${scene.width} x ${scene.height} pixels</span></figcaption></figure>
  ${maps.map((map, i) => figure(map, scene, scene.objects[i]!.mask, caption(map))).join("\n  ")}
  <div class="answers"><h4>What the network says</h4><table>${rows.join("")}</table></div>
</article>`;
}

function figure(map: SceneMap, { width, height }: Scene, mask: Uint8Array, caption: string): string {
  const outline = outlinePath(mask, width, height);
  return `<figure><div class="pic"><img src="${dataUri(map.image, "webp")}" alt="${escapeHtml(`${map.method} map of ${map.label}`)}"><svg class="marks" viewBox="0 0 ${width} ${height}"><path class="truth-back" d="${outline}"/><path class="truth" d="${outline}"/>${cross(map.peak.x, map.peak.y, 3.2)}</svg></div><figcaption>${caption}</figcaption></figure>`;
}

function caption({ label, probability: p, hit }: SceneMap): string {
  return `<b>${escapeHtml(label)}</b><span>${escapeHtml(probability(p))} · ${verdict(hit)}</span>`;
}

function methodCaption({ method, at, summary, hit }: Comparison["maps"][number]): string {
  return `<b>${escapeHtml(method)}</b><span>at ${escapeHtml(at)} · ${verdict(hit)}</span><span class="small">${escapeHtml(summary)}</span>`;
}

function verdict(hit: boolean): string {
  return hit ? `<em class="hit">on the object</em>` : `<em class="miss">beside the object</em>`;
}

/** A white cross on a dark one, seen on any ground. */
function cross(x: number, y: number, arm: number): string {
  const d = `M${x - arm} ${y}h${2 * arm}M${x} ${y - arm}v${2 * arm}`;
  return `<path class="peak-back" d="${d}"/><path class="peak" d="${d}"/>`;
}
