import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createActor, fromPromise, toPromise } from 'xstate';
import {
  bindingLimit,
  type Finalized,
  type Released,
  type StepError,
  tdLifecycle,
  tdSteps,
  type VcpuLimits,
} from '../../machines/td-lifecycle/index.ts';

const roomy: VcpuLimits = { module: 576, presentCpus: 224, kvm: 1024, perVm: 224 };

type Answer = 'ok' | 'fails';

interface Script {
  /** By actor; everything else succeeds. */
  readonly answers?: Partial<Record<string, Answer>>;
  readonly limits?: VcpuLimits;
  readonly released?: Released;
  readonly vcpus?: number;
  /** Send td.stop when this state is entered; it is always sent once the TD is runnable. */
  readonly stopAt?: string;
}

/** The chart with actors that answer from a script and note that they ran. */
function play(script: Script) {
  const calls: string[] = [];
  const visited: string[] = [];
  const actor = <Output>(name: string, output: () => Output) =>
    fromPromise<Output>(async ({ signal }) => {
      calls.push(name);
      await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted) throw new Error('interrupted');
      const error: StepError = { step: name, code: 'TDCTL_E_IOCTL', message: `${name} failed` };
      if (script.answers?.[name] === 'fails') throw error;
      return output();
    });
  const machine = tdLifecycle.provide({
    actors: {
      createVm: actor<void>('createVm', () => undefined),
      readLimits: actor('readLimits', () => ({ limits: script.limits ?? roomy })),
      capVcpus: actor<void>('capVcpus', () => undefined),
      initializeTd: actor<void>('initializeTd', () => undefined),
      createVcpus: actor<void>('createVcpus', () => undefined),
      initializeVcpus: actor<void>('initializeVcpus', () => undefined),
      addMemory: actor<void>('addMemory', () => undefined),
      finalizeTd: actor<Finalized>('finalizeTd', () => ({ mrtd: 'ab'.repeat(48) })),
      settleStep: actor('settleStep', () => ({ holdsKeySlot: calls.includes('initializeTd') })),
      terminateTd: actor<void>('terminateTd', () => undefined),
      releaseTd: actor('releaseTd', () => script.released ?? { leftovers: [] }),
    },
  });
  const td = createActor(machine, { input: { name: 'td', vcpus: script.vcpus ?? 4 } });
  td.subscribe({
    next: (snapshot) => {
      const state = stateName(snapshot.value);
      if (visited.at(-1) === state) return;
      visited.push(state);
      if (state === script.stopAt || state === 'runnable') td.send({ type: 'td.stop' });
    },
    error: () => undefined,
  });
  td.start();
  td.send({ type: 'td.create' });
  return toPromise(td).then((output) => ({ output, calls, visited }));
}

function stateName(value: unknown): string {
  return typeof value === 'string' ? value : String(Object.values(value ?? {})[0]);
}

const steps = tdSteps.map((step) => step.state);
const actors = tdSteps.map((step) => step.actor);

