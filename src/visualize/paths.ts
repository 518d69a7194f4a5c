/**
 * The shortest way to every state, found by XState itself (`xstate/graph`).
 *
 * The chart is turned into a machine in which each transition has an event of its own, so that the
 * search meets every outcome: an actor's success and failure, each alternative of a guard. Guards
 * are taken to allow what they are asked: a path says which must hold, in brackets.
 */
import { createMachine, type StateValue } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import {
  type ChartEdge,
  type ChartIndex,
  type ChartModel,
  type ChartNode,
  indexChart,
  joinPath,
} from './chart-model.ts';
import { enter } from './enter.ts';
import { withPlainKeys } from './plain-keys.ts';
import { xstateConfig } from './text/xstate.ts';

export interface ChartPath {
  readonly state: string;
  /** Ids of the transitions to take, in order, or null where no path was found. */
  readonly edges: readonly string[] | null;
}

/** Finds one path for each state, in document order. */
export function shortestPaths(model: ChartModel): ChartPath[] {
  const { model: plain, originalId } = withPlainKeys(model);
  const chart = indexChart(plain);
  const reached = reachedBySteps(plain, chart);
  return chart.nodes
    .slice(1)
    .map(({ id }) => ({ state: originalId(id), edges: reached.get(id) ?? null }));
}

function reachedBySteps(model: ChartModel, chart: ChartIndex): Map<string, readonly string[]> {
  const plain = eventPerTransition(model, chart);
  const byId = new Map(model.edges.map((edge) => [edge.id, edge]));
  const offered = plain.edges.flatMap(({ id, trigger }) => {
    const edge = byId.get(id);
    return trigger.type === 'event' && edge !== undefined ? [edge] : [];
  });
  const machine = createMachine(xstateConfig(plain));
  const found = getShortestPaths(machine, {
    events: ({ value }) => {
      const active = activeStates(value, model.root);
      return offered
        .filter((edge) => isOpen(edge, { active, chart }))
        .map(({ id }) => ({ type: id }));
    },
    serializeState: ({ value }) => JSON.stringify(value),
  });

  const reached = new Map<string, readonly string[]>();
  for (const { state, steps } of found.toSorted((one, other) => one.weight - other.weight)) {
    // The first step is XState's own start event.
    const edges = steps.map(({ event }) => event.type).filter((type) => byId.has(type));
    const last = byId.get(edges.at(-1) ?? '');
    const passed = last?.targets.flatMap((target) => enter(target, chart)) ?? [];
    for (const id of [...activeStates(state.value, model.root), ...passed]) {
      if (!reached.has(id)) reached.set(id, edges);
    }
  }
  // A state that is only passed through may lie on no shortest way, because what follows it has a
  // shorter one.
  const lengthTo = ({ source }: ChartEdge) => reached.get(source)?.length ?? Infinity;
  for (const edge of offered.toSorted((one, other) => lengthTo(one) - lengthTo(other))) {
    const edges = [...(reached.get(edge.source) ?? []), edge.id];
    for (const id of edge.targets.flatMap((target) => enter(target, chart))) {
      if (!reached.has(id) && reached.has(edge.source)) reached.set(id, edges);
    }
  }
  return reached;
}

function eventPerTransition(model: ChartModel, chart: ChartIndex): ChartModel {
  const strip = (node: ChartNode): ChartNode => ({
    ...node,
    invokes: [],
    entry: [],
    exit: [],
    step: null,
    children: node.children.map(strip),
  });
  const edges = model.edges.map((edge): ChartEdge => {
    const trigger = happensByItself(edge, chart)
      ? edge.trigger
      : ({ type: 'event', event: edge.id } as const);
    return { ...edge, trigger, guard: null, actions: [] };
  });
  return { ...model, root: strip(model.root), edges };
}

/** Without guards XState takes the transition at once, so it needs no event here either. */
function happensByItself(edge: ChartEdge, chart: ChartIndex): boolean {
  if (chart.node(edge.source).kind === 'history') return true;
  const { type } = edge.trigger;
  if (type !== 'always' && type !== 'completed') return false;
  return chart
    .outgoing(edge.source)
    .filter(({ trigger }) => trigger.type === type)
    .every(({ guard }) => guard === null);
}

/**
 * A transition is open if its source is active and no state within has an unguarded transition for the
 * same event.
 */
function isOpen(
  edge: ChartEdge,
  { active, chart }: { active: ReadonlySet<string>; chart: ChartIndex },
): boolean {
  const { source, trigger } = edge;
  if (!active.has(source)) return false;
  if (trigger.type === 'completed') {
    return chart.node(source).children.some(({ id, kind }) => kind === 'final' && active.has(id));
  }
  if (trigger.type !== 'event') return true;
  return !chart.nodes.some(
    ({ id }) =>
      active.has(id) &&
      chart.ancestors(id).some((around) => around.id === source) &&
      chart
        .outgoing(id)
        .some(
          (own) =>
            own.guard === null &&
            own.trigger.type === 'event' &&
            own.trigger.event === trigger.event,
        ),
  );
}

/** Gives `{ provisioning: 'creatingVm' }` as the ids of every active state. */
function activeStates(value: StateValue, root: ChartNode): Set<string> {
  const active = new Set([root.id]);
  const visit = (part: StateValue, path: readonly string[]): void => {
    const children = typeof part === 'string' ? ([[part, {}]] as const) : Object.entries(part);
    for (const [key, inner] of children) {
      const keys = [...path, key];
      active.add(joinPath(keys));
      if (inner !== undefined) visit(inner, keys);
    }
  };
  visit(value, []);
  return active;
}
