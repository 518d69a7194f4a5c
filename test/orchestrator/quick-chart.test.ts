/** A quick chart does what XState does with the same chart, which is asked beside it. */
import { expect, test } from 'vitest';
import {
  type AnyEventObject,
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  createActor,
  createMachine,
  fromPromise,
  type Snapshot,
} from 'xstate';
import { intraHostMigration } from '../../machines/intra-host-migration/index.ts';
import { stateId } from '../../machines/state-id.ts';
import { tdLifecycle } from '../../machines/td-lifecycle/index.ts';
import { transitionId } from '../../machines/transition-id.ts';
import { vmmTd } from '../../machines/vmm-td/index.ts';
import { onTransition, quickChart } from '../../src/orchestrator/quick-chart.ts';

/** What the actors of the charts answer, so that each guard is met by what passes it and by what does not. */
const limits = { module: 576, presentCpus: 224, kvm: 1024, perVm: 224 };
const outputs = [
  { limits, hasTd: true, stopped: false, leftovers: [], mrtd: 'ab', holdsKeySlot: true },
  {
    limits: { ...limits, perVm: 2 },
    hasTd: false,
    stopped: true,
    leftovers: [{ step: 'releasing', code: 'TDCTL_E_IOCTL', message: 'busy' }],
    mrtd: null,
    holdsKeySlot: false,
    asksForReset: true,
  },
];
const found = ['unbuilt', 'built', 'running', 'paused', 'ending'];
const error = { step: 'creatingVm', code: 'TDCTL_E_IOCTL', message: 'refused' };

const charts: Record<string, { machine: AnyStateMachine; inputs: readonly object[] }> = {
  'td-lifecycle': {
    machine: tdLifecycle,
    inputs: [false, true].map((initializesFirst) => ({ name: 'web', vcpus: 4, initializesFirst })),
  },
  'intra-host-migration': {
    machine: intraHostMigration,
    inputs: [false, true].map((wasRunning) => ({ td: 'web', wasRunning })),
  },
  'vmm-td': {
    machine: vmmTd,
    inputs: [false, true].map((restarts) => ({ name: 'web', restarts })),
  },
};

test.each(Object.entries(charts))(
  '%s: from every state and by every event, a quick chart comes to the same as XState',
  (_, { machine, inputs }) => {
    const chart = withActors(machine);
    const quick = quickChart(chart.machine);
    const reached = new Set<string>();
    const taken = new Set<string>();
    const seen = new Set<string>();
    const open = inputs.map((input) => persisted(chart.machine, { input }));
    for (let from = open.pop(); from !== undefined; from = open.pop()) {
      const key = JSON.stringify(from);
      if (seen.has(key)) continue;
      seen.add(key);
      reached.add(stateId((from as unknown as { value: string }).value));
      for (const event of eventsOf(machine)) {
        chart.calls.length = 0;
        const byXState = tell(chart.machine, { snapshot: from, event });
        const calls = chart.calls.splice(0);
        const byRoutes = tell(quick, { snapshot: from, event });
        expect(byRoutes, `${key} ${event.type}`).toEqual(byXState);
        expect(chart.calls, `${key} ${event.type}`).toEqual(calls);
        for (const id of byRoutes.transitions) taken.add(id);
        const next = byRoutes.snapshot as unknown as {
          status: string;
          context: { leftovers?: unknown[] };
        };
        // Leftovers grow without an end where a chart comes back to a state.
        const isBounded = (next.context.leftovers?.length ?? 0) <= 1;
        if (next.status === 'active' && isBounded) open.push(byRoutes.snapshot);
      }
    }
    const leaves = nodesOf(machine.root).filter(({ type }) => type === 'atomic');
    expect([...reached].sort()).toEqual(leaves.map(({ path }) => path.join('.')).sort());
    expect([...taken].sort()).toEqual([...transitionsOf(machine)].sort());
  },
);