describe('td-lifecycle', () => {
  test('walks the steps in the order of the table and ends destroyed', async () => {
    const { output, visited } = await play({});
    expect(visited).toEqual([
      'absent',
      ...steps,
      'runnable',
      'terminating',
      'releasing',
      'destroyed',
    ]);
    expect(output).toEqual({ name: 'td', outcome: 'destroyed', error: null, leftovers: [] });
  });

  test('more vCPUs than the smallest limit never reach the kernel', async () => {
    const { output, calls } = await play({
      vcpus: 225,
      limits: { module: 576, presentCpus: 224, kvm: 1024, perVm: 224 },
    });
    expect(calls).toEqual(['createVm', 'readLimits', 'releaseTd']);
    expect(output.outcome).toBe('failed');
    expect(output.error).toMatchObject({
      code: 'TDCTL_E_VCPU_LIMIT',
      message: '225 vCPUs asked for, 224 possible: the logical CPUs present in the host binds',
    });
  });

  test('exactly the smallest limit is accepted', async () => {
    const { output } = await play({ vcpus: 224 });
    expect(output.outcome).toBe('destroyed');
  });

  test.each(actors)(
    'a failing %s ends failed, with its error and everything released',
    async (name) => {
      const { output, calls } = await play({ answers: { [name]: 'fails' } });
      expect(output.outcome).toBe('failed');
      expect(output.error).toMatchObject({ message: `${name} failed` });
      expect(calls.at(-1)).toBe('releaseTd');
    },
  );

  test('KVM_TDX_TERMINATE_VM is asked for only where a key slot is held', async () => {
    const before = await play({ answers: { capVcpus: 'fails' } });
    const after = await play({ answers: { createVcpus: 'fails' } });
    expect(before.calls).not.toContain('terminateTd');
    expect(after.calls).toContain('terminateTd');
  });

  test.each(steps)('a stop during %s waits for the step, then releases', async (stopAt) => {
    const { output, calls, visited } = await play({ stopAt });
    expect(visited).toContain('interrupting');
    expect(calls.at(-1)).toBe('releaseTd');
    // INIT_VM under way when the stop came has taken its key slot by the time it has come to rest.
    expect(calls.includes('terminateTd')).toBe(calls.includes('initializeTd'));
    expect(output).toMatchObject({ outcome: 'destroyed', error: null });
  });

  test('a stop before anything exists ends destroyed without touching the host', async () => {
    const actor = createActor(tdLifecycle, { input: { name: 'td', vcpus: 1 } });
    actor.start();
    actor.send({ type: 'td.stop' });
    expect(await toPromise(actor)).toMatchObject({ outcome: 'destroyed' });
  });

  test('what cannot be given back makes the TD stuck, not failed', async () => {
    const leftover: StepError = { step: 'releasing', code: 'TDCTL_E_IOCTL', message: 'no' };
    const { output } = await play({ released: { leftovers: [leftover] } });
    expect(output).toMatchObject({ outcome: 'stuck', leftovers: [leftover] });
  });

  test('a release that throws makes the TD stuck', async () => {
    const { output } = await play({ answers: { releaseTd: 'fails' } });
    expect(output.outcome).toBe('stuck');
  });

  test('a chart that nobody gave effects to says so instead of pretending', async () => {
    const actor = createActor(tdLifecycle, { input: { name: 'td', vcpus: 1 } });
    actor.start();
    actor.send({ type: 'td.create' });
    const output = await toPromise(actor);
    expect(output.outcome).toBe('stuck');
    expect(output.error).toMatchObject({ message: expect.stringContaining('was not provided') });
  });

  propertyTest.prop({
    stopAt: fc.constantFrom(...steps, 'runnable', 'terminating', 'releasing', 'interrupting'),
    failing: fc.subarray([...actors, 'terminateTd', 'settleStep', 'releaseTd']),
    vcpus: fc.integer({ min: 1, max: 300 }),
  })(
    'whatever fails and whenever it is stopped, it ends, and release runs exactly once',
    async ({ stopAt, failing, vcpus }) => {
      const answers = Object.fromEntries(failing.map((name) => [name, 'fails' as const]));
      const { output, calls } = await play({ stopAt, answers, vcpus });
      expect(calls.filter((name) => name === 'releaseTd')).toHaveLength(1);
      expect(output.outcome === 'stuck').toBe(failing.includes('releaseTd'));
      expect(output.outcome === 'destroyed').toBe(
        output.error === null && output.leftovers.length === 0,
      );
    },
  );
});

describe('bindingLimit', () => {
  const limit = fc.integer({ min: 1, max: 65535 });
  propertyTest.prop({
    module: fc.option(limit),
    presentCpus: limit,
    kvm: limit,
    perVm: fc.option(limit),
  })('is the smallest of the limits that are known', (limits) => {
    const known = Object.values(limits).filter((value) => value !== null);
    const { name, value } = bindingLimit(limits);
    expect(value).toBe(Math.min(...known));
    expect(limits[name]).toBe(value);
  });

  test('of equal limits the cause is named, not what KVM derives from it', () => {
    expect(bindingLimit({ module: 576, presentCpus: 224, kvm: 1024, perVm: 224 }).name).toBe(
      'presentCpus',
    );
  });
});
