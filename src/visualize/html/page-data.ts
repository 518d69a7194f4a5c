/** The page knows this of each state, made safe to show. */
import { sanitize } from '../../errors/sanitize.ts';
import { type ChartEdge, type ChartModel, type ChartNode, indexChart } from '../chart-model.ts';
import { edgeTextInFull } from '../labels.ts';
import { legendOf } from '../legend.ts';
import { shortestPaths } from '../paths.ts';
import type { ChartData, EdgeData, StateData } from './chart-data.ts';

export function pageData(model: ChartModel): ChartData {
  const chart = indexChart(model);
  const paths = new Map(shortestPaths(model).map(({ state, edges }) => [state, edges]));
  const nodes = chart.nodes.slice(1);
  const isTaken = (key: string) => nodes.filter((node) => node.key === key).length > 1;
  const state = (node: ChartNode): StateData => ({
    id: node.id,
    name: sanitize(node.key),
    label: sanitize(isTaken(node.key) ? node.id : node.key),
    depth: chart.ancestors(node.id).length - 1,
    kind: node.kind,
    description: sanitize(node.description ?? ''),
    tags: node.tags.map(sanitize),
    invokes: node.invokes.map(({ src }) => sanitize(src)),
    entry: node.entry.map(sanitize),
    exit: node.exit.map(sanitize),
    requests: (node.step?.requests ?? []).map(sanitize),
    undo: sanitize(node.step?.undo ?? ''),
    path: paths.get(node.id) ?? null,
  });
  const edge = (one: ChartEdge): EdgeData => ({
    id: one.id,
    source: one.source,
    targets: one.targets,
    text: sanitize(edgeTextInFull(one, chart)),
    actions: one.actions.map(sanitize),
    isError: one.trigger.type === 'error',
  });
  const about = sanitize(model.root.description ?? '');
  return {
    id: sanitize(model.id),
    about,
    states: nodes.map(state),
    edges: model.edges.map(edge),
    legend: legendOf(model),
  };
}
