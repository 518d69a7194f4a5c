/** The search finds a state by name, ioctl, event or description. */
import { make, part } from '../../page/client/dom.ts';
import type { StateData } from '../chart-data.ts';
import { data } from './chart.ts';
import { bringIntoSight } from './place.ts';
import { go } from './selection.ts';

interface Hit {
  readonly state: StateData;
  /** Text that was found. It is empty where the text is the name. */
  readonly why: string;
  readonly rank: number;
}

export const search = part('search', HTMLInputElement);
const results = part('results', HTMLElement);
let hits: readonly Hit[] = [];
let chosen = 0;

function runSearch(): void {
  const wanted = search.value.trim().toLowerCase();
  const found = wanted === '' ? [] : data.states.flatMap((state) => hitOf(state, wanted) ?? []);
  hits = found.sort((one, other) => one.rank - other.rank);
  chosen = 0;
  showResults();
}

function hitOf(state: StateData, wanted: string): Hit | undefined {
  const matches = (text: string) => text.toLowerCase().includes(wanted);
  if (matches(state.name)) return { state, why: '', rank: 0 };
  const request = state.requests.find(matches);
  if (request !== undefined) return { state, why: request, rank: 1 };
  const why = searchable(state).find(matches);
  return why === undefined ? undefined : { state, why, rank: 2 };
}

function searchable(state: StateData): string[] {
  const edges = data.edges.filter((edge) => edge.source === state.id).map((edge) => edge.text);
  return [state.id, state.description, ...state.tags, ...state.invokes, ...edges];
}

function showResults(): void {
  results.hidden = hits.length === 0;
  results.replaceChildren(...hits.map(resultItem));
  results.children[chosen]?.scrollIntoView({ block: 'nearest' });
}

function resultItem({ state, why }: Hit, at: number): HTMLElement {
  const item = make('li', [state.label, make('small', why.slice(0, 70))], { role: 'option' });
  item.ariaSelected = String(at === chosen);
  item.addEventListener('mousedown', (event) => {
    event.preventDefault();
    take(at);
  });
  return item;
}

function take(at: number): void {
  const hit = hits[at];
  if (hit === undefined) return;
  hits = [];
  showResults();
  search.blur();
  go(hit.state.id);
  bringIntoSight(hit.state.id);
}

function move(step: number): void {
  if (hits.length === 0) return;
  chosen = (chosen + step + hits.length) % hits.length;
  showResults();
}

const searchKeys: Readonly<Record<string, () => void>> = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Enter: () => take(chosen),
  Escape: () => {
    search.value = '';
    search.blur();
  },
};

search.addEventListener('input', runSearch);
search.addEventListener('blur', () => {
  results.hidden = true;
});
search.addEventListener('focus', runSearch);
search.addEventListener('keydown', (event) => {
  searchKeys[event.key]?.();
  // The arrows would move the cursor within the field too.
  if (event.key.startsWith('Arrow') && hits.length > 0) event.preventDefault();
  event.stopPropagation();
});
