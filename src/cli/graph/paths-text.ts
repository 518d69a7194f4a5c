import { type ChartModel, indexChart } from '../../visualize/chart-model.ts';
import { edgeTextInFull } from '../../visualize/labels.ts';
import { shortestPaths } from '../../visualize/paths.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';

/** One line a state: how many events it is away, and which. */
export function pathsText(model: ChartModel): string {
  const chart = indexChart(model);
  const byId = new Map(model.edges.map((edge) => [edge.id, edge]));
  const rows = shortestPaths(model).map(({ state, edges }) => {
    const steps = (edges ?? []).flatMap((id) => byId.get(id) ?? []);
    const path = steps.map((edge) => sanitize(edgeTextInFull(edge, chart))).join(' → ');
    return [
      sanitize(state),
      edges === null ? '-' : String(edges.length),
      edges === null ? 'no way found' : path === '' ? 'the start' : path,
    ];
  });
  return columns([['state', 'events', 'shortest path'], ...rows], '');
}
