/** Labels put transitions in words, the same in every form of the chart. */
import type { ChartEdge, ChartIndex, ChartNode } from './chart-model.ts';

export interface EdgeLabel {
  /** `td.create`, `done(createVm)`, `after 500 ms`. */
  readonly trigger: string;
  /** Name of the guard, `else` where guarded alternatives stand before it, or null for none. */
  readonly guard: string | null;
  readonly actions: readonly string[];
}

export function edgeLabel(edge: ChartEdge, chart: ChartIndex): EdgeLabel {
  return {
    trigger: triggerText(edge, chart),
    guard: edge.guard ?? (isElse(edge, chart) ? 'else' : null),
    actions: edge.actions,
  };
}

/** Gives `td.create [vcpusFit] / keepLimits`, which is UML's own notation. */
export function edgeText(edge: ChartEdge, chart: ChartIndex): string {
  const { trigger, guard, actions } = edgeLabel(edge, chart);
  return [
    trigger,
    ...(guard === null ? [] : [`[${guard}]`]),
    ...(actions.length === 0 ? [] : [`/ ${actions.join(', ')}`]),
  ].join(' ');
}

/**
 * Gives the same as `edgeText`, but always names the actor, for a place where the state is not in
 * sight.
 */
export function edgeTextInFull(edge: ChartEdge, chart: ChartIndex): string {
  const { trigger } = edge;
  const { guard } = edgeLabel(edge, chart);
  const name =
    'invoke' in trigger
      ? `${trigger.type}(${chart.node(edge.source).invokes[trigger.invoke]?.src})`
      : triggerText(edge, chart);
  return guard === null ? name : `${name} [${guard}]`;
}

function triggerText({ source, trigger }: ChartEdge, chart: ChartIndex): string {
  switch (trigger.type) {
    case 'event':
      return trigger.event;
    case 'completed':
      return 'done';
    case 'always':
      return 'always';
    case 'after':
      return `after ${/^\d+$/.test(trigger.delay) ? `${trigger.delay} ms` : trigger.delay}`;
    case 'done':
    case 'error':
    case 'snapshot':
      return actorTrigger(trigger.type, { node: chart.node(source), invoke: trigger.invoke });
  }
}

/**
 * The actor is named only where its state has several, because otherwise the state itself shows which
 * one it runs.
 */
function actorTrigger(type: string, { node, invoke }: { node: ChartNode; invoke: number }): string {
  return node.invokes.length === 1 ? type : `${type}(${node.invokes[invoke]?.src})`;
}

function isElse(edge: ChartEdge, chart: ChartIndex): boolean {
  const same = chart
    .outgoing(edge.source)
    .filter(({ trigger }) => JSON.stringify(trigger) === JSON.stringify(edge.trigger));
  return same.slice(0, same.indexOf(edge)).some(({ guard }) => guard !== null);
}
