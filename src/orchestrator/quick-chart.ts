/**
 * Runs a chart as XState does, with less work: XState finds out at each transition, with sets and sorts, which states it
 * leaves and enters, and copies the snapshot for each action. Here a chart has its routes, and one copy is made. All else
 * is XState's: the definition, the start, what is put down and taken up, and each invoked actor. A test holds that both
 * come to the same from every state by every event.
 */
import {
  type AnyActorRef,
  type AnyActorScope,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  createActor,
} from 'xstate';
import { type At, assigned, passes } from './named.ts';
import { type Route, routesOf, type SelectRoute } from './routes.ts';

type TransitionListener = (transition: AnyTransitionDefinition) => void;

const quickCharts = new WeakSet<object>();
const listeners = new WeakMap<AnyActorRef, TransitionListener>();

/**
 * Hears each transition that a {@link quickChart} takes, before anybody has the snapshot that it leads to. An actor has one
 * listener.
 *
 * @throws for an actor of another chart, which would tell nothing.
 */
export function onTransition(
  actor: AnyActorRef & { readonly logic: object },
  listener: TransitionListener,
): void {
  if (!quickCharts.has(actor.logic)) throw new Error('only a quick chart tells its transitions');
  listeners.set(actor, listener);
}

/** @throws for a chart that has what routes leave out, such as regions (routes.ts). */
export function quickChart<Machine extends AnyStateMachine>(machine: Machine): Machine {
  const select = routesOf(machine, (guard, at) => passes(machine, guard, at));
  const transition = (
    snapshot: AnyMachineSnapshot,
    event: AnyEventObject,
    scope: AnyActorScope,
  ): AnyMachineSnapshot => {
    const route = select(snapshot, event);
    if (route !== undefined)
      return untilAtRest({ machine, select, scope }, { snapshot, event, route });
    // XState ends the chart, or fails it with the error of an actor that the chart does not expect.
    const isForXState = event.type === 'xstate.stop' || event.type.startsWith('xstate.error.');
    return isForXState ? machine.transition(snapshot, event, scope) : snapshot;
  };
  const quick = Object.create(machine, { transition: { value: transition } });
  quickCharts.add(quick);
  return quick;
}

interface Chart {
  readonly machine: AnyStateMachine;
  readonly select: SelectRoute;
  readonly scope: AnyActorScope;
}

interface Step {
  readonly snapshot: AnyMachineSnapshot;
  readonly event: AnyEventObject;
  readonly route: Route;
}

/** Takes the route, and then those out of each state around that has come to its end by that. */
function untilAtRest(chart: Chart, first: Step): AnyMachineSnapshot {
  const { select, scope } = chart;
  const listener = listeners.get(scope.self);
  let { event } = first;
  let route: Route | undefined = first.route;
  let snapshot = first.snapshot;
  while (route !== undefined) {
    listener?.(route.transition);
    snapshot = take(chart, { snapshot, event, route });
    const leaf = route.arrival?.leaf;
    if (leaf?.type !== 'final' || leaf.parent === undefined || snapshot.status !== 'active') break;
    event = doneEvent(
      leaf.parent,
      outputOf(leaf, { context: snapshot.context, event, self: scope.self }),
    );
    route = select(snapshot, event);
  }
  return snapshot;
}

function take({ machine, scope }: Chart, { snapshot, event, route }: Step): AnyMachineSnapshot {
  let { context } = snapshot;
  for (const action of route.transition.actions) {
    context = assigned(machine, action, { context, event });
  }
  const { arrival } = route;
  if (arrival === undefined) {
    return context === snapshot.context ? snapshot : { ...snapshot, context };
  }
  const { nodes, value, tags, leaf } = arrival;
  const children = childrenAfter(scope, snapshot.children, route);
  const there = { ...snapshot, context, _nodes: nodes, value, tags, children };
  if (leaf.type !== 'final' || leaf.parent !== machine.root) return there as AnyMachineSnapshot;
  const end = doneEvent(leaf, outputOf(leaf, { context, event, self: scope.self }));
  const output = outputOf(machine.root, { context, event: end, self: scope.self });
  return { ...there, status: 'done', output } as AnyMachineSnapshot;
}

type Children = AnyMachineSnapshot['children'];

/** What is started or stopped is so once the actor of the chart has its new snapshot. */
function childrenAfter(
  scope: AnyActorScope,
  before: Children,
  { stopped, invoked }: Pick<Route, 'stopped' | 'invoked'>,
): Children {
  if (stopped.length === 0 && invoked.length === 0) return before;
  const children = { ...before };
  for (const id of stopped) {
    const child = children[id];
    delete children[id];
    // One that has ended by itself is over.
    if (child?.getSnapshot().status === 'active') scope.defer(() => scope.stopChild(child));
  }
  for (const { id, src, logic } of invoked) {
    // As an invoke of XState has it; the last is among what is put down of the child.
    const as = { id, src, parent: scope.self, syncSnapshot: false };
    const child = createActor(logic, as);
    children[id] = child;
    scope.defer(() => child.start());
  }
  return children;
}

function doneEvent({ id }: AnyStateNode, output: unknown): AnyEventObject {
  return { type: `xstate.done.state.${id}`, output };
}

function outputOf({ output }: AnyStateNode, at: At & { self: AnyActorRef }): unknown {
  return typeof output === 'function' ? output(at) : output;
}
