/** Mouse, touch and keys. */
export const inputScript = `
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
if (boxes.has(byAddress())) bringIntoSight(byAddress());
`;
