/** The chart of a TD that a VMM makes: every way leads to an end, and a reboot only through nothing. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createActor, fromPromise, toPromise } from 'xstate';
import { stateId } from '../../machines/state-id.ts';
import {
  type FoundVmm,
  type VmmReleased,
  type VmmSettled,
  type VmmTdEvent,
  vmmTd,
  type Watched,
} from '../../machines/vmm-td/index.ts';

interface Script {
  /** Actors that fail each time. */
  readonly failing?: readonly string[];
  /** Of each time that the guest is watched as it runs: how it ends; the last one never. */
  readonly ends?: readonly ('powerOff' | 'reset')[];
  readonly leftovers?: boolean;
  readonly restarts?: boolean;
}

const never = new Promise<Watched>(() => undefined);

function scripted({ failing = [], ends = [], leftovers = false, restarts = true }: Script) {
  const done: string[] = [];
  const left = [...ends];
  const actor = <Output>(name: string, output: () => Output | Promise<Output>) =>
    fromPromise<Output>(async () => {
      done.push(name);
      if (failing.includes(name)) throw { step: name, code: 'TDCTL_E_VMM', message: name };
      return output();
    });
  const nothing = (name: string) => actor<void>(name, () => undefined);
  const machine = vmmTd.provide({
    actors: {
      launchVmm: nothing('launchVmm'),
      connectVmm: nothing('connectVmm'),
      buildTd: nothing('buildTd'),
      watchRunnable: actor('watchRunnable', () => never),
      enterVcpus: nothing('enterVcpus'),
      watchRunning: actor('watchRunning', () => {
        const end = left.shift();
        return end === undefined ? never : { asksForReset: end === 'reset' };
      }),
      leaveVcpus: nothing('leaveVcpus'),
      watchPaused: actor('watchPaused', () => never),
      quitVmm: nothing('quitVmm'),
      settleStep: actor<VmmSettled>('settleStep', () => ({ holdsKeySlot: true })),
      killVmm: nothing('killVmm'),
      releaseVmm: actor<VmmReleased>('releaseVmm', async () => {
        // To see that the slot is free takes its time, in which a stop may come.
        await new Promise((resolve) => setImmediate(resolve));
        const left = { step: 'releasing', code: 'TDCTL_E_STUCK', message: 'left' } as const;
        return { leftovers: leftovers ? [left] : [] };
      }),
    },
  });
  const chart = createActor(machine, { input: { name: 'web', restarts } });
  const states: string[] = [];
  chart.subscribe(({ value }) => {
    const state = stateId(value);
    if (states.at(-1) !== state) states.push(state);
  });
  chart.start();
  return { chart, states, done };
}

type Chart = ReturnType<typeof scripted>['chart'];

/** Tells the chart something each time that it comes into a state. */
function told(chart: Chart, answers: Readonly<Record<string, VmmTdEvent['type'][]>>): void {
  let before = '';
  const tell = ({ value }: { value: Parameters<typeof stateId>[0] }) => {
    const state = stateId(value);
    if (state === before) return;
    before = state;
    const type = answers[state]?.shift();
    if (type !== undefined) queueMicrotask(() => chart.send({ type } as VmmTdEvent));
  };
  chart.subscribe(tell as Parameters<Chart['subscribe']>[0]);
}

const built = [
  'absent',
  'provisioning.creatingVm',
  'provisioning.connecting',
  'provisioning.initializingTd',
];
const down = ['stopping', 'terminating', 'releasing'];

test('a TD is built, runs, is paused, goes on, and is stopped', async () => {
  const { chart, states } = scripted({});
  told(chart, {
    runnable: ['td.start'],
    running: ['td.pause', 'td.stop'],
    paused: ['td.resume'],
  });
  chart.send({ type: 'td.create' });
  expect(await toPromise(chart)).toMatchObject({ outcome: 'destroyed', error: null });
  const ran = ['runnable', 'entering', 'running', 'pausing', 'paused', 'entering', 'running'];
  expect(states).toEqual([...built, ...ran, ...down, 'destroyed']);
});

