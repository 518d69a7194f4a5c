/** A TD that runs, pauses and moves: the states around KVM_RUN and around a migration. */
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createActor, getNextSnapshot, toPromise } from 'xstate';
import { destinationSteps, type TdEvent } from '../../machines/td-lifecycle/index.ts';
import { scriptedTd } from './support/scripted.ts';

const lost = { step: 'moving', code: 'TDCTL_E_TD_LOST', message: 'lost' } as const;

/** As many turns as a chart can have steps in a row. */
async function settle() {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function start(
  event: TdEvent,
  options: { initializesFirst?: boolean; failing?: string[] } = {},
) {
  const { machine, calls } = scriptedTd(options.failing);
  const actor = createActor(machine, {
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
    await td.send({ type: 'td.arrived', mrtd: 'cd', hasRun: true });
    expect(td.actor.getSnapshot().context).toMatchObject({ mrtd: 'cd', holdsKeySlot: true });
    expect(await td.send({ type: 'td.resume' })).toBe('running');
  });

  test('that a TD has arrived in which never ran has it to be started', async () => {
    const td = await start({ type: 'td.receive' });
    expect(await td.send({ type: 'td.arrived', mrtd: 'cd', hasRun: false })).toBe('runnable');
    expect(td.actor.getSnapshot().context).toMatchObject({ mrtd: 'cd', holdsKeySlot: true });
    expect(await td.send({ type: 'td.start' })).toBe('running');
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
    expect(await td.send({ type: 'td.resume' }, { type: 'td.pause' })).toEqual({
      migratingOut: 'handedOver',
    });
  });

  test.each([
    [handedOver, true, 'paused'],
    [handedOver.slice(-1), false, 'runnable'],
  ] as const)('that is kept is as it was handed over: %#', async (events, hasRun, state) => {
    const td = await start(created);
    expect(await td.send(...events, { type: 'td.keep', hasRun })).toBe(state);
  });

  test('whose TD has moved away has no key slot, and terminates nothing', async () => {
    const td = await start(created);
    await td.send(...handedOver, { type: 'td.moved' });
    expect(td.actor.getSnapshot().context.holdsKeySlot).toBe(false);
    await td.send({ type: 'td.stop' });
    expect(td.calls).not.toContain('terminateTd');
    expect(td.state()).toBe('destroyed');
  });

  test.each([
    [{ type: 'td.keep', hasRun: true }, ['terminateTd', 'releaseTd']],
    [{ type: 'td.moved' }, ['releaseTd']],
    [{ type: 'td.lost', error: lost }, ['releaseTd']],
  ] as const)(
    'that is stopped under a move is taken down only when the migration lets go: $type',
    async (lettingGo, teardown) => {
      const td = await start(created);
      await td.send(...handedOver);
      const before = [...td.calls];
      expect(await td.send({ type: 'td.stop' }, { type: 'td.stop' })).toEqual({
        migratingOut: 'stopRequested',
      });
      expect(td.calls).toEqual(before);
      await td.send(lettingGo);
      expect(td.calls.slice(before.length)).toEqual(teardown);
      expect(td.actor.getSnapshot().status).toBe('done');
    },
  );

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
  { type: 'td.keep', hasRun: true },
  { type: 'td.keep', hasRun: false },
  { type: 'td.moved' },
  { type: 'td.lost', error: lost },
  { type: 'td.arrived', mrtd: null, hasRun: true },
  { type: 'td.arrived', mrtd: null, hasRun: false },
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
])(
  'whatever was asked before, td.stop ends the TD, under a move once it lets go',
  async (events, failing, initializesFirst) => {
    const td = await start({ type: 'td.create' }, { failing, initializesFirst });
    await td.send(...events, { type: 'td.stop' });
    if (td.actor.getSnapshot().matches('migratingOut'))
      await td.send({ type: 'td.keep', hasRun: true });
    expect(td.actor.getSnapshot().status).toBe('done');
    expect((await toPromise(td.actor)).outcome).toMatch(/destroyed|failed/);
  },
);

propertyTest.prop([fc.array(anyEvent, { maxLength: 20 })])(
  'no event is ever a defect: unexpected ones change nothing',
  (events) => {
    const { machine } = scriptedTd();
    let snapshot = createActor(machine, { input: { name: 'td', vcpus: 1 } }).getSnapshot();
    for (const event of events) snapshot = getNextSnapshot(machine, snapshot, event);
    expect(snapshot.status).not.toBe('error');
  },
);
