/**
 * Which transitions become lines of the picture, and which are told in the box of their state.
 *
 * Lines: one for all transitions between the same two states, with stacked labels. In the box:
 * what stays in its state, what leads to the state itself or within it, and errors that are
 * gathered. Errors are gathered where two or more states of one compound fail to the same place:
 * one red line leaves the compound, and each state says in its box where its own error leads.
 */
import { sanitize } from '../../errors/sanitize.ts';
import type { ChartEdge, ChartIndex } from '../chart-model.ts';
import { edgeLabel } from '../labels.ts';
import type { EdgeLine, EdgeTone, LabelLine } from './geometry.ts';

export interface EdgeLines {
  readonly lines: readonly EdgeLine[];
  /** Transitions that are told in the box of their source. */
  readonly stubs: readonly ChartEdge[];
}

interface Hop {
  readonly edge: ChartEdge;
  readonly source: string;
  readonly target: string;
}

export function edgeLines(edges: readonly ChartEdge[], chart: ChartIndex): EdgeLines {
  const isLine = (edge: ChartEdge) =>
    edge.targets.length > 0 && edge.targets.every((target) => isApart(edge.source, target, chart));
  const drawn = edges.filter(isLine);
  const { gathered, rest } = gatherErrors(drawn, chart);
  const hops = rest.flatMap((edge) =>
    edge.targets.map((target) => ({ edge, source: edge.source, target })),
  );
  const lines = [
    ...[...groupBy(hops, key).values()].map((group) => lineOf(group, chart)),
    ...gathered.map(gatheredLine),
  ];
  const gatheredEdges = new Set(gathered.flat().map(({ edge }) => edge));
  return {
    lines: lines.map((line, at) => ({ ...line, id: `l${at + 1}` })),
    stubs: edges.filter((edge) => !isLine(edge) || gatheredEdges.has(edge)),
  };
}

/** Two states are apart if neither is the other or contains it. */
function isApart(one: string, other: string, chart: ChartIndex): boolean {
  const contains = (outer: string, inner: string) =>
    chart.ancestors(inner).some(({ id }) => id === outer);
  return one !== other && !contains(one, other) && !contains(other, one);
}

function gatherErrors(edges: readonly ChartEdge[], chart: ChartIndex) {
  const hops = edges
    .filter(({ trigger, targets }) => trigger.type === 'error' && targets.length === 1)
    .map((edge) => ({ edge, source: outermost(edge, chart), target: edge.targets[0] ?? '' }))
    .filter(({ edge, source }) => source !== edge.source);
  const gathered = [...groupBy(hops, key).values()].filter((group) => group.length > 1);
  const taken = new Set(gathered.flat().map(({ edge }) => edge));
  return { gathered, rest: edges.filter((edge) => !taken.has(edge)) };
}

/**
 * Gives the largest state that the transition leaves: it is around the source, and not around the
 * target.
 */
function outermost({ source, targets }: ChartEdge, chart: ChartIndex): string {
  const aroundTarget = new Set(chart.ancestors(targets[0] ?? '').map(({ id }) => id));
  const left = chart.ancestors(source).filter(({ id }) => !aroundTarget.has(id));
  return left.at(-1)?.id ?? source;
}

function lineOf(group: readonly Hop[], chart: ChartIndex): EdgeLine {
  const tones = new Set(group.map(({ edge }) => toneOf(edge)));
  const [first] = group;
  if (first === undefined) throw new Error('an empty group of transitions');
  return {
    id: '',
    source: first.source,
    target: first.target,
    // Where several kinds share a line, the line takes the first that is not an error.
    tone: [...tones].find((tone) => tone !== 'error') ?? 'error',
    edges: group.map(({ edge }) => edge.id),
    labels: isPlainCompletion(group, chart)
      ? []
      : group.flatMap(({ edge }) => labelLines(edge, chart)),
  };
}

/** As in UML, a line without words is what happens when the state's own work is done. */
function isPlainCompletion(group: readonly Hop[], chart: ChartIndex): boolean {
  const [hop, ...more] = group;
  if (hop === undefined || more.length > 0 || toneOf(hop.edge) !== 'done') return false;
  const { trigger, guard, actions } = edgeLabel(hop.edge, chart);
  return trigger === 'done' && guard === null && actions.length === 0;
}

function gatheredLine(group: readonly Hop[]): EdgeLine {
  const [first] = group;
  if (first === undefined) throw new Error('an empty group of transitions');
  const text = `error in ${group.length} states`;
  return {
    id: '',
    source: first.source,
    target: first.target,
    tone: 'error',
    edges: group.map(({ edge }) => edge.id),
    labels: [{ tone: 'error', spans: [{ kind: 'trigger', text }] }],
  };
}

function labelLines(edge: ChartEdge, chart: ChartIndex): LabelLine[] {
  const { trigger, guard, actions } = edgeLabel(edge, chart);
  const tone = toneOf(edge);
  const first: LabelLine = {
    tone,
    spans: [
      { kind: 'trigger', text: sanitize(trigger) },
      ...(guard === null ? [] : [{ kind: 'guard' as const, text: `[${sanitize(guard)}]` }]),
    ],
  };
  if (actions.length === 0) return [first];
  const text = `/ ${actions.map(sanitize).join(', ')}`;
  return [first, { tone, spans: [{ kind: 'action', text }] }];
}

export function toneOf({ trigger }: ChartEdge): EdgeTone {
  switch (trigger.type) {
    case 'event':
    case 'error':
    case 'always':
      return trigger.type;
    case 'after':
      return 'timer';
    default:
      return 'done';
  }
}

function key({ source, target }: Hop): string {
  return JSON.stringify([source, target]);
}

/** The groups stand in the order of their first members. */
export function groupBy<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
