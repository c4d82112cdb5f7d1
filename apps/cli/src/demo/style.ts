/** What the demo has beside the look of all pages. */
export const css = `
h3 { margin: 44px 0 4px; font-size: 20px; }
.key { display: flex; flex-wrap: wrap; gap: 8px 28px; align-items: center; margin: 8px 0 18px; color: var(--soft); font-size: 14px; }
.key > * { display: inline-flex; align-items: center; gap: 8px; }
.glyph { width: 22px; height: 22px; background: #777; border-radius: 5px; }
.scene { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)) minmax(0, 1.25fr); gap: 16px; padding: 16px; margin-bottom: 16px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.scene .answers { grid-column: 5; }
.methods { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 20px 16px; margin-top: 18px; }
.scans { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 20px 16px; margin-bottom: 20px; }
.pic { position: relative; aspect-ratio: 1; border-radius: 8px; overflow: hidden; background: #777; }
.pic img { display: block; width: 100%; height: 100%; }
.pic svg { position: absolute; inset: 0; width: 100%; height: 100%; }
figcaption { margin-top: 8px; font-size: 14px; line-height: 1.35; }
figcaption b { display: block; font-weight: 600; }
figcaption span { display: block; color: var(--soft); }
figcaption .small { font-size: 13px; }
em { font-style: normal; }
.hit { color: var(--good); }
.miss { color: var(--bad); font-weight: 600; }
path, circle { fill: none; vector-effect: non-scaling-stroke; stroke-linecap: round; }
.truth-back { stroke: #000; stroke-opacity: 0.55; stroke-width: 3.5px; }
.truth { stroke: #7df9ff; stroke-width: 1.6px; }
.peak-back { stroke: #000; stroke-opacity: 0.75; stroke-width: 4.5px; }
.peak { stroke: #fff; stroke-width: 2px; }
body:has(#marks:not(:checked)) .marks { display: none; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th { padding: 4px 8px 4px 0; text-align: left; font-weight: 400; color: var(--soft); white-space: nowrap; }
.named th { color: var(--ink); font-weight: 600; }
td { padding: 4px 0; }
.meter { width: 40%; min-width: 40px; }
.meter i { display: block; min-width: 1px; height: 8px; background: var(--meter); border-radius: 3px; }
.num { padding-left: 8px; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.verdict { padding-left: 8px; color: var(--bad); }
.verdict:empty { padding: 0; }
footer h4 { padding-top: 20px; border-top: 1px solid var(--line); }
label { cursor: pointer; }
@media (max-width: 860px) {
  .scans { grid-template-columns: minmax(0, 1fr); }
  .scene, .methods { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .scene .answers { grid-column: 1 / -1; }
}
@media print { .scene, .methods figure { break-inside: avoid; } }
`;
