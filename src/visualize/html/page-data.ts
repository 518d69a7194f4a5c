/** What the page knows of each state, as JSON within the page. */
import { sanitize } from '../../errors/sanitize.ts';
import { type ChartEdge, type ChartModel, indexChart } from '../chart-model.ts';
import { edgeTextInFull } from '../labels.ts';
import { shortestPaths } from '../paths.ts';

export function pageData(model: ChartModel): string {
  const chart = indexChart(model);
  const paths = new Map(shortestPaths(model).map(({ state, edges }) => [state, edges]));
  const nodes = chart.nodes.slice(1);
  const isTaken = (key: string) => nodes.filter((node) => node.key === key).length > 1;
  const states = nodes.map((node) => ({
    id: node.id,
    name: sanitize(node.key),
    /** Two states may have one name: then where it is belongs to it. */
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
  }));
  const edge = (one: ChartEdge) => ({
    id: one.id,
    source: one.source,
    targets: one.targets,
    text: sanitize(edgeTextInFull(one, chart)),
    actions: one.actions.map(sanitize),
    isError: one.trigger.type === 'error',
  });
  const about = sanitize(model.root.description ?? '');
  return scriptJson({ id: sanitize(model.id), about, states, edges: model.edges.map(edge) });
}

/** Within a script element only `<` could end it; the two line separators are for old readers. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