test('a reset is a whole teardown and a new TD that runs at once; a power-off is the end', async () => {
  const { chart, states, done } = scripted({ ends: ['reset', 'powerOff'] });
  told(chart, { runnable: ['td.start'] });
  chart.send({ type: 'td.create' });
  expect(await toPromise(chart)).toMatchObject({ outcome: 'destroyed' });
  const again = [...built.slice(1), 'entering', 'running'];
  expect(states).toEqual([
    ...[...built, 'runnable', 'entering', 'running', ...down],
    ...[...again, ...down, 'destroyed'],
  ]);
  expect(done.filter((name) => name === 'releaseVmm')).toHaveLength(2);
  expect(chart.getSnapshot().context.holdsKeySlot).toBe(false);
});

test.each([
  ['where the policy is another', { restarts: false }, 'destroyed'],
  ['where the one before is not gone', { leftovers: true }, 'stuck'],
  ['where the one before could not be killed', { failing: ['killVmm'] }, 'stuck'],
])('no TD comes after a reset %s', async (_, script, outcome) => {
  const { chart, done } = scripted({ ...script, ends: ['reset'] });
  told(chart, { runnable: ['td.start'] });
  chart.send({ type: 'td.create' });
  expect(await toPromise(chart)).toMatchObject({ outcome });
  expect(done.filter((name) => name === 'launchVmm')).toHaveLength(1);
});

test.each(down)('a stop in %s keeps a TD from coming back', async (state) => {
  const { chart, done } = scripted({ ends: ['reset'] });
  told(chart, { runnable: ['td.start'], [state]: ['td.stop'] });
  chart.send({ type: 'td.create' });
  expect(await toPromise(chart)).toMatchObject({ outcome: 'destroyed' });
  expect(done.filter((name) => name === 'launchVmm')).toHaveLength(1);
});

test.each([
  ['enterVcpus', 'paused'],
  ['leaveVcpus', 'running'],
])('a VMM that does not do %s has its TD still, which is %s', async (failing, state) => {
  const { chart } = scripted({ failing: [failing] });
  told(chart, { runnable: ['td.start'], running: ['td.pause'] });
  chart.send({ type: 'td.create' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(stateId(chart.getSnapshot().value)).toBe(state);
  expect(chart.getSnapshot().context.error).toBeNull();
  chart.send({ type: 'td.stop' });
  expect(await toPromise(chart)).toMatchObject({ outcome: 'destroyed' });
});

test.each<[FoundVmm, string]>([
  ['unbuilt', 'provisioning.initializingTd'],
  ['built', 'runnable'],
  ['running', 'running'],
  ['paused', 'paused'],
  ['ending', 'stopping'],
])('a VMM that is found %s is gone on with in %s', async (found, state) => {
  const { chart, states, done } = scripted({});
  chart.send({ type: 'td.adopt', found });
  expect(states[1]).toBe(state);
  expect(chart.getSnapshot().context.holdsKeySlot).toBe(found !== 'unbuilt');
  expect(done).not.toContain('launchVmm');
  chart.send({ type: 'td.stop' });
  expect(await toPromise(chart)).toMatchObject({ outcome: 'destroyed' });
});

const requests: readonly VmmTdEvent['type'][] = [
  ...(['td.start', 'td.pause', 'td.resume', 'vmm.stopped', 'vmm.resumed', 'td.create'] as const),
];
const names = ['launchVmm', 'connectVmm', 'buildTd', 'enterVcpus', 'leaveVcpus', 'quitVmm'];

test('whatever fails and whatever is asked, a stop ends it, and all is given back once a VMM', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.subarray(names),
      fc.array(fc.constantFrom(...requests), { maxLength: 8 }),
      fc.array(fc.constantFrom('reset' as const, 'powerOff' as const), { maxLength: 2 }),
      async (failing, asked, ends) => {
        const { chart, done } = scripted({ failing, ends });
        chart.send({ type: 'td.create' });
        for (const type of asked) {
          await new Promise((resolve) => setImmediate(resolve));
          if (chart.getSnapshot().status === 'active') chart.send({ type } as VmmTdEvent);
        }
        if (chart.getSnapshot().status === 'active') chart.send({ type: 'td.stop' });
        const { outcome, error } = await toPromise(chart);
        expect(outcome).toBe(error === null ? 'destroyed' : 'failed');
        const times = (name: string) => done.filter((each) => each === name).length;
        expect(times('releaseVmm')).toBe(times('launchVmm'));
        expect(chart.getSnapshot().context.holdsKeySlot).toBe(false);
      },
    ),
    { numRuns: 200 },
  );
});
