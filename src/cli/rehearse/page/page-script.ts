/** Opens the run of a cell as a sequence diagram. Plain DOM; no markup comes from data. */
export const pageScript = `
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const panel = document.getElementById('panel');
const content = document.getElementById('content');
const svgNamespace = 'http://www.w3.org/2000/svg';
let chosen = null;

function html(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function svg(tag, attributes, text) {
  const made = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function messages(sequence) {
  const made = [];
  for (let i = 0; i < sequence.length; i += 7) {
    const [from, to, text, answer] = sequence.slice(i, i + 4).map((index) => data.strings[index]);
    const [times, loopLength, loopTimes] = sequence.slice(i + 4, i + 7);
    made.push({ from, to, text, answer, times, loopLength, loopTimes });
  }
  return made;
}

function diagram(sequence) {
  const list = messages(sequence);
  const lanes = [...new Set(list.filter(({ to }) => to === 'KVM').map(({ from }) => from))];
  const columns = [...lanes, 'KVM', 'TDX module'];
  const width = 150;
  const row = 24;
  const height = 40 + list.length * row;
  const x = (column) => 70 + columns.indexOf(column) * width;
  const picture = svg('svg', { class: 'sequence', width: columns.length * width + 240, height, role: 'img', 'aria-label': 'Calls in order' });
  for (const column of columns) {
    picture.append(svg('text', { x: x(column), y: 16, 'text-anchor': 'middle' }, column));
    picture.append(svg('line', { x1: x(column), x2: x(column), y1: 24, y2: height }));
  }
  list.forEach(({ from, to, text, answer, times, loopLength, loopTimes }, index) => {
    const y = 44 + index * row;
    if (loopLength > 0) {
      const right = columns.length * width + 22;
      picture.append(svg('rect', { class: 'loop', x: 20, y: y - 18, width: right - 20, height: loopLength * row - 1, rx: 4 }));
      picture.append(svg('text', { x: right - 6, y: y - 4, 'text-anchor': 'end' }, '\u00d7' + loopTimes));
    }
    const bad = answer === 'ok' ? '' : ' bad';
    const [start, end] = [x(from), x(to)];
    picture.append(svg('line', { class: 'call' + bad, x1: start, x2: end, y1: y, y2: y }));
    picture.append(svg('path', { class: 'call' + bad, d: 'M' + (end - 6) + ' ' + (y - 4) + 'L' + end + ' ' + y + 'L' + (end - 6) + ' ' + (y + 4), fill: 'none' }));
    const words = text + (times > 1 ? ' \\u00d7' + times : '') + (bad ? ' = ' + answer : '');
    picture.append(svg('text', { class: bad.trim(), x: start + 8, y: y - 4 }, words));
  });
  return picture;
}

function open(button) {
  const { lane, state, cells } = data.rows[Number(button.dataset.row)];
  const cell = cells[Number(button.dataset.cell)];
  if (chosen) chosen.classList.remove('chosen');
  chosen = button;
  button.classList.add('chosen');
  content.replaceChildren(
    html('h3', cell.kind),
    html('p', lane + ', ' + state + ': ' + cell.outcome + ' (' + cell.count + ')'),
    html('p', 'Play it again with:'),
    html('code', [...data.always, ...cell.example].map((fault) => "--fault '" + fault + "'").join(' ')),
  );
  if (cell.sequence) content.append(html('p', 'What happened:'), diagram(cell.sequence));
  else content.append(html('p', 'This page keeps the runs of the first ' + data.sequences + ' squares; play this one again to see it.'));
  panel.hidden = false;
  panel.scrollTop = 0;
}

function close() {
  panel.hidden = true;
  if (chosen) {
    chosen.classList.remove('chosen');
    chosen.focus();
  }
  chosen = null;
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button.cell');
  if (button) open(button);
});
document.getElementById('close').addEventListener('click', close);
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') close();
});
`;
