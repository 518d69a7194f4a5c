/** The chart of a migration, played with effects that answer from a script. */
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { type MigrationOutput, migrationSteps } from '../../machines/intra-host-migration/index.ts';
import { stateId } from '../../machines/state-id.ts';
import type { StepError } from '../../machines/td-lifecycle/index.ts';
import { type MigrationScript, scriptedMigration } from './support/scripted.ts';

interface Script extends Omit<MigrationScript, 'leftovers'> {
  readonly wasRunning?: boolean;
  readonly leftovers?: boolean;
  /** Cancel as this state is entered. */
  readonly cancelAt?: string;
}

const leftover: StepError = { step: 'releasing', code: 'TDCTL_E_IOCTL', message: 'no' };

async function play(script: Script) {
  const leftovers = script.leftovers === true ? [leftover] : [];
  const { machine, calls } = scriptedMigration({ ...script, leftovers });
  const visited: string[] = [];
  const migration = createActor(machine, {
    input: { td: 'web', wasRunning: script.wasRunning ?? true },
  });
  migration.subscribe({
    next: ({ value }) => {
      const state = stateId(value).split('.').at(-1);
      if (visited.at(-1) === state) return;
      visited.push(String(state));
      if (state === script.cancelAt) migration.send({ type: 'migration.cancel' });
    },
    error: () => undefined,
  });
  migration.start();
  const output: MigrationOutput = await toPromise(migration);
  return { output, calls, visited };
}

const actors = migrationSteps.map(({ actor }) => actor);
const revocable = ['checking', 'preparingDestination', 'pausingSource', 'handingOver'];

describe('intra-host-migration', () => {
  test('walks its steps to completed', async () => {
    const { output, calls } = await play({});
    expect(calls).toEqual([
      'checkMigration',
      'prepareDestination',
      'pauseSource',
      'handOver',
      'readState',
      'writeState',
      'moveContext',
      'arrive',
      'restoreMemory',
      'enterDestination',
      'retireSource',
    ]);
    expect(output).toEqual({ td: 'web', verdict: 'completed', error: null, leftovers: [] });
  });

  test('a TD that did not run is neither paused nor entered', async () => {
    const { output, calls } = await play({ wasRunning: false });
    expect(calls).not.toContain('pauseSource');
    expect(calls).not.toContain('enterDestination');
    expect(output.verdict).toBe('completed');
    const kept = await play({ wasRunning: false, failing: ['handOver'] });
    expect(kept.calls).not.toContain('resumeSource');
    expect(kept.output.verdict).toBe('sourceKept');
  });

  test('a refused check makes nothing, so nothing is rolled back', async () => {
    const { output, calls } = await play({ failing: ['checkMigration'] });
    expect(calls).toEqual(['checkMigration']);
    expect(output).toMatchObject({ verdict: 'sourceKept', error: { step: 'checkMigration' } });
  });

  test.each(['prepareDestination', 'pauseSource', 'handOver', 'readState', 'writeState'])(
    'a failing %s is rolled back',
    async (name) => {
      const { output, calls } = await play({ failing: [name] });
      expect(calls.slice(-4)).toEqual([
        'takeDownDestination',
        'probeSource',
        'keepSource',
        'resumeSource',
      ]);
      expect(calls).not.toContain('moveContext');
      expect(output).toMatchObject({ verdict: 'sourceKept', error: { step: name } });
    },
  );

  test.each([
    ['source', 'sourceKept', 'resumeSource'],
    ['destination', 'completed', 'retireSource'],
    ['nobody', 'lost', 'clearUp'],
  ] as const)('after a refused move, %s has the TD: %s', async (owner, verdict, last) => {
    const { output, calls } = await play({ failing: ['moveContext'], owner });
    expect(calls).toContain('askSource');
    expect(calls.at(-1)).toBe(last);
    expect(output.verdict).toBe(verdict);
  });

  test.each(['restoreMemory', 'enterDestination'])(
    'a destination that has the TD and does not run it, for %s fails, keeps it and is tried once',
    async (name) => {
      const { output, calls } = await play({ failing: [name], owner: 'destination' });
      expect(calls.filter((call) => call === name)).toHaveLength(1);
      expect(output).toMatchObject({ verdict: 'destinationOnly', error: { step: name } });
    },
  );

  test('a destination that does not hear that the TD is there is told twice', async () => {
    const { output, calls } = await play({ failing: ['arrive'], owner: 'destination' });
    expect(calls.filter((call) => call === 'arrive')).toHaveLength(2);
    expect(output.verdict).toBe('destinationOnly');
  });

  test.each(['askSource', 'askDestination'])(
    'not knowing who has it, for %s fails, the source is looked at again before anything is given up',
    async (name) => {
      const { calls } = await play({ failing: ['moveContext', name] });
      expect(calls.slice(calls.indexOf(name) + 1, -2)).toEqual([
        'takeDownDestination',
        'probeSource',
      ]);
    },
  );

  test('a source that is dead when it shall go on is cleared up: lost', async () => {
    const { output, calls } = await play({ failing: ['handOver'], sourceLives: false });
    expect(calls.slice(-2)).toEqual(['probeSource', 'clearUp']);
    expect(output.verdict).toBe('lost');
  });

  test('a source that somebody has stopped meanwhile is let go, and not entered again', async () => {
    const { output, calls } = await play({
      failing: ['moveContext'],
      owner: 'source',
      stopped: true,
    });
    expect(calls.at(-1)).toBe('keepSource');
    expect(output.verdict).toBe('sourceKept');
  });

  test('what cannot be given back makes completed destinationOnly', async () => {
    const { output } = await play({ leftovers: true });
    expect(output).toMatchObject({ verdict: 'destinationOnly', leftovers: [leftover] });
  });

  test.each(revocable)('cancelled in %s, the source is kept', async (cancelAt) => {
    const { output, calls } = await play({ cancelAt });
    expect(calls).not.toContain('moveContext');
    expect(output).toMatchObject({
      verdict: 'sourceKept',
      error: { code: 'TDCTL_E_INTERRUPTED' },
    });
  });

  test.each(['moving', 'arriving', 'enteringDestination', 'retiringSource'])(
    'after the point of no return, in %s, cancelling changes nothing',
    async (cancelAt) => {
      const { output, visited } = await play({ cancelAt });
      expect(visited).toContain(cancelAt);
      expect(output.verdict).toBe('completed');
    },
  );
});

propertyTest.prop([
  fc.record({
    wasRunning: fc.boolean(),
    failing: fc.subarray(actors),
    owner: fc.constantFrom('source', 'destination', 'nobody'),
    sourceLives: fc.boolean(),
    stopped: fc.boolean(),
    leftovers: fc.boolean(),
    cancelAt: fc.constantFrom('never', ...migrationSteps.map(({ state }) => state)),
  }),
])(
  'whatever fails, it ends in one verdict, and calls a TD lost only where nobody has it',
  async (script) => {
    const { output, calls } = await play(script);
    expect(output.verdict).toMatch(/^(completed|sourceKept|destinationOnly|lost)$/);
    if (output.verdict === 'lost') expect(calls).toContain('clearUp');
    // The one ioctl that cannot be taken back is made once at the most.
    expect(calls.filter((name) => name === 'moveContext').length).toBeLessThanOrEqual(1);
    if (output.verdict === 'completed') expect(calls).toContain('retireSource');
  },
);
