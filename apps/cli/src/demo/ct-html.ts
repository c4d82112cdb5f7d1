import { defaultColormap } from "@camkit/cam-core";
import { colorBar, dataUri, escapeHtml, outlinePath } from "@camkit/cam-core/page";
import type { ExplainedScan, PhantomClass, Thorax } from "@camkit/medical";
import { probability } from "../format.ts";

/** A phantom scan and what was made of it. */
export type ShownScan = {
  readonly seed: number;
  /** From the page. */
  readonly folder: string;
  readonly truth: PhantomClass;
  readonly explained: ExplainedScan;
  readonly thorax: Thorax;
  /** The slice through the map's maximum, as WebP. */
  readonly picture: Uint8Array;
  readonly files: readonly string[];
  readonly hit?: number;
  readonly energy?: number;
};

/** The CT section: a figure per scan, the true outline over it; links to the reports and to the files. */
export function ctHtml(scans: readonly ShownScan[]): string {
  const [main] = scans as readonly [ShownScan];
  return `
<div class="key">
  <span>${colorBar(defaultColormap)} evidence for the class, over the lung window</span>
  <span><svg class="glyph" viewBox="0 0 24 24"><circle class="truth-back" cx="12" cy="12" r="8"/><circle class="truth" cx="12" cy="12" r="8"/></svg> lesions, as drawn</span>
</div>
<div class="scans">${scans.map(figure).join("\n")}</div>
<p class="lead">The first scan with everything that <code>camkit ct</code> writes: <a href="${main.folder}/report.html">its report</a>, with a browser of slices, ${main.files
    .filter((file) => !file.endsWith("report.html"))
    .map((file) => `<a href="${escapeHtml(file)}">${escapeHtml(file.split("/").at(-1)!)}</a>`)
    .join(", ")}; and <a href="${main.folder}/series">the DICOM series</a> itself.</p>`;
}

function figure({ seed, folder, truth, explained, thorax, picture, hit }: ShownScan): string {
  const { provenance, statistics, map } = explained;
  const [, rows, columns] = map.geometry.shape;
  const [k] = statistics.peak.index;
  const mask = thorax.lesionMask
    .subarray(k * rows * columns, (k + 1) * rows * columns)
    .map((label) => Number(label > 0));
  const outline = outlinePath(mask, columns, rows);
  const named =
    provenance.target === truth
      ? `<em class="hit">named rightly</em>`
      : `<em class="miss">it is ${escapeHtml(truth)}</em>`;
  const aimed =
    hit === undefined
      ? ""
      : hit > 0
        ? ` · <em class="hit">maximum in a lesion</em>`
        : ` · <em class="miss">maximum beside the lesions</em>`;
  const sure = provenance.probability === undefined ? "" : ` · ${escapeHtml(probability(provenance.probability))}`;
  return `<figure><div class="pic"><img src="${dataUri(picture, "webp")}" alt="slice ${k + 1} of phantom ${seed} with the map of ${escapeHtml(provenance.target)}"><svg class="marks" viewBox="0 0 ${columns} ${rows}"><path class="truth-back" d="${outline}"/><path class="truth" d="${outline}"/></svg></div><figcaption><b>${escapeHtml(provenance.target)}</b><span>${named}${sure}${aimed}</span><span class="small">phantom ${seed}, slice ${k + 1} · <a href="${folder}/report.html">report</a></span></figcaption></figure>`;
}
