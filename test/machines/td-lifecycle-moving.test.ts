/** A TD that runs, pauses and moves: the states around KVM_RUN and around a migration. */
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createActor, fromPromise, getNextSnapshot, toPromise } from 'xstate';
import {
  destinationSteps,
  type Finalized,
  type Released,
  type Settled,
  type TdEvent,
  tdLifecycle,
  type VcpuLimits,
} from '../../machines/td-lifecycle/index.ts';

const limits: VcpuLimits = { module: 576, presentCpus: 224, kvm: 1024, perVm: 224 };
const lost = { step: 'moving', code: 'TDCTL_E_TD_LOST', message: 'lost' } as const;

/** Effects that succeed at once; `watchVcpus` waits until it is told to end. */
function machine(failing: readonly string[] = []) {
  const calls: string[] = [];
  const actor = <Output>(name: string, output: Output) =>
    fromPromise<Output>(async () => {
      calls.push(name);
      if (failing.includes(name)) throw { step: name, code: 'TDCTL_E_IOCTL', message: name };
      return output;
    });
  const provided = tdLifecycle.provide({
    actors: {
      createVm: actor<void>('createVm', undefined),
      readLimits: actor('readLimits', { limits }),
      capVcpus: actor<void>('capVcpus', undefined),
      initializeTd: actor<void>('initializeTd', undefined),
      createVcpus: actor<void>('createVcpus', undefined),
      initializeVcpus: actor<void>('initializeVcpus', undefined),
      addMemory: actor<void>('addMemory', undefined),
      finalizeTd: actor<Finalized>('finalizeTd', { mrtd: 'ab' }),
      setCpuid: actor<void>('setCpuid', undefined),
      mirrorMemory: actor<void>('mirrorMemory', undefined),
      enterVcpus: actor<void>('enterVcpus', undefined),
      watchVcpus: fromPromise<void>(
        ({ signal }) =>
          new Promise((resolve) =>
            signal.addEventListener('abort', () => resolve(), { once: true }),
          ),
      ),
      leaveVcpus: actor<void>('leaveVcpus', undefined),
      stopVcpus: actor<void>('stopVcpus', undefined),
      settleStep: actor<Settled>('settleStep', { holdsKeySlot: true }),
      terminateTd: actor<void>('terminateTd', undefined),
      releaseTd: actor<Released>('releaseTd', { leftovers: [] }),
    },
  });
  return { provided, calls };
}

async function settle() {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
}

async function start(
  event: TdEvent,
  options: { initializesFirst?: boolean; failing?: string[] } = {},
) {
  const { provided, calls } = machine(options.failing);
  const actor = createActor(provided, {
    input: { name: 'td', vcpus: 4, initializesFirst: options.initializesFirst ?? false },
  });
  actor.subscribe({ error: () => undefined });
  actor.start();
  actor.send(event);
  await settle();
  const send = async (...events: TdEvent[]) => {
    for (const each of events) {
      if (actor.getSnapshot().status !== 'active') break;
      actor.send(each);
      await settle();
    }
    return actor.getSnapshot().value;
  };
  return { actor, calls, send, state: () => actor.getSnapshot().value };
}

const created: TdEvent = { type: 'td.create' };

describe('a TD that runs', () => {
  test('is entered, paused and resumed as often as one likes', async () => {
    const td = await start(created);
    expect(await td.send({ type: 'td.start' })).toBe('running');
    expect(await td.send({ type: 'td.pause' })).toBe('paused');
    expect(await td.send({ type: 'td.pause' })).toBe('paused');
    expect(await td.send({ type: 'td.resume' }, { type: 'td.resume' })).toBe('running');
  });

  test('leaves KVM_RUN before anything of it is taken down', async () => {
    const td = await start(created);
    await td.send({ type: 'td.start' }, { type: 'td.stop' });
    expect(td.calls.slice(-3)).toEqual(['stopVcpus', 'terminateTd', 'releaseTd']);
    expect(td.state()).toBe('destroyed');
  });

  test('that cannot be entered ends failed, with everything released', async () => {
    const td = await start(created, { failing: ['enterVcpus'] });
    await td.send({ type: 'td.start' });
    expect(td.actor.getSnapshot().output).toMatchObject({
      outcome: 'failed',
      error: { message: 'enterVcpus' },
    });
  });
});

