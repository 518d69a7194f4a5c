/** The panel describes a state, or the whole chart. */
import { breakable, make, part } from '../../page/client/dom.ts';
import type { ChartData, EdgeData, StateData } from '../chart-data.ts';
import { fragment } from './address.ts';
import { data, edgeById, stateById } from './chart.ts';

const panel = part('panel', HTMLElement);
type Words = string | (string | Node)[];

export function describeState(state: StateData): void {
  const leaving = data.edges.filter((edge) => edge.source === state.id);
  const arriving = data.edges.filter((edge) => edge.targets.includes(state.id));
  const badges = [...(state.kind === 'atomic' ? [] : [state.kind]), ...state.tags];
  const path = (state.path ?? []).flatMap((id) => edgeById.get(id) ?? []);
  panel.replaceChildren(
    make('h2', state.name),
    make('div', state.id, { className: 'where' }),
    ...badges.map((tag) => make('span', tag, { className: 'badge' })),
    make('p', breakable(state.description)),
    ...section('ioctls', codes(state.requests)),
    ...paragraph('Undo', state.undo),
    ...section('Invokes', codes(state.invokes)),
    ...section('On entry', codes(state.entry)),
    ...section('On exit', codes(state.exit)),
    ...section('Goes to', leaving.filter((edge) => !edge.isError).map(outgoing)),
    ...section('On error', leaving.filter((edge) => edge.isError).map(outgoing), {
      className: 'error',
    }),
    ...section('Comes from', arriving.map(incoming)),
    ...section('Shortest path', path.map(incoming), { tag: 'ol' }),
  );
  panel.scrollTop = 0;
}

export function describeChart(): void {
  const hint = 'Click a state, or go to one with Tab and press Enter. Escape ends the selection.';
  panel.replaceChildren(
    make('h2', data.id),
    make('p', data.about),
    make('p', `${data.states.length} states, ${data.edges.length} transitions.`),
    make('p', hint, { className: 'where' }),
    ...section('Lines', data.legend.lines.map(legendLine), { className: 'legend' }),
    ...section('Tags', data.legend.tags.map(legendTag), { className: 'legend' }),
    make('h3', 'States'),
    make('ul', data.states.map(listedState), { className: 'states' }),
  );
}

function legendLine({ tone, words }: ChartData['legend']['lines'][number]): Words {
  return [make('span', '', { className: `sample ${tone}` }), words];
}

function legendTag({ tag, words }: ChartData['legend']['tags'][number]): Words {
  return [make('span', tag, { className: 'badge' }), ` ${words}`];
}

/** A state is listed by its own name and indented, so that the list shows what is in what. */
function listedState({ id, name, depth }: StateData): HTMLElement {
  const item = make('li', make('a', name, { href: fragment(id), title: id }));
  item.style.paddingLeft = `${depth * 16}px`;
  return item;
}

function paragraph(title: string, text: string): HTMLElement[] {
  return text === '' ? [] : [make('h3', title), make('p', breakable(text))];
}

function section(
  title: string,
  items: readonly Words[],
  { tag = 'ul', className = '' }: { tag?: 'ul' | 'ol'; className?: string } = {},
): HTMLElement[] {
  if (items.length === 0) return [];
  const list = items.map((item) => make('li', item));
  return [make('h3', title), make(tag, list, { className })];
}

function codes(texts: readonly string[]): Words[] {
  return texts.map((text) => [make('code', breakable(text))]);
}

function outgoing({ text, actions, targets }: EdgeData): Words {
  const done = actions.length === 0 ? [] : [` / ${actions.join(', ')}`];
  const stays = actions.length === 0 ? ' (ignored)' : ' (stays)';
  const goes = targets.flatMap((target) => [' → ', stateLink(target)]);
  return [text, ...done, ...(targets.length === 0 ? [stays] : goes)];
}

function incoming({ source, text }: EdgeData): Words {
  return [stateLink(source), `: ${text}`];
}

function stateLink(id: string): HTMLElement {
  const state = stateById.get(id);
  if (state === undefined) return make('span', data.id);
  return make('a', state.label, { href: fragment(id), title: id });
}
