/**
 * The script of the page, as the text that goes into it. Plain DOM; the parts share one scope, in
 * this order.
 */
import { inputScript } from './script/input.ts';
import { panelScript } from './script/panel.ts';
import { placeScript } from './script/place.ts';
import { searchScript } from './script/search.ts';
import { selectionScript } from './script/selection.ts';

const setup = `
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const byId = new Map(data.states.map((state) => [state.id, state]));
const edgeById = new Map(data.edges.map((edge) => [edge.id, edge]));
const view = document.getElementById('view');
const svg = view.querySelector('svg');
const panel = document.getElementById('panel');
const search = document.getElementById('search');
const results = document.getElementById('results');
const size = { width: svg.width.baseVal.value, height: svg.height.baseVal.value };
const boxes = new Map([...svg.querySelectorAll('.state')].map((box) => [box.dataset.state, box]));
const headings = new Map([...svg.querySelectorAll('.heading')].map((heading) => [heading.dataset.heading, heading]));
`;

export const pageScript = [
  setup,
  placeScript,
  panelScript,
  selectionScript,
  searchScript,
  inputScript,
].join('');
