/**
 * Turns an XState machine into the neutral chart model. It is the only file here that knows XState's
 * form.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { transitionId } from '../../machines/transition-id.ts';
import {
  type ChartEdge,
  type ChartInvoke,
  type ChartModel,
  type ChartNode,
  type ChartStep,
  joinPath,
  type Trigger,
} from './chart-model.ts';

/** A row of the registry, machines/index.ts. */
export interface RegisteredMachine {
  readonly id: string;
  readonly version: number;
  readonly machine: AnyStateMachine;
  readonly steps: readonly StepRow[];
}

/** A row of a machine's step table. */
export interface StepRow {
  readonly state: string;
  readonly actor: string;
  readonly requests: readonly string[];
  readonly undo: { readonly does: string } | { readonly leftTo: string };
}

export function extractChart({ id, version, machine, steps }: RegisteredMachine): ChartModel {
  const root = extractNode(machine.root, steps);
  const edges = stateNodes(machine.root).flatMap(extractEdges);
  return { id, version, root, edges: edges.map((edge, at) => ({ id: `e${at + 1}`, ...edge })) };
}

function extractNode(node: AnyStateNode, steps: readonly StepRow[]): ChartNode {
  const invokes = extractInvokes(node);
  return {
    id: joinPath(node.path),
    key: node.key,
    kind: node.type,
    description: node.description ?? null,
    tags: node.tags,
    entry: actionNames(node.entry),
    exit: actionNames(node.exit),
    invokes,
    initial: node.type === 'compound' ? initialOf(node) : null,
    history: node.history === false ? null : node.history,
    step: stepOf(node, { invokes, steps }),
    children: childrenOf(node).map((child) => extractNode(child, steps)),
  };
}

function initialOf(node: AnyStateNode): string | null {
  const [target] = node.initial.target ?? [];
  return target === undefined ? null : joinPath(target.path);
}

function stepOf(
  node: AnyStateNode,
  { invokes, steps }: { invokes: readonly ChartInvoke[]; steps: readonly StepRow[] },
): ChartStep | null {
  const row = steps.find(
    ({ state, actor }) => state === node.key && invokes.some(({ src }) => src === actor),
  );
  if (row === undefined) return null;
  const undo = 'does' in row.undo ? row.undo.does : `left to ${row.undo.leftTo}`;
  return { requests: row.requests, undo };
}

function extractInvokes(node: AnyStateNode): ChartInvoke[] {
  return node.invoke.map(({ src, id }, at) => ({
    src: typeof src === 'string' ? src : 'inline',
    // XState gives an invoke without an id this one.
    id: id === `${at}.${node.id}` ? null : id,
  }));
}

function extractEdges(node: AnyStateNode): Omit<ChartEdge, 'id'>[] {
  const triggered = [...node.transitions].flatMap(([descriptor, transitions]) =>
    transitions.map((transition) => ({ transition, trigger: triggerOf(node, descriptor) })),
  );
  const always = (node.always ?? []).map((transition) => ({
    transition,
    trigger: { type: 'always' } as const,
  }));
  return [...historyDefault(node), ...always, ...triggered].map(({ transition, trigger }) => ({
    name: transitionId(transition),
    source: joinPath(node.path),
    targets: (transition.target ?? []).map((target: AnyStateNode) => joinPath(target.path)),
    trigger,
    guard: guardName(transition.guard),
    actions: actionNames(transition.actions),
    reenter: transition.reenter === true,
    description: descriptionOf(transition),
  }));
}

/**
 * Gives the state that a history state leads to while there is no history. XState keeps that in the
 * config only.
 */
function historyDefault(node: AnyStateNode) {
  const { target } = node.config as { readonly target?: unknown };
  if (node.type !== 'history' || typeof target !== 'string' || node.parent === undefined) return [];
  const found = target.startsWith('#')
    ? node.machine.getStateNodeById(target)
    : target
        .split('.')
        .reduce<AnyStateNode | undefined>((from, key) => from?.states[key], node.parent);
  if (found === undefined) return [];
  const transition = {
    source: node,
    eventType: '',
    target: [found],
    actions: [],
    reenter: false,
    guard: undefined,
  };
  return [{ transition, trigger: { type: 'always' } as const }];
}

function descriptionOf(transition: object): string | null {
  return 'description' in transition && typeof transition.description === 'string'
    ? transition.description
    : null;
}

/** Transitions are keyed by event types. Those that XState makes up are recognised by their form. */
function triggerOf(node: AnyStateNode, descriptor: string): Trigger {
  if (descriptor === `xstate.done.state.${node.id}`) return { type: 'completed' };
  for (const [invoke, { id }] of node.invoke.entries()) {
    if (descriptor === `xstate.done.actor.${id}`) return { type: 'done', invoke };
    if (descriptor === `xstate.error.actor.${id}`) return { type: 'error', invoke };
    if (descriptor === `xstate.snapshot.${id}`) return { type: 'snapshot', invoke };
  }
  const after = node.after.find(({ eventType }) => eventType === descriptor);
  if (after !== undefined) {
    const delay = descriptor.slice('xstate.after.'.length, -(node.id.length + 1));
    return { type: 'after', delay };
  }
  return { type: 'event', event: descriptor };
}

/** XState arms and stops the timers of `after` by entry and exit actions of its own. */
const pseudoActions = new Set(['xstate.raise', 'xstate.cancel']);

function actionNames(actions: readonly unknown[]): string[] {
  return actions.map(nameOf).filter((name) => !pseudoActions.has(name));
}

function guardName(guard: unknown): string | null {
  return guard === undefined ? null : nameOf(guard);
}

/**
 * A part is `'name'`, `{ type: 'name', params }` or a function: built-ins carry a type, inline ones a
 * name.
 */
function nameOf(part: unknown): string {
  if (typeof part === 'string') return part;
  const { type, name } = part as { readonly type?: unknown; readonly name?: unknown };
  if (typeof type === 'string') return type;
  return typeof name === 'string' && name !== '' ? name : 'inline';
}

function childrenOf(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states as Record<string, AnyStateNode>);
}

function stateNodes(node: AnyStateNode): AnyStateNode[] {
  return [node, ...childrenOf(node).flatMap(stateNodes)];
}
