/** Below the charts: the steps with their times, the key slots, the event log. */
export const panelsScript = `
/** A page with more rows than this gets slow; the run's own record has them all. */
const mostRows = 1000;
const steps = element('steps');
const log = element('log');
const filter = element('filter');
const samples = [];

/** The newest row stays in sight, unless someone has scrolled up to read. */
function append(list, scroller, rows) {
  if (rows.length === 0) return;
  const isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40;
  list.append(...rows.slice(-mostRows));
  while (list.childElementCount > mostRows) list.firstElementChild.remove();
  if (isAtEnd) scroller.scrollTop = scroller.scrollHeight;
}

const requestWords = (requests) => requests
  .map(({ request, answer, count }) => request + (count > 1 ? ' ×' + count : '') + (answer === 'ok' || !answer ? '' : ' → ' + answer))
  .join(', ');

function stepRow({ lane, atMs, event }) {
  const row = make('tr', event.result === 'done' ? '' : 'failed');
  const mark = { done: '✓ ', failed: '✗ ', interrupted: '– ' }[event.result];
  const cells = [ms(atMs - event.durationMs), lane, mark + event.step, took(event.durationMs), requestWords(event.requests)];
  row.append(...cells.map((text) => make('td', '', text)));
  return row;
}

const words = {
  'state.entered': (event) => '→ ' + event.state,
  'step.progress': (event) => event.step + ' ' + event.done + '/' + event.total + ' ' + event.unit,
  'step.ended': (event) => event.step + ' ' + event.result + ' after ' + took(event.durationMs),
  'resource.released': (event) => 'released ' + event.what + (event.error ? ': ' + event.error.message : ''),
  'request.answered': (event) => event.request + ' → ' + event.answer,
  'td.finalized': (event) => 'finalized, MRTD ' + (event.mrtd ?? 'unknown'),
  'td.warning': (event) => 'warning: ' + event.message,
  'migration.warning': (event) => 'warning: ' + event.message,
  'td.ended': (event) => 'ended: ' + event.outcome + (event.error ? ': ' + event.error.message : ''),
  'migration.ended': (event) => 'ended: ' + event.verdict + (event.error ? ': ' + event.error.message : ''),
};
const isBad = (event) => event.result === 'failed' || Boolean(event.error);

function logRow({ lane, atMs, event }) {
  const row = make('li', isBad(event) ? 'failed' : '', ms(atMs).padStart(11) + '  ' + lane + '  ' + (words[event.event] ?? (() => event.event))(event));
  row.hidden = !matches(row);
  return row;
}

const matches = (row) => row.textContent.toLowerCase().includes(filter.value.trim().toLowerCase());
filter.addEventListener('input', () => { for (const row of log.children) row.hidden = !matches(row); });

function takeSlots({ atMs, usedSlots }) {
  if (usedSlots === undefined || samples.at(-1)?.used === usedSlots) return;
  samples.push({ atMs, used: usedSlots });
}

let endMs = 0;
function drawSlots() {
  if (samples.length === 0) return;
  const peak = Math.max(...samples.map(({ used }) => used));
  const now = samples.at(-1).used;
  element('slots-now').textContent = now + ' in use, ' + peak + ' at the peak' + (facts.totalSlots ? ', of ' + facts.totalSlots : '');
  const top = Math.max(peak, 1) * 1.15;
  const points = samples.flatMap(({ atMs, used }, at) => at === 0 ? [[atMs, used]] : [[atMs, samples[at - 1].used], [atMs, used]]);
  points.push([endMs, now]);
  const line = points.map(([x, used]) => (1000 * x / Math.max(endMs, 0.001)).toFixed(1) + ',' + (100 - 100 * used / top).toFixed(2)).join(' ');
  const svg = element('slots');
  if (!svg.firstElementChild) {
    const ns = 'http://www.w3.org/2000/svg';
    svg.setAttribute('viewBox', '0 0 1000 102');
    const peakLine = document.createElementNS(ns, 'line');
    peakLine.setAttribute('class', 'peak');
    peakLine.setAttribute('x2', '1000');
    svg.append(document.createElementNS(ns, 'polygon'), peakLine, document.createElementNS(ns, 'polyline'));
  }
  const y = (100 - 100 * peak / top).toFixed(2);
  const [area, peakLine, usedLine] = svg.children;
  peakLine.setAttribute('y1', y);
  peakLine.setAttribute('y2', y);
  usedLine.setAttribute('points', line);
  area.setAttribute('points', '0,100 ' + line + ' 1000,100');
  element('slots-end').textContent = ms(endMs);
}
`;
