/** The page's look, light and dark, as all of camkit's pages. System fonts: nothing is fetched. Pictures keep a white card. */
export const css = `
:root { --ground: #fbfaf8; --card: #fff; --ink: #1a1c21; --soft: #60646f; --line: #e4e1db; --accent: #b4430f; --meter: #e07b39; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #131417; --card: #1c1e23; --ink: #ecedf0; --soft: #9ba0ac; --line: #30333b; --accent: #ffa063; --meter: #e07b39; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 52px; }
.brand { margin: 0; color: var(--accent); font-weight: 650; }
h1 { margin: 2px 0 8px; font-size: 42px; line-height: 1.15; letter-spacing: -0.02em; overflow-wrap: anywhere; }
h2 { margin: 52px 0 6px; font-size: 26px; letter-spacing: -0.01em; }
h3 { margin: 36px 0 8px; font-size: 18px; }
.lead { margin: 0; max-width: 74ch; color: var(--soft); }
header .lead { font-size: 18px; }
.note { margin: 16px 0 0; padding: 10px 16px; max-width: 84ch; border-left: 3px solid var(--accent); background: var(--card); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 16px; margin: 24px 0 0; }
.tile { display: flex; flex-direction: column; padding: 16px 20px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.tile strong { font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; }
.tile small { color: var(--soft); }
.plots { display: flex; flex-wrap: wrap; gap: 16px; margin: 16px 0; align-items: flex-start; }
.plot { margin: 0; max-width: 100%; background: #fff; border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.plot svg { display: block; max-width: 100%; height: auto; }
.sheet { margin: 16px 0; padding: 8px 20px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 15px; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 0 7px 24px; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 400; }
th:first-child { padding-left: 0; text-align: left; font-weight: 500; }
.soft { color: var(--soft); }
.metrics { margin: 0; flex: 0 1 560px; }
.meter { width: 120px; min-width: 60px; }
.meter div { background: var(--line); border-radius: 3px; }
.meter i { display: block; min-width: 1px; height: 8px; background: var(--meter); border-radius: 3px; }
pre { margin: 16px 0; padding: 16px 20px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-x: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 24px; margin: 16px 0; font-size: 15px; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
footer { margin-top: 56px; padding-bottom: 48px; color: var(--soft); font-size: 13px; }
@media (max-width: 700px) { h1 { font-size: 32px; } dl { grid-template-columns: 1fr; } dd { margin-bottom: 8px; } }
@media print { .plot, .sheet, .tile { break-inside: avoid; } }
`;
