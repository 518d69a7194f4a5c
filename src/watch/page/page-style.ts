/** The style of the live page; the charts bring their own. */
import { fullHeight, monospace } from '../../visualize/page/base-style.ts';

export const pageStyle = `
body { ${fullHeight} }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; padding: 8px 16px; }
h1 { margin-right: auto; }
h2 { font-size: 12px; letter-spacing: 0.05em; text-transform: uppercase; color: var(--muted); margin: 0 0 4px; display: flex; gap: 12px; align-items: center; }
h2 span, h2 input { text-transform: none; letter-spacing: 0; }
.controls { display: flex; gap: 8px; align-items: center; }
.badge { background: var(--tag); color: var(--tagInk); border-radius: 10px; padding: 1px 10px; font-size: 12px; }
.badge.done { background: var(--active); color: var(--canvas); }
.badge.live { color: var(--active); }
.badge.away { background: var(--errorSoft); color: var(--error); }
#clock { font-variant-numeric: tabular-nums; min-width: 9ch; text-align: right; }
#end { margin: 0; padding: 7px 16px; background: var(--tag); color: var(--tagInk); white-space: pre-wrap; }
#end.bad { background: var(--errorSoft); color: var(--error); }
main { flex: 1; min-height: 0; display: flex; flex-direction: column; }
#cards { flex: 3; min-height: 0; display: flex; gap: 1px; background: var(--rule); }
.card { flex: 1; min-width: 0; display: flex; flex-direction: column; background: var(--canvas); }
.card.move { flex: 0.85; }
.card .head { padding: 8px 14px 6px; }
.card .lane { color: var(--muted); font-size: 12px; display: flex; justify-content: space-between; }
.card .now { font-size: 17px; font-weight: bold; overflow-wrap: anywhere; }
.card .now.active { color: var(--active); }
.card .now.bad { color: var(--error); }
.card .does { color: var(--muted); font-size: 12px; min-height: 1.5em; }
.card button { font-size: 12px; padding: 0 8px; }
.card .chart { flex: 1; min-height: 0; width: 100%; height: 100%; display: block; }
.card .active > .box { fill: color-mix(in srgb, var(--active) 16%, var(--box)); stroke-width: 4; }
.card .compound.active > .box, .card .parallel.active > .box { fill: var(--nest1); }
.card .seen > .box { stroke: var(--active); stroke-opacity: 0.55; }
.card .failed > .box { fill: var(--errorSoft); stroke: var(--error); }
#below { flex: 2; min-height: 0; display: grid; grid-template-columns: 2fr 1fr 2fr; gap: 1px; background: var(--rule); border-top: 1px solid var(--rule); }
.panel { background: var(--canvas); padding: 8px 14px; min-width: 0; min-height: 0; display: flex; flex-direction: column; }
.scroll { flex: 1; overflow: auto; min-height: 0; }
table { width: 100%; font-size: 12px; }
th { text-align: left; color: var(--muted); font-weight: normal; position: sticky; top: 0; background: var(--canvas); }
th, td { padding: 1px 10px 1px 0; vertical-align: top; }
td:nth-child(1), td:nth-child(4) { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td:nth-child(5) { color: var(--muted); }
tr.failed td, #log .failed { color: var(--error); }
#log { list-style: none; margin: 0; padding: 0; font: 12px/1.5 ${monospace}; }
#log li { overflow-wrap: anywhere; }
.graph { flex: 1; min-height: 0; display: flex; padding-top: 8px; }
.ends { width: 22px; display: flex; flex-direction: column; justify-content: space-between; font-size: 12px; line-height: 14px; margin: -7px 0; color: var(--muted); }
#slots-plot { flex: 1; min-width: 0; position: relative; border-bottom: 1px solid var(--border); }
#slots { position: absolute; width: 100%; height: 100%; overflow: visible; }
#slots polyline { fill: none; stroke: var(--event); stroke-width: 2; vector-effect: non-scaling-stroke; }
#slots polygon { fill: var(--event); fill-opacity: 0.08; }
.axis { position: relative; height: 18px; margin-left: 22px; color: var(--muted); font-size: 11px; }
.axis span { position: absolute; padding-left: 3px; border-left: 1px solid var(--border); white-space: nowrap; }
.axis .end { right: 0; padding: 0 3px 0 0; border: 0; border-right: 1px solid var(--border); }
#slots-plot .border { position: absolute; top: -8px; bottom: 0; border-left: 2px dashed var(--error); }
#slots-plot .border span { position: absolute; left: 4px; bottom: 2px; font-size: 11px; line-height: 14px; color: var(--error); white-space: nowrap; }
#slots-plot .turned span { left: auto; right: 5px; }
@media (max-width: 1200px) {
#below table, #below tbody { display: block; }
#below thead { display: none; }
#below tr { display: flex; flex-wrap: wrap; gap: 0 10px; }
#below td { padding: 0; }
#below td:nth-child(1) { min-width: 9ch; }
#below td:nth-child(5) { flex-basis: 100%; padding-left: calc(9ch + 10px); }
#below td:nth-child(5):empty { display: none; }
}
@media (max-width: 900px) { body { height: auto; } #cards, #below { display: block; } .card .chart { height: 70vh; } .scroll { max-height: 40vh; } .graph { height: 120px; flex: none; } }
`;
