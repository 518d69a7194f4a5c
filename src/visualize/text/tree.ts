/** The tree shows the chart in a terminal, with states indented, and each with where it can go. */
import { sanitize } from '../../errors/sanitize.ts';
import {
  type ChartEdge,
  type ChartIndex,
  type ChartModel,
  type ChartNode,
  indexChart,
} from '../chart-model.ts';
import { edgeText } from '../labels.ts';

export type TreePart = 'name' | 'active' | 'detail' | 'tag' | 'error' | 'branch';

export interface TreeOptions {
  /** Ids of the states to mark; those around them are marked too. */
  readonly active?: readonly string[];
  /** Leaves out transitions, and what is within states that are not active, which suits a live view. */
  readonly folded?: boolean;
  /** Colours, where there are any. */
  readonly style?: (part: TreePart, text: string) => string;
}

export function chartTree(model: ChartModel, options: TreeOptions = {}): string {
  const chart = indexChart(model);
  const style = options.style ?? ((_, text) => text);
  const active = new Set(
    (options.active ?? []).flatMap((id) => [id, ...chart.ancestors(id).map((node) => node.id)]),
  );
  const context = { chart, style, active, folded: options.folded ?? false };
  const head = `${style('name', sanitize(model.id))} ${style('detail', `version ${model.version}`)}`;
  return `${[head, ...transitionLines(model.root, '', context), ...childLines(model.root, '', context)].join('\n')}\n`;
}

interface TreeContext {
  readonly chart: ChartIndex;
  readonly style: (part: TreePart, text: string) => string;
  readonly active: ReadonlySet<string>;
  readonly folded: boolean;
}

function childLines(node: ChartNode, before: string, context: TreeContext): string[] {
  const { style, folded, active } = context;
  if (folded && node.id !== '' && !active.has(node.id)) return [];
  return node.children.flatMap((child, at) => {
    const isLast = at === node.children.length - 1;
    const inner = `${before}${isLast ? '   ' : '│  '}`;
    return [
      `${style('branch', `${before}${isLast ? '└─ ' : '├─ '}`)}${nodeLine(child, { node, context })}`,
      ...transitionLines(child, child.children.length > 0 ? `${inner}│  ` : `${inner}   `, context),
      ...childLines(child, inner, context),
    ];
  });
}

function nodeLine(
  child: ChartNode,
  { node, context }: { node: ChartNode; context: TreeContext },
): string {
  const { style, active } = context;
  const isActive = active.has(child.id);
  const facts = [
    ...(child.id === node.initial ? ['initial'] : []),
    ...(node.kind === 'parallel' ? ['region'] : []),
    ...(child.kind === 'atomic' || child.kind === 'compound' ? [] : [child.kind]),
  ];
  return [
    ...(isActive ? [style('active', '●')] : []),
    style(isActive ? 'active' : 'name', sanitize(child.key)),
    ...(facts.length === 0 ? [] : [style('detail', `(${facts.join(', ')})`)]),
    ...child.tags.map((tag) => style('tag', `#${sanitize(tag)}`)),
    ...child.invokes.map(({ src }) => style('detail', `invoke ${sanitize(src)}`)),
    ...child.entry.map((action) => style('detail', `entry / ${sanitize(action)}`)),
    ...child.exit.map((action) => style('detail', `exit / ${sanitize(action)}`)),
  ].join(' ');
}

function transitionLines(
  node: ChartNode,
  before: string,
  { chart, style, folded }: TreeContext,
): string[] {
  if (folded) return [];
  return chart.outgoing(node.id).map((edge) => {
    const part = edge.trigger.type === 'error' ? 'error' : 'detail';
    const text = `${edgeText(edge, chart)} → ${destination(edge, { node, chart })}`;
    return `${style('branch', before)}${style(part, sanitize(text))}`;
  });
}

/** A sibling is given by its name, and everything else by its whole path. */
function destination(
  { targets }: ChartEdge,
  { node, chart }: { node: ChartNode; chart: ChartIndex },
): string {
  if (targets.length === 0) return '(stays)';
  const parent = chart.parent(node.id);
  return targets
    .map((id) => (chart.parent(id) === parent ? chart.node(id).key : id || chart.node(id).key))
    .join(', ');
}
