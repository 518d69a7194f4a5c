/**
 * Which states a transition leaves and enters, by the rules of SCXML (https://www.w3.org/TR/scxml/#AlgorithmforSCXMLInterpretation)
 * as XState has them. Without regions and history, a transition out of one innermost state always leaves and enters the
 * same, so that is found out once for each chart.
 */
import type {
  AnyActorLogic,
  AnyEventObject,
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  AnyTransitionDefinition,
} from 'xstate';
import type { At } from './named.ts';

/** A transition out of one innermost state. */
export interface Route {
  readonly transition: AnyTransitionDefinition;
  /** Ids of the actors of the state that is left. */
  readonly stopped: readonly string[];
  /** The actors of the state that is entered. */
  readonly invoked: readonly Invoked[];
  /** Undefined where the chart stays where it is. */
  readonly arrival: Arrival | undefined;
}

interface Invoked {
  readonly id: string;
  readonly src: string;
  readonly logic: AnyActorLogic;
}

interface Arrival {
  readonly leaf: AnyStateNode;
  /** All states that the chart is in then, in XState's order: those that stay, then those entered. */
  readonly nodes: readonly AnyStateNode[];
  readonly value: AnyMachineSnapshot['value'];
  readonly tags: ReadonlySet<string>;
}

export type SelectRoute = (
  snapshot: AnyMachineSnapshot,
  event: AnyEventObject,
) => Route | undefined;

interface Candidate {
  readonly guard: AnyTransitionDefinition['guard'] | undefined;
  readonly route: Route;
}

/** @throws for a chart that has what routes leave out, so that none is run by half of its rules. */
export function routesOf(
  machine: AnyStateMachine,
  passes: (guard: Candidate['guard'], at: At) => boolean,
): SelectRoute {
  checkThatRoutesDo(machine.root);
  const known = new Map<AnyStateNode, Map<string, readonly Candidate[]>>();
  return ({ _nodes: nodes, context }, event) => {
    const leaf = innermost(nodes);
    let byEvent = known.get(leaf);
    if (byEvent === undefined) {
      byEvent = new Map();
      known.set(leaf, byEvent);
    }
    let candidates = byEvent.get(event.type);
    if (candidates === undefined) {
      candidates = candidatesOf(machine, { leaf, eventType: event.type });
      byEvent.set(event.type, candidates);
    }
    for (const { guard, route } of candidates) {
      if (passes(guard, { context, event })) return route;
    }
    return undefined;
  };
}

function innermost(nodes: readonly AnyStateNode[]): AnyStateNode {
  let leaf = nodes[0] as AnyStateNode;
  for (const node of nodes) if (node.path.length > leaf.path.length) leaf = node;
  return leaf;
}

/** Those of the innermost state come first, and then those of the states around it. */
function candidatesOf(
  machine: AnyStateMachine,
  { leaf, eventType }: { leaf: AnyStateNode; eventType: string },
): Candidate[] {
  return [leaf, ...ancestorsOf(leaf)]
    .flatMap((node): AnyTransitionDefinition[] => node.transitions.get(eventType) ?? [])
    .map((transition) => ({
      guard: transition.guard,
      route: routeOf(machine, { leaf, transition }),
    }));
}

function routeOf(
  machine: AnyStateMachine,
  { leaf: from, transition }: { leaf: AnyStateNode; transition: AnyTransitionDefinition },
): Route {
  const target = transition.target?.[0] as AnyStateNode | undefined;
  if (target === undefined) return { transition, stopped: [], invoked: [], arrival: undefined };
  const domain = domainOf(transition, target) ?? machine.root;
  const nodes = [...ancestorsOf(from).reverse(), from];
  const left = nodes.filter((node) => isWithin(node, domain));
  const entered = [...between(target, domain), ...initialWithin(target)];
  const after = [...nodes.filter((node) => !left.includes(node)), ...entered];
  const leaf = entered.at(-1) ?? target;
  return {
    transition,
    stopped: left.flatMap(({ invoke }) => invoke.map(({ id }) => id)),
    invoked: entered.flatMap(({ invoke }) => invoke.map((each) => invokedBy(machine, each))),
    arrival: {
      leaf,
      nodes: after,
      value: stateValue(leaf),
      tags: new Set(after.flatMap(({ tags }) => tags)),
    },
  };
}

function invokedBy(machine: AnyStateMachine, { id, src }: AnyStateNode['invoke'][number]): Invoked {
  const logic = typeof src === 'string' ? machine.implementations.actors[src] : undefined;
  if (typeof src !== 'string' || logic === undefined || 'src' in logic) {
    throw new Error(`${id} has no actor of the chart`);
  }
  return { id, src, logic };
}

/** The innermost state that the transition stays in; undefined for the whole chart. */
function domainOf(
  { source, reenter }: AnyTransitionDefinition,
  target: AnyStateNode,
): AnyStateNode | undefined {
  if (!reenter && (target === source || isWithin(target, source))) return source;
  return ancestorsOf(target).find((around) => isWithin(source, around));
}

function ancestorsOf({ parent }: AnyStateNode): AnyStateNode[] {
  return parent === undefined ? [] : [parent, ...ancestorsOf(parent)];
}

function isWithin(node: AnyStateNode, around: AnyStateNode): boolean {
  return ancestorsOf(node).includes(around);
}

/** The state, and before it those around it within the domain. */
function between(node: AnyStateNode, domain: AnyStateNode): AnyStateNode[] {
  if (node === domain || node.parent === undefined) return [];
  return [...between(node.parent, domain), node];
}

function initialWithin(node: AnyStateNode): AnyStateNode[] {
  if (node.type !== 'compound') return [];
  const initial = node.initial.target[0] as AnyStateNode;
  return [...between(initial, node), ...initialWithin(initial)];
}

function stateValue({ path: [...around], key }: AnyStateNode): AnyMachineSnapshot['value'] {
  around.pop();
  return around.reduceRight<AnyMachineSnapshot['value']>((value, name) => ({ [name]: value }), key);
}

function checkThatRoutesDo(node: AnyStateNode): void {
  const transitions: AnyTransitionDefinition[] = [...node.transitions.values()].flat();
  const isLeftOut = {
    regions: node.type === 'parallel',
    history: node.type === 'history',
    always: node.always !== undefined,
    'actions of a state': node.entry.length + node.exit.length > 0,
    'an actor of a state with states in it': node.type === 'compound' && node.invoke.length > 0,
    'actions of an initial transition': node.type === 'compound' && node.initial.actions.length > 0,
    'what an invoke has beside src': node.invoke.some(
      ({ input, systemId, onSnapshot }) => input ?? systemId ?? onSnapshot,
    ),
    'a transition for several events': transitions.some(({ eventType }) => eventType.includes('*')),
    'several targets': transitions.some(({ target = [] }) => target.length > 1),
  };
  for (const [what, has] of Object.entries(isLeftOut)) {
    if (has) throw new Error(`${node.id} has ${what}, which routes leave out`);
  }
  for (const state of Object.values(node.states)) checkThatRoutesDo(state as AnyStateNode);
}
