/** The live page: one document that loads nothing but its stream. */
import { machines } from '../../../machines/index.ts';
import { visibleXml } from '../../documents/xml.ts';
import { type ChartModel, indexChart } from '../../visualize/chart-model.ts';
import { extractChart } from '../../visualize/extract.ts';
import { layOutChart } from '../../visualize/layout/layout.ts';
import { pageDocument } from '../../visualize/page/document.ts';
import { styleSheet } from '../../visualize/svg/style.ts';
import { chartSvg } from '../../visualize/svg/svg.ts';
import type { PageData, PageFacts } from './facts.ts';
import { pageStyle } from './page-style.ts';

/** Lays the charts out once; each call of the result is one page. */
export async function watchPage(facts: PageFacts): Promise<(nonce: string) => string> {
  const models = machines.map((entry) => extractChart(entry));
  const templates = await Promise.all(models.map(template));
  const data: PageData = { ...facts, states: stateWords(models) };
  const title = `${facts.name}: tdctl watch`;
  const style = `${pageStyle}${styleSheet('auto')}`;
  const body = `<header>
<h1>${visibleXml(facts.name)} <small>${visibleXml(facts.host)}, KVM rules ${visibleXml(facts.kernel)}</small></h1>
<label id="chooser" hidden>Showing <select id="which"></select></label>
${facts.canHold ? controls : ''}
<output id="clock" title="The clock of the machine">0.00 ms</output>
<output id="link" class="badge" aria-live="polite">connecting</output>
</header>
<p id="end" role="status" hidden></p>
<main>
<section id="cards" aria-label="Statecharts"></section>
<section id="below">
<div class="panel"><h2>Steps</h2><div class="scroll" id="steps-scroll"><table><thead><tr><th>at</th><th>lane</th><th>step</th><th>took</th><th>requests</th></tr></thead><tbody id="steps"></tbody></table></div></div>
<div class="panel"><h2>Key slots <span id="slots-now"></span></h2><div class="graph"><div class="ends" aria-hidden="true"><span id="slots-peak"></span><span>0</span></div><div id="slots-plot"><svg id="slots" role="img" aria-label="Key slots in use over time" preserveAspectRatio="none"></svg></div></div><div class="axis" id="slots-axis" aria-hidden="true"></div></div>
<div class="panel"><h2>Events <input id="filter" type="search" placeholder="filter ( / )" aria-label="Filter events"></h2><div class="scroll" id="log-scroll"><ol id="log"></ol></div></div>
</section>
</main>
${templates.join('\n')}`;
  return (nonce) => pageDocument({ title, style, body, data, client: 'watch', nonce });
}

const controls = `<div class="controls" role="group" aria-label="Pace">
<button id="hold" type="button" title="Space">Pause</button>
<button id="step" type="button" title="One step ( s )" disabled>Step</button>
<label>Speed <select id="speed">
<option value="0.5">½ step/s</option><option value="1">1 step/s</option><option value="2">2 steps/s</option>
<option value="5">5 steps/s</option><option value="20">20 steps/s</option><option value="max">no limit</option>
</select></label>
</div>`;

async function template(model: ChartModel): Promise<string> {
  const laidOut = await layOutChart(model, { direction: 'down' });
  const svg = chartSvg(laidOut, { theme: 'auto', embedded: true });
  return `<template data-machine="${visibleXml(model.id)}">${svg}</template>`;
}

function stateWords(models: readonly ChartModel[]): PageData['states'] {
  const of = (model: ChartModel) =>
    Object.fromEntries(
      indexChart(model)
        .nodes.slice(1)
        .map(({ id, description }) => [id, description ?? '']),
    );
  return Object.fromEntries(models.map((model) => [model.id, of(model)]));
}
