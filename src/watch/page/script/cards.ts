/** The charts: one VM, or both VMs of a move with the move between them. */
export const cardsScript = `
const cards = element('cards');
const which = element('which');
const cardOf = new Map();
let shown = '';
/** How much of a chart is seen around the active state, in the chart's own units. */
const closeUp = { width: 760, height: 460 };

function showCards() {
  fillChooser();
  const wanted = chosen();
  const key = wanted.map((lane) => lane.name).join(' | ');
  if (key !== shown) {
    shown = key;
    cardOf.clear();
    cards.replaceChildren(...wanted.map(makeCard));
  }
  for (const lane of wanted) drawCard(lane);
}

/** The newest TD and its newest move, unless someone has chosen. */
function chosen() {
  if (!newest) return [];
  const [td, hop] = which.value && which.value !== 'newest' ? JSON.parse(which.value) : [newest.td, movesOf(newest.td).length];
  const vms = vmsOf(td);
  if (hop === 0) return vms.slice(0, 1);
  return [vms[hop - 1], movesOf(td)[hop - 1], vms[hop]].filter(Boolean);
}

let choices = -1;
function fillChooser() {
  if (lanes.size === choices) return;
  choices = lanes.size;
  const tds = [...new Set([...lanes.values()].map((lane) => lane.td))];
  const options = tds.flatMap((td) => [0, ...movesOf(td).map((_, at) => at + 1)].map((hop) => [td, hop]));
  element('chooser').hidden = options.length < 2;
  const before = which.value;
  const option = (value, text) => Object.assign(make('option', '', text), { value });
  which.replaceChildren(
    option('newest', 'the newest'),
    ...options.slice(-400).map(([td, hop]) => option(JSON.stringify([td, hop]), hop === 0 ? td : td + ', move ' + hop)),
  );
  if (before) which.value = before;
}

function makeCard(lane) {
  const card = make('article', lane.machine === 'intra-host-migration' ? 'card move' : 'card');
  card.dataset.lane = lane.name;
  const head = make('div', 'head');
  const title = make('div', 'lane');
  const whole = make('button', '', 'whole chart');
  whole.type = 'button';
  title.append(make('span', '', (lane.machine === 'intra-host-migration' ? '' : 'VM ') + lane.name), whole);
  const now = make('div', 'now');
  const does = make('div', 'does');
  head.append(title, now, does);
  const svg = document.querySelector('template[data-machine="' + lane.machine + '"]').content.firstElementChild.cloneNode(true);
  const size = { width: svg.width.baseVal.value, height: svg.height.baseVal.value };
  svg.removeAttribute('width');
  svg.removeAttribute('height');
  const boxes = new Map([...svg.querySelectorAll('.state')].map((box) => [box.dataset.state, box]));
  const view = { now, does, svg, size, boxes, isWhole: false };
  whole.addEventListener('click', () => {
    view.isWhole = !view.isWhole;
    whole.textContent = view.isWhole ? 'follow' : 'whole chart';
    frame(view, lane);
  });
  card.append(head, svg);
  cardOf.set(lane.name, view);
  return card;
}

function drawCard(lane) {
  const view = cardOf.get(lane.name);
  const isOver = lane.outcome !== null;
  view.now.textContent = (lane.state ?? 'absent') + (isOver && lane.state !== lane.outcome ? ': ' + lane.outcome : '');
  view.now.classList.toggle('active', !isOver);
  view.now.classList.toggle('bad', ['lost', 'failed', 'stuck'].includes(lane.outcome));
  view.does.textContent = lane.note || facts.states[lane.machine][lane.state] || '';
  for (const [state, box] of view.boxes) {
    const isActive = lane.state !== null && (state === lane.state || lane.state.startsWith(state + '.'));
    box.classList.toggle('active', isActive);
    box.classList.toggle('seen', lane.seen.has(state));
    box.classList.toggle('failed', lane.failed.has(state));
  }
  frame(view, lane);
}

function frame({ svg, size, boxes, isWhole }, { state }) {
  const box = boxes.get(state)?.querySelector('.box');
  if (isWhole || !box || !box.getBBox) {
    svg.setAttribute('viewBox', '0 0 ' + size.width + ' ' + size.height);
    return;
  }
  const { x, y, width, height } = box.getBBox();
  // What is seen has the shape of the card, so that it can be kept within the picture.
  const card = svg.getBoundingClientRect();
  const unit = Math.max(
    Math.max(closeUp.width, width + 80) / Math.max(card.width, 1),
    Math.max(closeUp.height, height + 80) / Math.max(card.height, 1),
  );
  const w = card.width * unit;
  const h = card.height * unit;
  const left = within(x + width / 2 - w / 2, w, size.width);
  const top = within(y + height / 2 - h / 2, h, size.height);
  svg.setAttribute('viewBox', [left, top, w, h].join(' '));
}

/** Where a part of that length begins, so that it shows nothing beyond the whole. */
function within(start, length, whole) {
  return length > whole ? (whole - length) / 2 : Math.min(Math.max(start, 0), whole - length);
}
addEventListener('resize', showCards);
which.addEventListener('change', showCards);
`;
