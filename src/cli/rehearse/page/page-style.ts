import { monospace } from '../../../visualize/page/base-style.ts';
import { outcomeRules } from './outcome-styles.ts';

export const pageStyle = `
header, main { padding: 16px 28px; }
h1 { font-size: 22px; overflow-wrap: anywhere; }
header p { margin: 2px 0 0; color: var(--muted); }
h2 { font-size: 15px; margin: 26px 0 8px; }
.note { color: var(--muted); margin: 0 0 8px; font-size: 12px; }
.wide { overflow-x: auto; padding-bottom: 6px; }
td, th { text-align: left; padding: 3px 14px 3px 0; font-weight: normal; vertical-align: top; white-space: nowrap; }
.results td:last-child { white-space: normal; color: var(--muted); }
.results .done td:nth-child(2) { color: var(--active); }
.results .lost td:nth-child(2), .results .failed td:nth-child(2), .results .refused td:nth-child(2) { color: var(--error); }
.bar { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: 4px 16px; margin-bottom: 6px; }
.bar .note { margin: 0; }
.zoom { display: flex; gap: 6px; }
.timeline { --lane: 132px; overflow-x: auto; padding-bottom: 6px; }
.plot { position: relative; isolation: isolate; width: max(100%, calc(var(--natural) + var(--lane))); }
.row { display: flex; margin-bottom: 6px; position: relative; }
.lane { position: sticky; left: 0; z-index: 3; flex: none; width: var(--lane); padding-right: 10px; line-height: 20px; background: var(--canvas); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; font-size: 12px; }
.track { position: relative; flex: 1; height: 20px; }
.step { position: absolute; top: 0; display: flex; flex-wrap: wrap; height: 20px; overflow: hidden; padding-left: 2px; line-height: 20px; font-size: 11px; border-radius: 3px; color: var(--canvas); background: var(--event); border-right: 1px solid var(--canvas); white-space: nowrap; }
.step b { flex: none; min-width: 13px; padding-right: 3px; text-align: center; }
.step span { flex: 1 0 auto; padding-right: 4px; }
.step.failed { background: var(--error); }
.step.interrupted { background: var(--timer); }
.lines { position: absolute; inset: 0 0 0 var(--lane); pointer-events: none; }
.lines span { position: absolute; top: 0; bottom: 20px; }
.lines .border { border-left: 2px dashed var(--error); z-index: 2; }
.lines .blackout { z-index: -1; background: color-mix(in srgb, var(--timer) 11%, transparent); }
.marks { margin: 0; }
.marks .track { height: 18px; }
.words { position: absolute; padding: 0 4px; font-size: 12px; line-height: 18px; white-space: nowrap; z-index: 2; }
.words.border { color: var(--error); }
.words.blackout { color: var(--timer); }
.slots .track { height: 44px; margin: 8px 0 2px; border-bottom: 1px solid var(--border); }
.slots .lane { display: flex; justify-content: space-between; margin-top: 0; height: 58px; padding-top: 18px; }
.slots .ends { display: flex; flex-direction: column; justify-content: space-between; height: 56px; line-height: 16px; margin-top: -18px; padding: 2px 0 0; }
.slots svg { position: absolute; width: 100%; height: 100%; overflow: visible; }
.slots path.slots { fill: none; stroke: var(--active); stroke-width: 2.5; vector-effect: non-scaling-stroke; }
.slots .area { fill: var(--active); fill-opacity: 0.14; }
.axis .track span { position: absolute; color: var(--muted); font-size: 11px; white-space: nowrap; padding-left: 3px; border-left: 1px solid var(--border); }
.axis .track .end { border: 0; border-right: 1px solid var(--border); padding: 0 3px 0 0; right: 0; }
.axis .lane { color: var(--muted); }
.key { columns: 210px; column-gap: 24px; margin: 10px 0 0; padding: 0; list-style: none; font-size: 12px; }
.key li { display: flex; gap: 6px; break-inside: avoid; }
.key b { min-width: 2.4ch; text-align: right; }
.key li > span:last-child { color: var(--muted); white-space: nowrap; }
.key .failed { color: var(--error); }
.steps { margin-top: 8px; font-size: 12px; }
.steps summary { cursor: pointer; color: var(--muted); }
.steps td:last-child { white-space: normal; color: var(--muted); min-width: 220px; }
.steps th { color: var(--muted); }
.steps .failed td { color: var(--error); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 48px; }
.legend h3 { margin: 8px 0 4px; font-size: 13px; }
.legend .kept h3 { color: var(--active); }
.legend .lost h3, .legend .broken h3 { color: var(--error); }
.legend ul { list-style: none; padding: 0; margin: 0; }
.legend li { display: flex; gap: 8px; align-items: flex-start; margin: 2px 0; }
table.matrix { margin-top: 14px; }
.matrix td { white-space: normal; padding-right: 0; }
.matrix th { color: var(--muted); font-size: 12px; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 12px ${monospace}; }
.cell { display: inline-block; flex: none; width: 18px; height: 18px; margin: 1px; padding: 0; border: 0; border-radius: 3px; vertical-align: middle; font: bold 11px/18px ${monospace}; text-align: center; color: var(--canvas); }
button.cell:hover, button.cell:focus-visible, button.cell.chosen { outline: 2px solid var(--ink); outline-offset: 1px; }
${outcomeRules('light')}
@media (prefers-color-scheme: dark) { ${outcomeRules('dark')} }
aside { position: fixed; z-index: 5; top: 0; right: 0; bottom: 0; width: min(960px, 94vw); display: flex; flex-direction: column; padding: 18px 24px; background: var(--nest1); border-left: 1px solid var(--border); box-shadow: -8px 0 24px rgb(0 0 0 / 0.18); }
aside h3 { margin: 0 30px 4px 0; font-size: 16px; overflow-wrap: anywhere; }
aside p { margin: 6px 0; }
#content { min-height: 0; display: flex; flex-direction: column; }
.again { display: flex; gap: 10px; align-items: flex-start; }
.again code { flex: 1; padding: 6px 9px; border-radius: 6px; font: 12px/1.5 ${monospace}; overflow-wrap: anywhere; user-select: all; background: var(--tag); color: var(--tagInk); }
#close { position: absolute; right: 16px; top: 12px; font-size: 20px; background: none; border: 0; }
.calls { flex: 1; min-height: 0; overflow: auto; margin-top: 6px; position: relative; }
.columns { position: sticky; top: 0; z-index: 1; display: block; background: var(--nest1); }
svg text { fill: var(--ink); font-size: 12px; }
.sequence { display: block; }
.sequence text { paint-order: stroke; stroke: var(--nest1); stroke-width: 3px; }
.sequence line { stroke: var(--border); }
.sequence .call { stroke: var(--event); }
.sequence .loop { fill: none; stroke: var(--muted); stroke-dasharray: 3 3; }
.sequence .call.routine { stroke: var(--muted); }
.sequence .call.refused, .sequence .call.fault { stroke: var(--error); }
.sequence text.routine { fill: var(--muted); }
.sequence text.refused, .sequence text.fault { fill: var(--error); font-weight: bold; }
.sequence text.fault { stroke: var(--errorSoft); }
.sequence .here { fill: var(--errorSoft); }
@media (max-width: 760px) {
header, main { padding: 12px 16px; }
.timeline { --lane: 92px; }
.matrix tr { display: block; margin-bottom: 8px; }
.matrix th { padding-right: 8px; white-space: normal; }
.matrix td { display: block; }
.results td { white-space: normal; }
aside { padding: 14px 16px; }
.again { flex-direction: column; }
}
@media print { aside, .zoom { display: none; } }
`;
