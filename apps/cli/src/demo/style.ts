/** The page's look, light and dark. System fonts: nothing is fetched. */
export const css = `
:root { --ground: #fbfaf8; --card: #fff; --ink: #1a1c21; --soft: #60646f; --line: #e4e1db; --accent: #b4430f; --good: #17723a; --bad: #b3261e; --meter: #e07b39; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #131417; --card: #1c1e23; --ink: #ecedf0; --soft: #9ba0ac; --line: #30333b; --accent: #ffa063; --good: #6fd394; --bad: #ff8a80; --meter: #e07b39; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 52px; }
.brand { margin: 0; color: var(--accent); font-weight: 650; }
h1 { margin: 2px 0 8px; font-size: 42px; line-height: 1.15; letter-spacing: -0.02em; }
h2 { margin: 52px 0 6px; font-size: 26px; letter-spacing: -0.01em; }
h3 { margin: 44px 0 4px; font-size: 20px; }
h4 { margin: 0 0 6px; font-size: 14px; color: var(--soft); font-weight: 600; }
.lead { margin: 0; max-width: 74ch; color: var(--soft); }
header .lead { font-size: 18px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 16px; margin: 24px 0; }
.tile { display: flex; flex-direction: column; padding: 16px 20px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.tile strong { font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; }
.tile small { color: var(--soft); }
.key { display: flex; flex-wrap: wrap; gap: 8px 28px; align-items: center; margin: 8px 0 18px; color: var(--soft); font-size: 14px; }
.key > * { display: inline-flex; align-items: center; gap: 8px; }
.bar { display: inline-flex; align-items: center; gap: 6px; font-variant-numeric: tabular-nums; }
.bar i { width: 150px; height: 12px; border-radius: 3px; border: 1px solid var(--line); }
.glyph { width: 22px; height: 22px; background: #777; border-radius: 5px; }
.scene { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)) minmax(0, 1.25fr); gap: 16px; padding: 16px; margin-bottom: 16px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.scene .answers { grid-column: 5; }
.methods { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 20px 16px; margin-top: 18px; }
figure { margin: 0; }
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
footer { margin-top: 56px; padding-top: 20px; padding-bottom: 48px; color: var(--soft); font-size: 13px; }
footer h4 { padding-top: 20px; border-top: 1px solid var(--line); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 0 0 16px; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
a { color: inherit; }
label { cursor: pointer; }
@media (max-width: 860px) {
  .scene, .methods { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .scene .answers { grid-column: 1 / -1; }
  h1 { font-size: 32px; }
}
@media print { .scene, .methods figure { break-inside: avoid; } }
`;
