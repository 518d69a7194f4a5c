/** Finding a state by name, ioctl, event or description. */
export const searchScript = `
let found = [];
let chosen = 0;

function searchable(state) {
  const edges = data.edges.filter((edge) => edge.source === state.id).map((edge) => edge.text);
  return [state.id, state.description, ...state.tags, ...state.invokes, ...edges];
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
    const item = element('li', [state.label, element('small', why.slice(0, 70))]);
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
`;
