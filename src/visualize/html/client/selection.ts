/** The page shows the selected state and the way to it. */
import type { StateData } from '../chart-data.ts';
import { byAddress, fragment } from './address.ts';
import { boxes, edgeById, headings, stateById, svg } from './chart.ts';
import { describeChart, describeState } from './panel.ts';
import { bringIntoSight, isInSight, isReadable } from './place.ts';

export function go(id: string | undefined): void {
  const address = id === undefined ? location.pathname + location.search : fragment(id);
  if (id !== byAddress()) history.pushState(null, '', address);
  select(id);
}

/** @param id is that of a state, or anything else for none. */
export function select(id: string | undefined): void {
  for (const drawn of svg.querySelectorAll('.selected, .on-path')) {
    drawn.classList.remove('selected', 'on-path');
  }
  const state = stateById.get(id ?? '');
  const box = boxes.get(id ?? '');
  svg.classList.toggle('tracing', (state?.path ?? []).length > 0);
  if (state === undefined || box === undefined) {
    describeChart();
    return;
  }
  box.classList.add('selected');
  trace(state);
  describeState(state);
  if (!isReadable() || !isInSight(box)) bringIntoSight(state.id);
}

/** Lights the transitions of the shortest path, and the states they touch. */
function trace({ id, path }: StateData): void {
  const edges = new Set(path ?? []);
  for (const drawn of svg.querySelectorAll<SVGElement>('[data-edges]')) {
    const shown = drawn.dataset.edges?.split(' ') ?? [];
    if (shown.some((edge) => edges.has(edge))) drawn.classList.add('on-path');
  }
  const touched = [...edges].flatMap((edge) => {
    const { source = '', targets = [] } = edgeById.get(edge) ?? {};
    return [source, ...targets];
  });
  for (const state of [...touched, id]) {
    for (const drawn of [boxes, headings]) drawn.get(state)?.classList.add('on-path');
  }
}
