/** What the report of a scan has beside the look of all pages. The browser of slices is dark in both: eyes compare greys there. */
export const css = `
.note.warn { border-left-color: var(--bad); }
.sheet { margin: 16px 0; padding: 8px 20px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow-x: auto; break-inside: avoid; }
table { width: 100%; border-collapse: collapse; font-size: 15px; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 0 7px 22px; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 400; }
th:first-child, td:first-child { padding-left: 0; text-align: left; font-weight: 500; }
td.text { text-align: left; white-space: normal; overflow-wrap: anywhere; }
tr.sub th:first-child { padding-left: 18px; font-weight: 400; color: var(--soft); }
.meter { width: 120px; min-width: 44px; }
.meter div { background: var(--line); border-radius: 3px; }
.meter i { display: block; min-width: 1px; height: 8px; background: var(--meter); border-radius: 3px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 16px; margin: 16px 0; align-items: start; }
.pair > * { margin: 0; min-width: 0; }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); }
@media (min-width: 900px) { .pair.places { grid-template-columns: 2fr 3fr; } }
.chart { padding: 14px 16px 8px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; break-inside: avoid; }
.chart figcaption { display: flex; flex-wrap: wrap; gap: 2px 16px; align-items: baseline; font-size: 14px; }
.chart svg { display: block; width: 100%; height: auto; }
.chart text { fill: var(--soft); font-size: 14px; font-variant-numeric: tabular-nums; }
.chart .grid { stroke: var(--line); fill: none; }
.key { display: inline-flex; align-items: center; gap: 6px; color: var(--soft); }
.key i { width: 18px; height: 0; }
.viewer { display: grid; grid-template-columns: minmax(0, 1fr) 300px; margin: 16px 0 0; background: #0c0d0f; color: #e8e9ec; border-radius: 12px 12px 0 0; overflow: hidden; }
.viewer[hidden], .viewer [hidden] { display: none !important; }
.stage { position: relative; display: flex; align-items: center; justify-content: center; --room: min(74vh, 680px); height: var(--room); background: #000; outline-offset: -3px; touch-action: pan-y; }
.stage:focus-visible { outline: 2px solid #ffa063; }
.stage canvas { width: min(100%, var(--room) * var(--ratio, 1)); height: auto; aspect-ratio: var(--ratio, 1); object-fit: fill; cursor: crosshair; }
.letter { position: absolute; font-weight: 650; text-shadow: 0 0 4px #000, 0 0 2px #000; pointer-events: none; }
.letter.l { left: 10px; top: 50%; } .letter.r { right: 10px; top: 50%; } .letter.t { top: 6px; left: 50%; } .letter.b { bottom: 6px; left: 50%; }
.where, .only { position: absolute; bottom: 8px; font-size: 14px; text-shadow: 0 0 4px #000, 0 0 2px #000; pointer-events: none; font-variant-numeric: tabular-nums; }
.where { left: 12px; } .only { right: 12px; font-weight: 600; }
.loading { position: absolute; left: 0; right: 0; top: 0; height: 3px; } .loading i { display: block; height: 100%; width: 0; background: #ffa063; }
.loading[hidden] { display: none; }
.panel { display: flex; flex-direction: column; gap: 14px; padding: 18px 18px 12px; font-size: 14px; }
.row { display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: center; }
.row > span:first-child { flex: 1 0 100%; color: #a6abb7; }
.row input[type="range"] { flex: 1; min-width: 0; accent-color: #ffa063; }
.buttons { display: flex; flex: 1; }
.viewer button { flex: 1; padding: 6px 8px; color: inherit; background: #1b1d22; border: 1px solid #363a44; font: inherit; cursor: pointer; border-radius: 7px; }
.buttons button { border-radius: 0; margin-left: -1px; } .buttons button:first-child { border-radius: 7px 0 0 7px; } .buttons button:last-child { border-radius: 0 7px 7px 0; }
.viewer button[aria-pressed="true"] { background: #ffa063; color: #16110c; border-color: #ffa063; font-weight: 600; }
.viewer button:hover:not([aria-pressed="true"]) { background: #2a2d35; }
.check { display: inline-flex; gap: 6px; align-items: center; flex: 1; } .check input { accent-color: #ffa063; }
.panel .bar i { width: 90px; border-color: #363a44; }
.readout { margin: 0; min-height: 3em; color: #ffd0ad; font-variant-numeric: tabular-nums; }
.keys { margin: auto 0 0; color: #8b909d; font-size: 12.5px; }
.curve { position: relative; margin: 0 0 6px; padding: 10px 0 0; background: var(--card); border: 1px solid var(--line); border-top: 0; border-radius: 0 0 12px 12px; }
.curve svg { display: block; width: 100%; height: 84px; cursor: pointer; touch-action: none; }
.curve .area { fill: var(--meter); opacity: 0.85; } .curve .seen { stroke: var(--soft); stroke-width: 1; vector-effect: non-scaling-stroke; }
.curve .cursor { position: absolute; top: 0; bottom: 26px; width: 2px; margin-left: -1px; background: var(--ink); pointer-events: none; left: -9px; }
.viewer[hidden] + .curve { margin-top: 16px; border-top: 1px solid var(--line); border-radius: 12px; }
.curve .frame { position: relative; overflow: hidden; }
.ends { display: flex; justify-content: space-between; gap: 12px; padding: 2px 12px 4px; font-size: 13px; color: var(--soft); }
.thirds { display: grid; grid-template-columns: auto 1fr 1fr; gap: 4px; padding: 16px 20px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; text-align: center; font-variant-numeric: tabular-nums; }
.thirds b { font-weight: 600; } .thirds span { align-self: center; text-align: left; color: var(--soft); padding-right: 10px; }
.thirds div { padding: 14px 6px; border-radius: 8px; border: 1px solid var(--line); background: color-mix(in srgb, var(--meter) var(--share), transparent); }
.thirds .right.upper { border-radius: 60px 8px 8px 8px; } .thirds .left.upper { border-radius: 8px 60px 8px 8px; }
.sheet-picture { display: block; width: 100%; height: auto; margin: 16px 0; border-radius: 12px; }
details { margin: 16px 0; } summary { cursor: pointer; color: var(--soft); }
.list { margin: 12px 0; padding-left: 20px; } .list li { margin: 4px 0; max-width: 84ch; }
@media (max-width: 860px) { .viewer { grid-template-columns: minmax(0, 1fr); } .stage { --room: 105vw; height: auto; } .panel { gap: 10px; } .keys { display: none; } .readout { min-height: 1.5em; } }
@media (max-width: 760px) { header, main, footer { padding-left: 16px; padding-right: 16px; } header { padding-top: 28px; } .sheet { padding: 6px 14px; } th, td { padding-left: 14px; } .tiles { grid-template-columns: 1fr 1fr; gap: 10px; } .tile { padding: 12px 14px; } .tile strong { font-size: 24px; } td.meter, th.meter { display: none; } .only { bottom: auto; top: 6px; } .letter.b { display: none; } .ends { flex-wrap: wrap; } .ends span:nth-child(2) { order: 3; flex: 1 0 100%; } }
@media print { .viewer, .curve { display: none; } }
`;