test('a chart with what routes leave out is refused', () => {
  const refused = [
    { type: 'parallel', states: { a: {}, b: {} } },
    { initial: 'a', states: { a: { always: 'b' }, b: {} } },
    { initial: 'a', states: { a: { entry: () => {} } } },
    { initial: 'a', states: { a: { on: { '*': 'b' } }, b: {} } },
    { initial: 'a', states: { a: { invoke: { src: 'nobody' }, initial: 'b', states: { b: {} } } } },
  ] as const;
  for (const definition of refused) {
    expect(() => quickChart(createMachine(definition as never))).toThrow('routes leave out');
  }
});

test('who would hear of no transition, since XState alone runs the chart, is told so', () => {
  const { machine } = withActors(tdLifecycle);
  const actor = createActor(machine as typeof tdLifecycle, { input: { name: 'web', vcpus: 1 } });
  expect(() => onTransition(actor, () => {})).toThrow('only a quick chart');
});

/** Each actor notes when it starts and is stopped, and never ends by itself. */
function withActors(machine: AnyStateMachine) {
  const calls: string[] = [];
  const noting = (name: string) =>
    fromPromise<unknown>(({ signal }) => {
      calls.push(`${name} starts`);
      signal.addEventListener('abort', () => calls.push(`${name} stops`));
      return new Promise(() => {});
    });
  const names = Object.keys(machine.implementations.actors);
  const actors = Object.fromEntries(names.map((name) => [name, noting(name)]));
  return { calls, machine: machine.provide({ actors }) as AnyStateMachine };
}

function eventsOf(machine: AnyStateMachine): AnyEventObject[] {
  const nodes = nodesOf(machine.root);
  const types = new Set(nodes.flatMap(({ transitions }) => [...transitions.keys()]));
  return [...types, 'nobody.knows.it', 'xstate.error.actor.nobody'].flatMap((type) => {
    if (type.startsWith('xstate.done.state')) return [];
    if (type === 'td.adopt') return found.map((as) => ({ type, found: as }));
    if (type === 'td.arrived' || type === 'td.keep') {
      return [false, true].map((hasRun) => ({ type, mrtd: 'ab', hasRun }));
    }
    if (type.startsWith('xstate.error')) return [{ type, error }];
    return type.startsWith('xstate.done')
      ? outputs.map((output) => ({ type, output }))
      : [{ type }];
  });
}

function nodesOf(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap((state) => nodesOf(state as AnyStateNode))];
}

function transitionsOf(machine: AnyStateMachine): Set<string> {
  const nodes = nodesOf(machine.root);
  return new Set(
    nodes.flatMap(({ transitions }) => [...transitions.values()].flat().map(transitionId)),
  );
}

function persisted(machine: AnyStateMachine, { input }: { input: object }): Snapshot<unknown> {
  return asJson(createActor(machine, { input }).getPersistedSnapshot());
}

interface Told {
  readonly snapshot: Snapshot<unknown>;
  readonly event: AnyEventObject;
}

/** What becomes of a chart that is taken up in a state and told an event. */
function tell(machine: AnyStateMachine, { snapshot, event }: Told) {
  const actor = createActor(machine, { snapshot });
  const heard: AnyTransitionDefinition[] = [];
  const told: string[] = [];
  actor.subscribe({
    next: ({ value, tags }) => told.push(`${JSON.stringify(value)} ${[...tags].join(' ')}`),
    error: () => told.push('error'),
    complete: () => told.push('complete'),
  });
  try {
    onTransition(actor, (transition) => heard.push(transition));
  } catch {
    actor.system.inspect((inspected) => {
      if (inspected.type === '@xstate.microstep') heard.push(...inspected._transitions);
    });
  }
  actor.start();
  actor.send(event);
  const after = asJson(actor.getPersistedSnapshot());
  actor.stop();
  return { snapshot: after, told, transitions: heard.map(transitionId) };
}

function asJson(snapshot: Snapshot<unknown>): Snapshot<unknown> {
  return JSON.parse(JSON.stringify(snapshot));
}
