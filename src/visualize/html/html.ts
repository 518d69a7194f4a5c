/** The picture becomes a page to explore, with panning, search and what each state does. */

import { visibleXml } from '../../documents/xml.ts';
import type { ChartModel } from '../chart-model.ts';
import { pageDocument } from '../page/document.ts';
import { pageData } from './page-data.ts';
import { pageStyle } from './page-style.ts';

export function chartHtml(model: ChartModel, svg: string): string {
  return pageDocument({
    title: `${model.id}: statechart`,
    style: pageStyle,
    data: pageData(model),
    client: 'graph',
    body: `<header>
<h1>${visibleXml(model.id)} <small>version ${model.version}</small></h1>
<div class="search">
<input id="search" type="search" placeholder="Search states, ioctls, events  ( / )" aria-label="Search" aria-controls="results" autocomplete="off" spellcheck="false">
<ul id="results" role="listbox" aria-label="Found" hidden></ul>
</div>
<div class="zoom" role="group" aria-label="Zoom">
<button id="zoom-out" type="button" aria-label="Smaller" title="Smaller (-)">−</button>
<button id="zoom-start" type="button" title="Where it begins, readable (1)">Start</button>
<button id="zoom-fit" type="button" title="Whole chart (0)">Fit</button>
<button id="zoom-in" type="button" aria-label="Larger" title="Larger (+)">+</button>
</div>
</header>
<main>
<div id="view" tabindex="0" aria-label="Chart. Arrow keys move it, plus and minus zoom, Tab goes from state to state.">
${svg}</div>
<aside id="panel" aria-live="polite"></aside>
</main>`,
  });
}
