/** A chart can be put down in any state, as JSON, and taken up again where it was. */
import { expect, test } from 'vitest';
import { type Actor, type AnyStateMachine, createActor, type Snapshot, toPromise } from 'xstate';
import { stateId } from '../../machines/state-id.ts';
import type { TdEvent } from '../../machines/td-lifecycle/index.ts';
import { type MigrationScript, scriptedMigration, scriptedTd } from './support/scripted.ts';

/** Plays a chart to its end, and keeps its snapshot in each state as text. */
async function playAndPersist<Machine extends AnyStateMachine>(
  actor: Actor<Machine>,
  onState: (state: string) => void,
) {
  const kept = new Map<string, string>();
  const chart: Actor<AnyStateMachine> = actor;
  chart.subscribe(({ value }) => {
    const state = stateId(value);
    if (kept.has(state)) return;
    kept.set(state, JSON.stringify(actor.getPersistedSnapshot()));
    onState(state);
  });
  actor.start();
  return { output: await toPromise(actor), kept };
}

/** What a TD is told in each state, so that it goes on; `from` is where its life begins. */
const lives: Record<string, Readonly<Record<string, TdEvent['type']>>> = {
  'a TD that is built, runs and moves away': {
    absent: 'td.create',
    runnable: 'td.start',
    running: 'td.pause',
    paused: 'td.handOver',
    'migratingOut.handedOver': 'td.moved',
    movedAway: 'td.stop',
  },
  'a TD that is stopped under a move': {
    absent: 'td.create',
    runnable: 'td.handOver',
    'migratingOut.handedOver': 'td.stop',
    'migratingOut.stopRequested': 'td.keep',
  },
  'a destination that is not needed': { absent: 'td.receive', receiving: 'td.stop' },
  'a TD that is stopped while it is built': {
    absent: 'td.create',
    'provisioning.creatingVcpus': 'td.stop',
  },
  'a TD that is stopped as it runs': {
    absent: 'td.create',
    runnable: 'td.start',
    running: 'td.stop',
  },
};

test.each(Object.entries(lives))('td-lifecycle: %s', async (_, told) => {
  const live = (snapshot?: Snapshot<unknown>) => {
    const { machine } = scriptedTd();
    const input = { name: 'web', vcpus: 4, initializesFirst: true };
    const actor = createActor(machine, snapshot === undefined ? { input } : { input, snapshot });
    return playAndPersist(actor, (state) => {
      const type = told[state];
      // Not while the snapshot is being told.
      if (type !== undefined) queueMicrotask(() => actor.send({ type } as TdEvent));
    });
  };
  const { output, kept } = await live();
  expect(kept.size).toBeGreaterThan(5);
  for (const [state, text] of kept) {
    const again = await live(JSON.parse(text));
    expect([...again.kept.keys()], state).toEqual(
      [...kept.keys()].slice([...kept.keys()].indexOf(state)),
    );
    expect(again.output, state).toEqual(output);
  }
});

const moves: Record<string, MigrationScript> = {
  'that goes well': {},
  'that is refused, and the source has the TD': { failing: ['moveContext'], owner: 'source' },
  'that is refused, and nobody has the TD': { failing: ['moveContext'] },
  'after which the TD does not run': { failing: ['enterDestination'], owner: 'destination' },
};

test.each(Object.entries(moves))('intra-host-migration: a move %s', async (_, script) => {
  const play = (snapshot?: Snapshot<unknown>) => {
    const { machine } = scriptedMigration(script);
    const input = { td: 'web', wasRunning: true };
    const actor = createActor(machine, snapshot === undefined ? { input } : { input, snapshot });
    return playAndPersist(actor, () => undefined);
  };
  const { output, kept } = await play();
  expect(kept.size).toBeGreaterThan(8);
  for (const [state, text] of kept) {
    const again = await play(JSON.parse(text));
    expect(again.output, state).toEqual(output);
  }
});
