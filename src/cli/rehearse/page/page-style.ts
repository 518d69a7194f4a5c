import { monospace } from '../../../visualize/page/base-style.ts';

export const pageStyle = `
header, main { padding: 16px 28px; }
h1 { font-size: 22px; }
header p { margin: 2px 0 0; color: var(--muted); }
h2 { font-size: 15px; margin: 26px 0 8px; }
.note { color: var(--muted); margin: 0 0 8px; font-size: 12px; }
.wide { overflow-x: auto; padding-bottom: 6px; }
td, th { text-align: left; padding: 3px 14px 3px 0; font-weight: normal; vertical-align: top; white-space: nowrap; }
.results td:last-child { white-space: normal; color: var(--muted); }
.results .done td:nth-child(2) { color: var(--active); }
.results .lost td:nth-child(2), .results .failed td:nth-child(2), .results .refused td:nth-child(2) { color: var(--error); }
svg text { fill: var(--ink); font-size: 12px; }
svg .in { font-size: 11px; fill: var(--canvas); pointer-events: none; }
svg .tick { fill: var(--muted); font-size: 10px; }
.bar { fill: var(--event); }
.bar.failed { fill: var(--error); }
.bar.interrupted { fill: var(--timer); }
.border { stroke: var(--error); stroke-width: 2; stroke-dasharray: 5 3; }
.axis { stroke: var(--rule); }
.slots { fill: none; stroke: var(--active); stroke-width: 2.5; }
.legend { list-style: none; padding: 0; }
.matrix td { white-space: normal; padding-right: 0; }
.matrix th { color: var(--muted); font-size: 12px; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 12px ${monospace}; }
.cell { display: inline-block; width: 15px; height: 15px; margin: 1px; padding: 0; border: 0; border-radius: 3px; vertical-align: middle; background: var(--border); }
button.cell:hover, button.cell:focus-visible, button.cell.chosen { outline: 2px solid var(--ink); outline-offset: 1px; }
.unharmed { background: var(--active); }
.refused { background: var(--event); }
.source-kept { background: #6fa3ef; }
.died-with-its-owner { background: var(--done); }
.slot-lost-by-the-module { background: var(--timer); }
.slot-lost-by-the-kernel { background: #d9a441; }
.TD-lost-by-the-kernel { background: var(--error); }
.violation { background: #d400d4; }
.not-met { background: var(--rule); }
aside { position: fixed; top: 0; right: 0; bottom: 0; width: min(900px, 92vw); overflow: auto; padding: 18px 24px; background: var(--nest1); border-left: 1px solid var(--border); box-shadow: -8px 0 24px rgb(0 0 0 / 0.18); }
aside h3 { margin: 0 30px 4px 0; font-size: 16px; overflow-wrap: anywhere; }
aside code { font: 12px ${monospace}; overflow-wrap: anywhere; }
#close { position: absolute; right: 16px; top: 12px; font-size: 20px; background: none; border: 0; }
.sequence line { stroke: var(--border); }
.sequence .call { stroke: var(--event); }
.sequence .call.bad { stroke: var(--error); }
.sequence .loop { fill: none; stroke: var(--muted); stroke-dasharray: 3 3; }
.sequence text.bad { fill: var(--error); font-weight: bold; }
@media print { aside { display: none; } }
`;
