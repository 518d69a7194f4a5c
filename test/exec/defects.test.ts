/** A defect of our own ends the run, and says so: the program is ended, its TDs are released, nothing hangs. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import {
  type CallListener,
  defaultRunScript,
  execute as executeHere,
  ScriptedGuest,
} from '../../src/exec/index.ts';
import { openSimulatedMachine } from '../../src/host/simulated/index.ts';
import type { SimulatedMachine } from '../../src/simulator/index.ts';
import { tdctl } from '../support/tdctl.ts';
import { program, requireSupervision, scratch } from './programs.ts';

const defect = new Error('broken');

const throwAt = (nth: number) => {
  let calls = 0;
  return () => {
    calls += 1;
    if (calls === nth) throw defect;
  };
};

/** The machine, with one of its methods broken. */
function broken(
  machine: SimulatedMachine,
  name: 'open' | 'call' | 'run' | 'release',
  breaks: () => unknown,
): SimulatedMachine {
  return new Proxy(machine, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) =>
        (key === name ? breaks() : undefined) ?? Reflect.apply(member, target, args);
    },
  });
}

async function fail(
  context: TestContext,
  {
    on = {},
    breaking = (machine) => machine,
  }: {
    readonly on?: Partial<CallListener>;
    readonly breaking?: (machine: SimulatedMachine) => SimulatedMachine;
  },
) {
  requireSupervision(context);
  const native = loadAddon();
  if (!native.available) return context.skip('the native addon is not built');
  const machine = openSimulatedMachine({ guest: new ScriptedGuest(defaultRunScript) });
  const running = executeHere({
    command: [program(context, 'td')],
    machine: breaking(machine),
    supervisor: native.addon.Supervisor,
    hears: 'all',
    listener: { opened: () => {}, called: () => {}, unserved: () => {}, closed: () => {}, ...on },
  });
  const [exit, failure] = await Promise.all([running.exited, running.ended]);
  return { exit, failure, machine, open: running.openFiles() };
}

const killed = { how: 'signal', status: 9, signal: 'SIGKILL' };

describe('what throws is told, and the program is ended', () => {
  test.for([1, 2, 9, 20])('the listener, at call %i', async (nth, context) => {
    const { exit, failure, machine, open } = await fail(context, { on: { called: throwAt(nth) } });
    expect(failure?.error).toBe(defect);
    expect(exit).toEqual(killed);
    expect(open).toEqual([]);
    expect(machine.keySlots.used).toBe(0);
  });

  test('the listener, at an open', async (context) => {
    const { exit, failure } = await fail(context, { on: { opened: throwAt(1) } });
    expect(failure?.error).toBe(defect);
    expect(exit).toEqual(killed);
  });

  test('the listener, at a close', async (context) => {
    const { failure, open } = await fail(context, { on: { closed: throwAt(1) } });
    expect(failure?.error).toBe(defect);
    expect(open).toEqual([]);
  });

  test('the listener, once KVM_RUN has come back', async (context) => {
    const called: CallListener['called'] = ({ request }) => {
      if (request.request === 'KVM_RUN') throw defect;
    };
    const { exit, failure, machine } = await fail(context, { on: { called } });
    expect(failure?.error).toBe(defect);
    expect(exit).toEqual(killed);
    expect(machine.keySlots.used).toBe(0);
  });

  test.for(['open', 'call', 'run'] as const)('the machine, in %s()', async (name, context) => {
    const breaking = (machine: SimulatedMachine) => broken(machine, name, throwAt(1));
    const { exit, failure } = await fail(context, { breaking });
    expect(failure?.error).toBe(defect);
    expect(exit).not.toEqual({ how: 'code', status: 0 });
  });

  test('the machine, while KVM_RUN waits', async (context) => {
    const breaking = (machine: SimulatedMachine) =>
      broken(machine, 'run', () => ({ answer: Promise.reject(defect), cancel: () => {} }));
    const { exit, failure } = await fail(context, { breaking });
    expect(failure?.error).toBe(defect);
    expect(exit).not.toEqual({ how: 'code', status: 0 });
  });

  test('the machine, in release(): the rest is released', async (context) => {
    const breaking = (machine: SimulatedMachine) => broken(machine, 'release', throwAt(1));
    const { failure, open } = await fail(context, { breaking });
    expect(failure?.error).toBe(defect);
    expect(open).toEqual([]);
  });
});

test('tdctl exec reports it, and writes the summary and the trace as far as they are', async (context) => {
  // A call looks at the clock before it is decoded.
  const code = `
    const { now } = performance;
    let calls = 0;
    performance.now = () => {
      if (/trapped-call/.test(new Error().stack) && ++calls === 30) throw new Error('broken');
      return now.call(performance);
    };`;
  const [summary, trace] = [join(scratch, 'defect.json'), join(scratch, 'defect.trace')];
  const outlives = `sleep 1000000 & ${program(context, 'td')}`;
  const { exitCode, stderr } = await tdctl(
    ['exec', '--summary', summary, '--trace', trace, '--', 'sh', '-c', outlives],
    { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` } },
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain('[TDCTL_E_INTERNAL]\nError: broken\n');
  expect(stderr).toMatch(/src\/exec\/trapped-call\.ts:\d+/);
  expect(existsSync(summary)).toBe(true);
  expect(JSON.parse(readFileSync(summary, 'utf8'))).toMatchObject({
    vms: [{ name: 'vm#1', type: 'td' }],
    keySlots: { used: 0 },
    stillOpen: [],
    exit: killed,
  });
  const lines = readFileSync(trace, 'utf8').trimEnd().split('\n');
  expect(lines).toContain('-- last close of vm#1');
  expect(lines.at(-1)).toBe('# end: signal=SIGKILL');
});
