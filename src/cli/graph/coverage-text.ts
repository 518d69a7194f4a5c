import { type ChartModel, indexChart } from '../../visualize/chart-model.ts';
import { type Covered, chartCoverage } from '../../visualize/coverage.ts';
import { edgeTextInFull } from '../../visualize/labels.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';
import { count } from '../output/units.ts';
import { readEvents } from './read-events.ts';

/** The text has two lines with percentages, and then what is missing. */
export async function coverageText(model: ChartModel, paths: readonly string[]): Promise<string> {
  const { runs, states, transitions } = chartCoverage(model, await readEvents(paths));
  const transition = transitionText(model);
  const summary = columns([share('states', states), share('transitions', transitions)], '');
  return [
    `${model.id} version ${model.version}, ${count(runs, 'recorded run')}\n`,
    summary,
    ...list(
      'states never visited',
      states.missed.map((id) => [sanitize(id)]),
    ),
    ...list('transitions never taken', transitions.missed.map(transition)),
  ].join('');
}

function share(what: string, { visited, missed }: Covered): string[] {
  const all = visited.length + missed.length;
  const percent = all === 0 ? 100 : (100 * visited.length) / all;
  return [what, `${visited.length} of ${all}`, `${percent.toFixed(1)} %`];
}

function transitionText(model: ChartModel): (id: string) => string[] {
  const chart = indexChart(model);
  const byId = new Map(model.edges.map((edge) => [edge.id, edge]));
  return (id) => {
    const edge = byId.get(id);
    if (edge === undefined) return [id];
    const to = edge.targets.length === 0 ? '(stays)' : edge.targets.join(', ');
    return [edge.source || model.id, edgeTextInFull(edge, chart), `→ ${to}`].map(sanitize);
  };
}

function list(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [`\n${title}:\n`, columns(rows)];
}
