/**
 * The script of the page, as the text that goes into it. Plain DOM, no markup from data: all text
 * is set as text. Panning and zooming are one transform of the picture.
 */
export const pageScript = `
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

// --- where the picture is -------------------------------------------------------------------

const place = { x: 0, y: 0, zoom: 1 };

function show() {
  svg.style.transform = 'translate(' + place.x + 'px,' + place.y + 'px) scale(' + place.zoom + ')';
}

function fit() {
  const zoom = Math.min(view.clientWidth / size.width, view.clientHeight / size.height);
  place.zoom = Math.min(1.5, zoom * 0.97);
  place.x = (view.clientWidth - size.width * place.zoom) / 2;
  place.y = (view.clientHeight - size.height * place.zoom) / 2;
  show();
}

function zoomBy(factor, at) {
  const x = at ? at.x : view.clientWidth / 2;
  const y = at ? at.y : view.clientHeight / 2;
  const zoom = Math.min(8, Math.max(0.05, place.zoom * factor));
  place.x = x - (x - place.x) * (zoom / place.zoom);
  place.y = y - (y - place.y) * (zoom / place.zoom);
  place.zoom = zoom;
  show();
}

function moveBy(x, y) {
  place.x += x;
  place.y += y;
  show();
}

/** Brings a state into sight, large enough to be read. */
function bringIntoSight(id) {
  const { x, y, width, height } = boxes.get(id).querySelector('.box').getBBox();
  place.zoom = Math.min(1.5, Math.max(place.zoom, 0.8));
  place.x = view.clientWidth / 2 - (x + width / 2) * place.zoom;
  place.y = view.clientHeight / 2 - (y + Math.min(height / 2, 200)) * place.zoom;
  show();
}

function isInSight(id) {
  const box = boxes.get(id).getBoundingClientRect();
  const frame = view.getBoundingClientRect();
  return box.top >= frame.top && box.bottom <= frame.bottom && box.left >= frame.left && box.right <= frame.right;
}

// --- the panel ------------------------------------------------------------------------------

function element(tag, content, properties) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...[content].flat());
  return made;
}

function stateLink(id) {
  const state = byId.get(id);
  if (!state) return element('span', data.id);
  return element('a', state.name, { href: fragment(id), title: id });
}

function section(title, items, tag) {
  if (items.length === 0) return [];
  return [element('h3', title), element(tag || 'ul', items.map((item) => element('li', item)))];
}

function codes(texts) {
  return texts.map((text) => [element('code', text)]);
}

function words(title, text) {
  return text === '' ? [] : [element('h3', title), element('p', text)];
}

function outgoing(edge) {
  const actions = edge.actions.length === 0 ? [] : [' / ' + edge.actions.join(', ')];
  const targets = edge.targets.flatMap((target) => [' → ', stateLink(target)]);
  const stays = edge.targets.length === 0 ? [actions.length === 0 ? ' (ignored)' : ' (stays)'] : [];
  return [edge.text, ...actions, ...targets, ...stays];
}

function describeState(state) {
  const leaving = data.edges.filter((edge) => edge.source === state.id);
  const arriving = data.edges.filter((edge) => edge.targets.includes(state.id));
  const badges = [...(state.kind === 'atomic' ? [] : [state.kind]), ...state.tags];
  const path = state.path === null ? [] : state.path.map((id) => edgeById.get(id));
  panel.replaceChildren(
    element('h2', state.name),
    element('div', state.id, { className: 'where' }),
    ...badges.map((tag) => element('span', tag, { className: 'badge' })),
    element('p', state.description),
    ...words('Does', state.does),
    ...section('ioctls', codes(state.requests)),
    ...words('Undo', state.undo),
    ...section('Invokes', codes(state.invokes)),
    ...section('On entry', codes(state.entry)),
    ...section('On exit', codes(state.exit)),
    ...section('Goes to', leaving.filter((edge) => !edge.isError).map(outgoing)),
    ...errorSection(leaving.filter((edge) => edge.isError)),
    ...section('Comes from', arriving.map((edge) => [stateLink(edge.source), ': ' + edge.text])),
    ...section('Shortest path', path.map((edge) => [stateLink(edge.source), ': ' + edge.text]), 'ol'),
  );
  panel.scrollTop = 0;
}

function errorSection(edges) {
  const made = section('On error', edges.map(outgoing));
  if (made.length > 0) made[1].className = 'error';
  return made;
}

function describeChart() {
  const hint = 'Click a state, or go to one with Tab and press Enter. Escape ends the selection.';
  panel.replaceChildren(
    element('h2', data.id),
    element('p', data.about),
    element('p', data.states.length + ' states, ' + data.edges.length + ' transitions.'),
    element('p', hint, { className: 'where' }),
    ...section('States', data.states.map((state) => [stateLink(state.id)])),
  );
}

// --- selecting ------------------------------------------------------------------------------

function fragment(id) {
  return '#state=' + encodeURIComponent(id);
}

function select(id) {
  for (const box of svg.querySelectorAll('.selected, .on-path')) box.classList.remove('selected', 'on-path');
  const state = byId.get(id);
  svg.classList.toggle('tracing', state !== undefined && state.path !== null && state.path.length > 0);
  if (!state) return describeChart();
  boxes.get(id).classList.add('selected');
  trace(state);
  describeState(state);
  if (!isInSight(id)) bringIntoSight(id);
}

/** Lights the transitions of the shortest path, and the states they touch. */
function trace(state) {
  const edges = new Set(state.path || []);
  for (const drawn of svg.querySelectorAll('[data-edges]')) {
    if (drawn.dataset.edges.split(' ').some((id) => edges.has(id))) drawn.classList.add('on-path');
  }
  const touched = [...edges].flatMap((id) => [edgeById.get(id).source, ...edgeById.get(id).targets]);
  for (const id of [...touched, state.id]) boxes.get(id)?.classList.add('on-path');
}

/** The state that the address names; an address may be anything. */
function byAddress() {
  const match = /^#state=(.*)$/.exec(location.hash);
  try {
    return match ? decodeURIComponent(match[1]) : undefined;
  } catch {
    return undefined;
  }
}

function go(id) {
  const address = id === undefined ? location.pathname + location.search : fragment(id);
  if (id !== byAddress()) history.pushState(null, '', address);
  select(id);
}

// --- searching ------------------------------------------------------------------------------

let found = [];
let chosen = 0;

function searchable(state) {
  const edges = data.edges.filter((edge) => edge.source === state.id).map((edge) => edge.text);
  return [state.id, state.description, state.does, ...state.tags, ...state.invokes, ...edges];
}

function runSearch() {
  const wanted = search.value.trim().toLowerCase();
  const hit = (text) => text.toLowerCase().includes(wanted);
  found = wanted === '' ? [] : data.states.flatMap((state) => {
    if (hit(state.name)) return [{ state, why: '', rank: 0 }];
    const request = state.requests.find(hit);
    if (request !== undefined) return [{ state, why: request, rank: 1 }];
    const why = searchable(state).find(hit);
    return why === undefined ? [] : [{ state, why, rank: 2 }];
  });
  found.sort((one, other) => one.rank - other.rank);
  chosen = 0;
  showResults();
}

function showResults() {
  results.hidden = found.length === 0;
  results.replaceChildren(...found.map(({ state, why }, at) => {
    const item = element('li', [state.name, element('small', why.slice(0, 70))]);
    item.setAttribute('role', 'option');
    item.setAttribute('aria-selected', String(at === chosen));
    item.addEventListener('mousedown', (event) => {
      event.preventDefault();
      take(at);
    });
    return item;
  }));
  results.children[chosen]?.scrollIntoView({ block: 'nearest' });
}

function take(at) {
  const hit = found[at];
  if (!hit) return;
  found = [];
  showResults();
  search.blur();
  go(hit.state.id);
  bringIntoSight(hit.state.id);
}

search.addEventListener('input', runSearch);
search.addEventListener('blur', () => { results.hidden = true; });
search.addEventListener('focus', runSearch);
search.addEventListener('keydown', (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && found.length > 0) {
    chosen = (chosen + step + found.length) % found.length;
    showResults();
    event.preventDefault();
  } else if (event.key === 'Enter') {
    take(chosen);
  } else if (event.key === 'Escape') {
    search.value = '';
    search.blur();
  }
  event.stopPropagation();
});

// --- mouse, touch, keys ---------------------------------------------------------------------

view.addEventListener('wheel', (event) => {
  event.preventDefault();
  const frame = view.getBoundingClientRect();
  zoomBy(Math.exp(-event.deltaY * 0.0015), { x: event.clientX - frame.left, y: event.clientY - frame.top });
}, { passive: false });

/** The state that was hit; the heading of a compound state lies over its box. */
function stateAt(target) {
  const { state, heading } = target.closest('[data-state], [data-heading]')?.dataset ?? {};
  return state ?? heading;
}

let drag = null;
view.addEventListener('pointerdown', (event) => {
  if (event.button === 0) drag = { x: event.clientX, y: event.clientY, moved: false };
});
addEventListener('pointermove', (event) => {
  if (!drag) return;
  const x = event.clientX - drag.x;
  const y = event.clientY - drag.y;
  if (!drag.moved && Math.hypot(x, y) < 4) return;
  drag = { x: event.clientX, y: event.clientY, moved: true };
  view.classList.add('moving');
  moveBy(x, y);
});
addEventListener('pointerup', (event) => {
  const wasClick = drag && !drag.moved;
  drag = null;
  view.classList.remove('moving');
  if (!wasClick || !view.contains(event.target)) return;
  go(stateAt(event.target));
});
addEventListener('pointercancel', () => { drag = null; });

for (const [id, box] of boxes) {
  box.setAttribute('tabindex', '0');
  box.setAttribute('role', 'button');
  box.setAttribute('aria-label', byId.get(id).name + '. ' + byId.get(id).description);
  box.addEventListener('focus', () => { if (box.matches(':focus-visible') && !isInSight(id)) bringIntoSight(id); });
}

const keys = {
  '+': () => zoomBy(1.25),
  '=': () => zoomBy(1.25),
  '-': () => zoomBy(0.8),
  0: fit,
  ArrowLeft: () => moveBy(60, 0),
  ArrowRight: () => moveBy(-60, 0),
  ArrowUp: () => moveBy(0, 60),
  ArrowDown: () => moveBy(0, -60),
  Escape: () => go(undefined),
  '/': () => search.focus(),
};
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const state = event.target.dataset?.state;
  if (state !== undefined && (event.key === 'Enter' || event.key === ' ')) go(state);
  else if (keys[event.key]) keys[event.key]();
  else return;
  event.preventDefault();
});
document.getElementById('zoom-in').addEventListener('click', () => zoomBy(1.25));
document.getElementById('zoom-out').addEventListener('click', () => zoomBy(0.8));
document.getElementById('zoom-fit').addEventListener('click', fit);
addEventListener('hashchange', () => select(byAddress()));
addEventListener('resize', fit);

// The page says it in words; a second image role would hide the states from screen readers.
svg.setAttribute('role', 'group');
fit();
select(byAddress());
`;
