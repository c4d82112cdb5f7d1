/** The look of all pages, light and dark. System fonts: nothing is fetched. */
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
h1 { margin: 2px 0 8px; font-size: 42px; line-height: 1.15; letter-spacing: -0.02em; overflow-wrap: anywhere; }
h2 { margin: 52px 0 6px; font-size: 26px; letter-spacing: -0.01em; }
h3 { margin: 40px 0 6px; font-size: 19px; }
h4 { margin: 0 0 6px; font-size: 14px; color: var(--soft); font-weight: 600; }
.lead { margin: 0; max-width: 74ch; color: var(--soft); }
header .lead { font-size: 18px; }
.note { margin: 16px 0 0; padding: 10px 16px; max-width: 84ch; border-left: 3px solid var(--accent); background: var(--card); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 16px; margin: 24px 0; }
.tile { display: flex; flex-direction: column; padding: 16px 20px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; break-inside: avoid; }
.tile strong { font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; }
.tile small { color: var(--soft); }
.bar { display: inline-flex; align-items: center; gap: 6px; font-variant-numeric: tabular-nums; }
.bar i { width: 150px; height: 12px; border-radius: 3px; border: 1px solid var(--line); }
.soft { color: var(--soft); }
figure { margin: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 24px; margin: 16px 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
a { color: inherit; }
footer { margin-top: 56px; padding-top: 20px; padding-bottom: 48px; color: var(--soft); font-size: 13px; }
@media (max-width: 760px) { h1 { font-size: 32px; } dl { grid-template-columns: 1fr; } dd { margin-bottom: 8px; } }
`;
