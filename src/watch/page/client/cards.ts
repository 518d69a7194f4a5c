/** Shows the charts of one VM, or of both VMs of a move with the move between them. */
import { byDataset, make, part } from '../../../visualize/page/client/dom.ts';
import { chosenLanes, fillChooser, which } from './chooser.ts';
import { facts } from './facts.ts';
import type { Lane } from './model.ts';

interface Card {
  readonly article: HTMLElement;
  readonly now: HTMLElement;
  readonly does: HTMLElement;
  readonly svg: SVGSVGElement;
  readonly size: { readonly width: number; readonly height: number };
  readonly boxes: ReadonlyMap<string, SVGGraphicsElement>;
  isWhole: boolean;
}

const cards = part('cards', HTMLElement);
const cardOf = new Map<string, Card>();
/** So much of a chart is seen around the active state, in the chart's own units. */
const closeUp = { width: 760, height: 460 };
/** But no more than can be read: the smallest text of a chart has 10 pixels. */
const leastZoom = 0.92;
const badOutcomes: readonly (string | null)[] = ['lost', 'failed', 'stuck'];

export function showCards(): void {
  fillChooser();
  const wanted = chosenLanes();
  if (wanted.map(({ name }) => name).join() !== [...cardOf.keys()].join()) {
    cardOf.clear();
    for (const lane of wanted) cardOf.set(lane.name, makeCard(lane));
    cards.replaceChildren(...[...cardOf.values()].map(({ article }) => article));
  }
  for (const lane of wanted) {
    const card = cardOf.get(lane.name);
    if (card !== undefined) drawCard(card, lane);
  }
}

function makeCard(lane: Lane): Card {
  const isMove = lane.machine === 'intra-host-migration';
  const whole = make('button', 'whole chart', { type: 'button' });
  const name = make('span', isMove ? lane.name : `VM ${lane.name}`);
  const now = make('div', [], { className: 'now' });
  const does = make('div', [], { className: 'does' });
  const title = make('div', [name, whole], { className: 'lane' });
  const head = make('div', [title, now, does], { className: 'head' });
  const svg = chartOf(lane);
  const article = make('article', [head, svg], { className: isMove ? 'card move' : 'card' });
  article.dataset.lane = lane.name;
  const size = { width: svg.width.baseVal.value, height: svg.height.baseVal.value };
  svg.removeAttribute('width');
  svg.removeAttribute('height');
  const boxes = byDataset(svg, 'state');
  const card: Card = { article, now, does, svg, size, boxes, isWhole: false };
  whole.addEventListener('click', () => {
    card.isWhole = !card.isWhole;
    whole.textContent = card.isWhole ? 'follow' : 'whole chart';
    frame(card, lane);
  });
  return card;
}

function chartOf({ machine }: Lane): SVGSVGElement {
  const template = document.querySelector<HTMLTemplateElement>(
    `template[data-machine="${machine}"]`,
  );
  const chart = template?.content.firstElementChild?.cloneNode(true);
  if (chart instanceof SVGSVGElement) return chart;
  throw new Error(`this page has no chart of ${machine}`);
}

function drawCard(card: Card, lane: Lane): void {
  const { state, outcome } = lane;
  const isOver = outcome !== null;
  const cameTo = isOver && state !== outcome ? `: ${outcome}` : '';
  card.now.textContent = (state ?? 'absent') + cameTo;
  card.now.classList.toggle('active', !isOver);
  card.now.classList.toggle('bad', badOutcomes.includes(outcome));
  card.does.textContent = lane.note || (facts.states[lane.machine]?.[state ?? ''] ?? '');
  for (const [id, box] of card.boxes) {
    box.classList.toggle('active', id === state || state?.startsWith(`${id}.`) === true);
    box.classList.toggle('seen', lane.seen.has(id));
    box.classList.toggle('failed', lane.failed.has(id));
  }
  frame(card, lane);
}

function frame({ svg, size, boxes, isWhole }: Card, { state }: Lane): void {
  const box = boxes.get(state ?? '')?.querySelector<SVGGraphicsElement>('.box');
  const seen = isWhole || !box ? [0, 0, size.width, size.height] : around(box, svg, size);
  svg.setAttribute('viewBox', seen.join(' '));
}

/** What is seen has the shape of the card, so that it can be kept within the picture. */
function around(box: SVGGraphicsElement, svg: SVGSVGElement, size: Card['size']): number[] {
  const { x, y, width, height } = box.getBBox();
  const card = svg.getBoundingClientRect();
  const unitFor = (wanted: Record<'width' | 'height', number>) =>
    Math.max(wanted.width / Math.max(card.width, 1), wanted.height / Math.max(card.height, 1));
  const around = Math.min(unitFor(closeUp), 1 / leastZoom);
  const unit = Math.max(around, unitFor({ width: width + 20, height: height + 20 }));
  const seen = { width: card.width * unit, height: card.height * unit };
  return [
    within(x + width / 2 - seen.width / 2, seen.width, size.width),
    within(y + height / 2 - seen.height / 2, seen.height, size.height),
    seen.width,
    seen.height,
  ];
}

/** Where a part of that length begins, so that it shows nothing beyond the whole. */
function within(start: number, length: number, whole: number): number {
  return length > whole ? (whole - length) / 2 : Math.min(Math.max(start, 0), whole - length);
}

addEventListener('resize', showCards);
which.addEventListener('change', showCards);
