/** The style is that of the page around the picture; the picture brings its own. */
import { fullHeight, monospace } from '../page/base-style.ts';

export const pageStyle = `
body { ${fullHeight} }
header { display: flex; align-items: center; gap: 16px; padding: 10px 18px; }
h1 { white-space: nowrap; }
h1 small { margin-left: 4px; }
.search { position: relative; flex: 1; max-width: 440px; margin: 0 auto; }
input, button { padding: 6px 12px; }
input { width: 100%; }
.zoom { display: flex; gap: 6px; }
#results { position: absolute; z-index: 2; left: 0; right: 0; margin: 4px 0 0; padding: 4px; list-style: none; background: var(--box); border: 1px solid var(--border); border-radius: 8px; max-height: 60vh; overflow: auto; box-shadow: 0 8px 24px rgb(0 0 0 / 0.18); }
#results li { padding: 5px 10px; border-radius: 6px; cursor: pointer; }
#results li[aria-selected=true] { background: var(--tag); }
#results small { color: var(--muted); margin-left: 8px; }
main { flex: 1; display: flex; min-height: 0; }
#view { flex: 1; overflow: hidden; position: relative; cursor: grab; touch-action: none; user-select: none; }
#view.moving { cursor: grabbing; }
#view > svg { position: absolute; left: 0; top: 0; transform-origin: 0 0; max-width: none; }
aside { width: 340px; padding: 18px 20px; border-left: 1px solid var(--rule); overflow: auto; background: var(--nest1); }
aside h2 { margin: 0; font-size: 19px; overflow-wrap: anywhere; }
aside h3 { margin: 18px 0 4px; font-size: 11px; letter-spacing: 0.06em; text-transform: uppercase; color: var(--muted); }
aside p { margin: 4px 0; }
aside ul, aside ol { margin: 0; padding-left: 20px; }
aside .legend { list-style: none; padding-left: 0; font-size: 13px; }
aside .legend .badge { margin: 0 4px 0 0; }
aside .sample { display: inline-block; width: 30px; margin-right: 8px; vertical-align: middle; border-top: 2px solid var(--done); }
aside .sample.event { border-color: var(--event); }
aside .sample.error { border-color: var(--error); border-top-style: dashed; }
aside .sample.timer { border-color: var(--timer); }
aside .sample.always { border-color: var(--always); }
aside .states { list-style: none; padding-left: 0; }
aside li { margin: 3px 0; overflow-wrap: anywhere; }
aside code { font: 12px ${monospace}; background: var(--tag); color: var(--tagInk); padding: 1px 5px; border-radius: 5px; }
aside .where { color: var(--muted); font-size: 12px; overflow-wrap: anywhere; }
aside .badge { display: inline-block; background: var(--tag); color: var(--tagInk); font-size: 11px; border-radius: 9px; padding: 1px 8px; margin: 6px 5px 0 0; }
aside a { color: var(--event); text-decoration: none; }
aside a:hover { text-decoration: underline; }
aside .error { color: var(--error); }
.chart [data-state], .chart [data-heading] { cursor: pointer; }
.chart .state:focus { outline: none; }
.chart .state:focus-visible > .box, .chart .state.selected > .box { stroke: var(--event); stroke-width: 2.8; }
.chart.tracing .state > *, .chart.tracing .heading, .chart.tracing .edge > :not(.pill), .chart.tracing .start { opacity: 0.28; }
.chart.tracing .edge:not(.on-path) > .pill { stroke-opacity: 0.28; }
.chart.tracing .on-path, .chart.tracing .edge.on-path > *, .chart.tracing .state.on-path > *, .chart.tracing .state.selected > * { opacity: 1; }
.chart.tracing .edge.on-path .line { stroke-width: 2.8; }
@media (max-width: 760px) { main { flex-direction: column; } aside { width: auto; max-height: 45vh; border-left: 0; border-top: 1px solid var(--rule); } h1 small { display: none; } }
@media print { header, aside { display: none; } body { height: auto; } }
`;
