/** The module knows the chart of this page, and where it is drawn. */
import { byDataset, part, readData } from '../../page/client/dom.ts';
import type { ChartData } from '../chart-data.ts';

export const data = readData<ChartData>();
export const stateById = new Map(data.states.map((state) => [state.id, state]));
export const edgeById = new Map(data.edges.map((edge) => [edge.id, edge]));
export const view = part('view', HTMLElement);
export const svg = drawnIn(view);
export const boxes = byDataset(svg, 'state');
export const headings = byDataset(svg, 'heading');

function drawnIn(parent: Element): SVGSVGElement {
  const svg = parent.querySelector('svg');
  if (svg === null) throw new Error('this page has no chart');
  return svg;
}
