/**
 * The picture as a page: one file that works from disk, without network. The page's policy allows
 * its own script (by hash) and style, and nothing else.
 */
import { createHash } from 'node:crypto';
import type { ChartModel } from '../chart-model.ts';
import { visibleXml } from '../xml.ts';
import { pageData } from './page-data.ts';
import { pageScript } from './page-script.ts';
import { pageStyle } from './page-style.ts';

export function chartHtml(model: ChartModel, svg: string): string {
  const hash = createHash('sha256').update(pageScript).digest('base64');
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${visibleXml(model.id)}: statechart</title>
<style>${pageStyle}</style>
</head>
<body>
<header>
<h1>${visibleXml(model.id)} <small>version ${model.version}</small></h1>
<div class="search">
<input id="search" type="search" placeholder="Search states, ioctls, events  ( / )" aria-label="Search" aria-controls="results" autocomplete="off" spellcheck="false">
<ul id="results" role="listbox" aria-label="Found" hidden></ul>
</div>
<div class="zoom" role="group" aria-label="Zoom">
<button id="zoom-out" type="button" aria-label="Smaller" title="Smaller (-)">−</button>
<button id="zoom-fit" type="button" title="Whole chart (0)">Fit</button>
<button id="zoom-in" type="button" aria-label="Larger" title="Larger (+)">+</button>
</div>
</header>
<main>
<div id="view" tabindex="0" aria-label="Chart. Arrow keys move it, plus and minus zoom, Tab goes from state to state.">
${svg}</div>
<aside id="panel" aria-live="polite"></aside>
</main>
<script type="application/json" id="data">${pageData(model)}</script>
<script>${pageScript}</script>
</body>
</html>
`;
}
