/** What is said about a state. All text is set as text: no markup comes from data. */
export const panelScript = `
function element(tag, content, properties) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...[content].flat());
  return made;
}

function stateLink(id) {
  const state = byId.get(id);
  if (!state) return element('span', data.id);
  return element('a', state.label, { href: fragment(id), title: id });
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
    element('h3', 'States'),
    element('ul', data.states.map(listedState), { className: 'states' }),
  );
}

/** By its own name, indented: the list shows what is in what. */
function listedState({ id, name, depth }) {
  const item = element('li', element('a', name, { href: fragment(id), title: id }));
  item.style.paddingLeft = depth * 16 + 'px';
  return item;
}
`;
