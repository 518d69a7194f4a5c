/** The chart of a migration, played with effects that answer from a script. */
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createActor, fromPromise, toPromise } from 'xstate';
import {
  type GivenBack,
  intraHostMigration,
  type MigrationOutput,
  migrationSteps,
  type OwnerFound,
  type RolledBack,
} from '../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../machines/td-lifecycle/index.ts';

interface Script {
  /** Actors that fail; `resumeDestination` each time, the others once. */
  readonly failing?: readonly string[];
  readonly owner?: OwnerFound['owner'];
  readonly sourceKept?: boolean;
  readonly leftovers?: boolean;
  /** Cancel as this state is entered. */
  readonly cancelAt?: string;
}

const leftover: StepError = { step: 'releasing', code: 'TDCTL_E_IOCTL', message: 'no' };

async function play(script: Script) {
  const calls: string[] = [];
  const visited: string[] = [];
  const leftovers: readonly StepError[] = script.leftovers === true ? [leftover] : [];
  const actor = <Output>(name: string, output: Output) =>
    fromPromise<Output>(async () => {
      calls.push(name);
      await new Promise((resolve) => setImmediate(resolve));
      if (script.failing?.includes(name))
        throw { step: name, code: 'TDCTL_E_IOCTL', message: name };
      return output;
    });
  const machine = intraHostMigration.provide({
    actors: {
      checkMigration: actor<void>('checkMigration', undefined),
      prepareDestination: actor<void>('prepareDestination', undefined),
      quiesceSource: actor<void>('quiesceSource', undefined),
      rollBack: actor<RolledBack>('rollBack', { sourceKept: script.sourceKept ?? true, leftovers }),
      moveContext: actor<void>('moveContext', undefined),
      findOwner: actor<OwnerFound>('findOwner', { owner: script.owner ?? 'nobody' }),
      resumeDestination: actor<void>('resumeDestination', undefined),
      retireSource: actor<GivenBack>('retireSource', { leftovers }),
      clearUp: actor<GivenBack>('clearUp', { leftovers }),
    },
  });
  const migration = createActor(machine, { input: { td: 'web' } });
  migration.subscribe({
    next: ({ value }) => {
      const state = typeof value === 'string' ? value : Object.values(value)[0];
      if (visited.at(-1) === state) return;
      visited.push(String(state));
      if (state === script.cancelAt) migration.send({ type: 'migration.cancel' });
    },
    error: () => undefined,
  });
  migration.start();
  if (script.cancelAt === 'checking' && !visited.includes('checking'))
    migration.send({ type: 'migration.cancel' });
  const output: MigrationOutput = await toPromise(migration);
  return { output, calls, visited };
}

const actors = migrationSteps.map(({ actor }) => actor);
const revocable = ['checking', 'preparingDestination', 'quiescingSource'];

describe('intra-host-migration', () => {
  test('walks its steps to completed', async () => {
    const { output, calls } = await play({});
    expect(calls).toEqual([
      'checkMigration',
      'prepareDestination',
      'quiesceSource',
      'moveContext',
      'resumeDestination',
      'retireSource',
    ]);
    expect(output).toEqual({ td: 'web', verdict: 'completed', error: null, leftovers: [] });
  });

  test('a refused check makes nothing, so nothing is rolled back', async () => {
    const { output, calls } = await play({ failing: ['checkMigration'] });
    expect(calls).toEqual(['checkMigration']);
    expect(output).toMatchObject({ verdict: 'sourceKept', error: { step: 'checkMigration' } });
  });

  test.each(['prepareDestination', 'quiesceSource'])(
    'a failing %s is rolled back',
    async (name) => {
      const { output, calls } = await play({ failing: [name] });
      expect(calls.at(-1)).toBe('rollBack');
      expect(calls).not.toContain('moveContext');
      expect(output).toMatchObject({ verdict: 'sourceKept', error: { step: name } });
    },
  );

  test.each([
    ['source', 'sourceKept', 'rollBack'],
    ['destination', 'completed', 'retireSource'],
    ['nobody', 'lost', 'clearUp'],
  ] as const)('after a refused move, %s has the TD: %s', async (owner, verdict, last) => {
    const { output, calls } = await play({ failing: ['moveContext'], owner });
    expect(calls).toContain('findOwner');
    expect(calls.at(-1)).toBe(last);
    expect(output.verdict).toBe(verdict);
  });

  test('a destination that has the TD and does not run it keeps it, and is tried once', async () => {
    const { output, calls } = await play({ failing: ['resumeDestination'], owner: 'destination' });
    expect(calls.filter((name) => name === 'resumeDestination')).toHaveLength(1);
    expect(output).toMatchObject({
      verdict: 'destinationOnly',
      error: { step: 'resumeDestination' },
    });
  });

  test('not knowing who has it, the source is looked at again before anything is given up', async () => {
    const { calls } = await play({ failing: ['moveContext', 'findOwner'] });
    expect(calls.slice(-2)).toEqual(['findOwner', 'rollBack']);
  });

  test('a source that is dead when it shall go on is cleared up: lost', async () => {
    const { output, calls } = await play({ failing: ['quiesceSource'], sourceKept: false });
    expect(calls.slice(-2)).toEqual(['rollBack', 'clearUp']);
    expect(output.verdict).toBe('lost');
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

  test.each(['moving', 'resumingDestination', 'retiringSource'])(
    'after the point of no return, in %s, cancelling changes nothing',
    async (cancelAt) => {
      const { output, visited } = await play({ cancelAt });
      expect(visited).toContain(cancelAt);
      expect(output.verdict).toBe('completed');
    },
  );
});

propertyTest.prop([
  fc.subarray(actors),
  fc.constantFrom<OwnerFound['owner']>('source', 'destination', 'nobody'),
  fc.boolean(),
  fc.boolean(),
  fc.option(fc.constantFrom(...migrationSteps.map(({ state }) => state)), { nil: undefined }),
])(
  'whatever fails, it ends in one verdict, and calls a TD lost only where nobody has it',
  async (failing, owner, sourceKept, leftovers, cancelAt) => {
    const { output, calls } = await play({
      failing,
      owner,
      sourceKept,
      leftovers,
      ...(cancelAt === undefined ? {} : { cancelAt }),
    });
    expect(output.verdict).toMatch(/^(completed|sourceKept|destinationOnly|lost)$/);
    if (output.verdict === 'lost') expect(calls).toContain('clearUp');
    // The one ioctl that cannot be taken back is made once at the most.
    expect(calls.filter((name) => name === 'moveContext').length).toBeLessThanOrEqual(1);
    if (output.verdict === 'completed') expect(calls).toContain('retireSource');
  },
);
