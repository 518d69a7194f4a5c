/** The page reacts to mouse, touch and keys. */
import { part } from '../../page/client/dom.ts';
import { byAddress } from './address.ts';
import { boxes, stateById, svg, view } from './chart.ts';
import { bringIntoSight, isInSight, moveBy, showStart, showWhole, zoomBy } from './place.ts';
import { search } from './search.ts';
import { go, select } from './selection.ts';

const zoomIn = () => zoomBy(1.25);
const zoomOut = () => zoomBy(0.8);

const keys: Readonly<Record<string, () => void>> = {
  '+': zoomIn,
  '=': zoomIn,
  '-': zoomOut,
  0: showWhole,
  1: showStart,
  ArrowLeft: () => moveBy(60, 0),
  ArrowRight: () => moveBy(-60, 0),
  ArrowUp: () => moveBy(0, 60),
  ArrowDown: () => moveBy(0, -60),
  Escape: () => go(undefined),
  '/': () => search.focus(),
};
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const state = event.target instanceof SVGElement ? event.target.dataset.state : undefined;
  const isPressed = event.key === 'Enter' || event.key === ' ';
  const answer = state !== undefined && isPressed ? () => go(state) : keys[event.key];
  if (answer === undefined) return;
  answer();
  event.preventDefault();
});

view.addEventListener(
  'wheel',
  (event) => {
    event.preventDefault();
    const frame = view.getBoundingClientRect();
    const at = { x: event.clientX - frame.left, y: event.clientY - frame.top };
    zoomBy(Math.exp(-event.deltaY * 0.0015), at);
  },
  { passive: false },
);

let drag: { readonly x: number; readonly y: number; readonly moved: boolean } | null = null;
view.addEventListener('pointerdown', (event) => {
  if (event.button === 0) drag = { x: event.clientX, y: event.clientY, moved: false };
});
addEventListener('pointermove', (event) => {
  if (drag === null) return;
  const x = event.clientX - drag.x;
  const y = event.clientY - drag.y;
  if (!drag.moved && Math.hypot(x, y) < 4) return;
  drag = { x: event.clientX, y: event.clientY, moved: true };
  view.classList.add('moving');
  moveBy(x, y);
});
addEventListener('pointerup', ({ target }) => {
  const wasClick = drag?.moved === false;
  drag = null;
  view.classList.remove('moving');
  if (wasClick && target instanceof Element && view.contains(target)) go(stateAt(target));
});
addEventListener('pointercancel', () => {
  drag = null;
});

/** Gives the state that was hit. The heading of a compound state lies over its box. */
function stateAt(target: Element): string | undefined {
  const hit = target.closest<SVGElement>('[data-state], [data-heading]');
  return hit?.dataset.state ?? hit?.dataset.heading;
}

for (const [id, box] of boxes) {
  const { name = '', description = '' } = stateById.get(id) ?? {};
  box.tabIndex = 0;
  box.role = 'button';
  box.ariaLabel = `${name}. ${description}`;
  box.addEventListener('focus', () => {
    if (box.matches(':focus-visible') && !isInSight(box)) bringIntoSight(id);
  });
}
part('zoom-in', HTMLElement).addEventListener('click', zoomIn);
part('zoom-out', HTMLElement).addEventListener('click', zoomOut);
part('zoom-fit', HTMLElement).addEventListener('click', showWhole);
addEventListener('hashchange', () => select(byAddress()));
part('zoom-start', HTMLElement).addEventListener('click', showStart);
addEventListener('resize', showAtFirst);

// The page says it in words; a second image role would hide the states from screen readers.
svg.role = 'group';
showAtFirst();
select(byAddress());

/** The state that the address names, else the beginning of the chart. */
function showAtFirst(): void {
  showStart();
  bringIntoSight(byAddress() ?? '');
}
