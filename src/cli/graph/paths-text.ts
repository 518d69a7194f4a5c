import { type ChartModel, indexChart } from '../../visualize/chart-model.ts';
import { chartCoverage } from '../../visualize/coverage.ts';
import { edgeTextInFull } from '../../visualize/labels.ts';
import { shortestPaths } from '../../visualize/paths.ts';
import type { EventFile } from '../../visualize/recorded-runs.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';

/** A line says of a state how many and which events lead there, and whether recorded runs came there. */
export function pathsText(model: ChartModel, runs?: readonly EventFile[]): string {
  const chart = indexChart(model);
  const byId = new Map(model.edges.map((edge) => [edge.id, edge]));
  const visited = runs === undefined ? undefined : chartCoverage(model, runs).states.visited;
  const rows = shortestPaths(model).map(({ state, edges }) => {
    const steps = (edges ?? []).flatMap((id) => byId.get(id) ?? []);
    const path = steps.map((edge) => sanitize(edgeTextInFull(edge, chart))).join(' → ');
    return [
      sanitize(state),
      edges === null ? '-' : String(edges.length),
      ...(visited === undefined ? [] : [visited.includes(state) ? 'yes' : 'no']),
      edges === null ? 'no way found' : path === '' ? 'the start' : path,
    ];
  });
  const visitedTitle = visited === undefined ? [] : ['visited'];
  return columns([['state', 'events', ...visitedTitle, 'shortest path'], ...rows], '');
}