describe('a destination', () => {
  test('walks the steps of its table, but for a key slot that it does not need', async () => {
    const td = await start({ type: 'td.receive' });
    expect(td.state()).toBe('receiving');
    const expected = destinationSteps
      .map(({ actor }) => actor)
      .filter((name) => name !== 'initializeTd');
    expect(td.calls).toEqual(expected);
  });

  test('takes a key slot only where vCPUs need KVM_TDX_INIT_VM first, and gives it back', async () => {
    const td = await start({ type: 'td.receive' }, { initializesFirst: true });
    expect(td.calls).toContain('initializeTd');
    await td.send({ type: 'td.stop' });
    expect(td.calls.slice(-2)).toEqual(['terminateTd', 'releaseTd']);
  });

  test('without a key slot has nothing to terminate', async () => {
    const td = await start({ type: 'td.receive' });
    await td.send({ type: 'td.stop' });
    expect(td.calls.at(-1)).toBe('releaseTd');
    expect(td.calls).not.toContain('terminateTd');
  });

  test('that the TD has arrived in is a TD like any other, with its measurement', async () => {
    const td = await start({ type: 'td.receive' });
    await td.send({ type: 'td.arrived', mrtd: 'cd' });
    expect(td.actor.getSnapshot().context).toMatchObject({ mrtd: 'cd', holdsKeySlot: true });
    expect(await td.send({ type: 'td.resume' })).toBe('running');
  });

  test.each(destinationSteps.map(({ actor }) => actor))(
    'a failing %s releases what was made',
    async (name) => {
      const td = await start({ type: 'td.receive' }, { failing: [name], initializesFirst: true });
      expect(td.actor.getSnapshot().output).toMatchObject({ outcome: 'failed' });
      expect(td.calls.at(-1)).toBe('releaseTd');
    },
  );
});

describe('a source', () => {
  const handedOver: TdEvent[] = [
    { type: 'td.start' },
    { type: 'td.pause' },
    { type: 'td.handOver' },
  ];

  test('that is running is not handed over: its vCPUs are inside KVM_RUN', async () => {
    const td = await start(created);
    expect(await td.send({ type: 'td.start' }, { type: 'td.handOver' })).toBe('running');
  });

  test('in the hands of a migration can be neither resumed nor paused', async () => {
    const td = await start(created);
    await td.send(...handedOver);
    expect(await td.send({ type: 'td.resume' }, { type: 'td.pause' })).toBe('migratingOut');
  });

  test('that is kept is paused, as it was handed over', async () => {
    const td = await start(created);
    expect(await td.send(...handedOver, { type: 'td.keep' })).toBe('paused');
  });

  test('whose TD has moved away has no key slot, and terminates nothing', async () => {
    const td = await start(created);
    await td.send(...handedOver, { type: 'td.moved' });
    expect(td.actor.getSnapshot().context.holdsKeySlot).toBe(false);
    await td.send({ type: 'td.stop' });
    expect(td.calls).not.toContain('terminateTd');
    expect(td.state()).toBe('destroyed');
  });

  test('whose TD is lost ends failed, with the reason', async () => {
    const td = await start(created);
    await td.send(...handedOver, { type: 'td.lost', error: lost });
    expect(td.actor.getSnapshot().output).toMatchObject({ outcome: 'failed', error: lost });
  });
});

const anyEvent: fc.Arbitrary<TdEvent> = fc.constantFrom<TdEvent>(
  { type: 'td.create' },
  { type: 'td.receive' },
  { type: 'td.start' },
  { type: 'td.pause' },
  { type: 'td.resume' },
  { type: 'td.handOver' },
  { type: 'td.keep' },
  { type: 'td.moved' },
  { type: 'td.lost', error: lost },
  { type: 'td.arrived', mrtd: null },
);

propertyTest.prop([
  fc.array(anyEvent, { maxLength: 12 }),
  fc.subarray([
    'createVm',
    'createVcpus',
    'enterVcpus',
    'leaveVcpus',
    'terminateTd',
    'mirrorMemory',
  ]),
  fc.boolean(),
])('whatever was asked before, td.stop ends the TD', async (events, failing, initializesFirst) => {
  const td = await start({ type: 'td.create' }, { failing, initializesFirst });
  await td.send(...events, { type: 'td.stop' });
  expect(td.actor.getSnapshot().status).toBe('done');
  expect((await toPromise(td.actor)).outcome).toMatch(/destroyed|failed/);
});

propertyTest.prop([fc.array(anyEvent, { maxLength: 20 })])(
  'no event is ever a defect: unexpected ones change nothing',
  (events) => {
    const { provided } = machine();
    let snapshot = createActor(provided, { input: { name: 'td', vcpus: 1 } }).getSnapshot();
    for (const event of events) snapshot = getNextSnapshot(provided, snapshot, event);
    expect(snapshot.status).not.toBe('error');
  },
);
