/** What reports of training have beside the look of all pages. Pictures keep a white card. */
export const css = `
.plots { display: flex; flex-wrap: wrap; gap: 16px; margin: 16px 0; align-items: flex-start; }
.plot { max-width: 100%; background: #fff; border: 1px solid var(--line); border-radius: 12px; overflow: hidden; break-inside: avoid; }
.plot svg { display: block; max-width: 100%; height: auto; }
.sheet { margin: 16px 0; padding: 8px 20px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow-x: auto; break-inside: avoid; }
table { width: 100%; border-collapse: collapse; font-size: 15px; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 0 7px 24px; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 400; }
th:first-child { padding-left: 0; text-align: left; font-weight: 500; }
.metrics { margin: 0; flex: 0 1 560px; }
.meter { width: 120px; min-width: 60px; }
.meter div { background: var(--line); border-radius: 3px; }
.meter i { display: block; min-width: 1px; height: 8px; background: var(--meter); border-radius: 3px; }
pre { margin: 16px 0; padding: 16px 20px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-x: auto; }
`;
