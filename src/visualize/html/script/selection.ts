/** The selected state, the way to it, and the address that keeps it. */
export const selectionScript = `
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
  for (const id of [...touched, state.id]) {
    for (const drawn of [boxes.get(id), headings.get(id)]) drawn?.classList.add('on-path');
  }
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
`;
