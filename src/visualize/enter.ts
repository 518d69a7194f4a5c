/** This module finds what entering a state leads to, as far as the chart alone decides it. */
import type { ChartEdge, ChartIndex } from './chart-model.ts';

/** Gives every state that is entered, including those that are only passed through. */
export function enter(id: string, chart: ChartIndex): readonly string[] {
  const entered = new Set<string>();

  const visit = (state: string): void => {
    if (entered.has(state)) return;
    for (const { id: around } of chart.ancestors(state)) entered.add(around);
    entered.add(state);
    const node = chart.node(state);
    const next = automatic(state, chart) ?? completionBy(state, chart);
    if (next !== undefined) next.targets.forEach(visit);
    else if (node.kind === 'parallel') for (const child of node.children) visit(child.id);
    else if (node.initial !== null) visit(node.initial);
  };

  visit(id);
  return [...entered];
}

/** Finds an eventless transition that no guard can stop. */
function automatic(id: string, chart: ChartIndex): ChartEdge | undefined {
  const [first] = chart.outgoing(id).filter(({ trigger }) => trigger.type === 'always');
  return first?.guard === null ? first : undefined;
}

/** Finds the transition that a final state sets off in the state around it. */
function completionBy(id: string, chart: ChartIndex): ChartEdge | undefined {
  const parent = chart.parent(id);
  if (chart.node(id).kind !== 'final' || parent?.kind !== 'compound') return undefined;
  const [first] = chart.outgoing(parent.id).filter(({ trigger }) => trigger.type === 'completed');
  return first?.guard === null ? first : undefined;
}
