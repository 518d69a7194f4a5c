/** DOT for Graphviz: compound states are clusters, and lines end at their borders. */
import { sanitize } from '../../errors/sanitize.ts';
import {
  type ChartEdge,
  type ChartIndex,
  type ChartModel,
  type ChartNode,
  indexChart,
} from '../chart-model.ts';
import { edgeText } from '../labels.ts';
import type { Direction } from '../layout/direction.ts';
import { indent } from './indent.ts';
import { firstLeaf } from './placement.ts';

export function chartDot(
  model: ChartModel,
  { direction }: { readonly direction: Direction },
): string {
  const chart = indexChart(model);
  return [
    `digraph ${quoted(model.id)} {`,
    ...indent([
      'compound=true;',
      `rankdir=${direction === 'down' ? 'TB' : 'LR'};`,
      'fontname="Helvetica";',
      'node [shape=box, style=rounded, fontname="Helvetica", fontsize=12];',
      'edge [fontname="Helvetica", fontsize=10];',
      `label=${quoted(`${model.id}, version ${model.version}`)};`,
      ...inner(model.root),
      ...model.edges.flatMap((edge) => edgeLines(edge, chart)),
    ]),
    '}',
    '',
  ].join('\n');
}

function inner(node: ChartNode): string[] {
  return [...initialLines(node), ...node.children.flatMap(nodeLines)];
}

function nodeLines(node: ChartNode): string[] {
  if (node.children.length === 0) {
    return [`${quoted(node.id)} [label=${quoted(node.key)}${shapeOf(node)}];`];
  }
  const style = node.kind === 'parallel' ? 'rounded,dashed' : 'rounded';
  return [
    `subgraph ${quoted(clusterName(node.id))} {`,
    ...indent([`label=${quoted(node.key)};`, `style=${quoted(style)};`, ...inner(node)]),
    '}',
  ];
}

function shapeOf({ kind }: ChartNode): string {
  if (kind === 'final') return ', peripheries=2';
  return kind === 'history' ? ', shape=circle' : '';
}

function initialLines(node: ChartNode): string[] {
  if (node.initial === null) return [];
  const dot = quoted(`initial ${node.id}`);
  const target = node.children.find(({ id }) => id === node.initial) ?? node;
  return [
    `${dot} [shape=point, width=0.12, label=""];`,
    `${dot} -> ${quoted(firstLeaf(target).id)}${attributes(target.children.length > 0 ? { lhead: clusterName(target.id) } : {})};`,
  ];
}

function edgeLines(edge: ChartEdge, chart: ChartIndex): string[] {
  const source = chart.node(edge.source);
  const label = { label: edgeText(edge, chart) };
  const color: Record<string, string> =
    edge.trigger.type === 'error' ? { color: 'firebrick', style: 'dashed' } : {};
  const targets = edge.targets.length === 0 ? [edge.source] : edge.targets;
  // Graphviz draws lines between nodes only: a cluster is reached through a leaf of it.
  return targets.map((id) => {
    const target = chart.node(id);
    // A line within a cluster cannot also end at its border: Graphviz ignores that, with a warning.
    const ends = {
      ...(borderOf(source, target, chart) ? { ltail: clusterName(source.id) } : {}),
      ...(borderOf(target, source, chart) ? { lhead: clusterName(target.id) } : {}),
    };
    const from = quoted(firstLeaf(source).id);
    const to = quoted(firstLeaf(target).id);
    return `${from} -> ${to}${attributes({ ...label, ...color, ...ends })};`;
  });
}

function borderOf(node: ChartNode, other: ChartNode, chart: ChartIndex): boolean {
  const isInside = chart.ancestors(firstLeaf(other).id).includes(node);
  return node.children.length > 0 && node.id !== '' && !isInside;
}

function clusterName(id: string): string {
  return `cluster ${id}`;
}

function attributes(values: Readonly<Record<string, string>>): string {
  const written = Object.entries(values).map(([name, value]) => `${name}=${quoted(value)}`);
  return written.length === 0 ? '' : ` [${written.join(', ')}]`;
}

/** Within quotes only the quote and the backslash mean something; labels also know `\n` and `\l`. */
function quoted(text: string): string {
  return `"${sanitize(text).replace(/["\\]/g, '\\$&')}"`;
}
