/** Pause, stop and run again, and what may be done meanwhile. */
import { describe, expect, test } from 'vitest';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import {
  ascii,
  completes,
  exits,
  runsOn,
  scriptedGuest,
  withResolver,
  writesPort,
} from './guest-support.ts';
import { concat, rejection, u32, u64, zeros } from './support.ts';

describe('pause and stop', () => {
  const mmioWrite = exits('KVM_EXIT_MMIO', concat(u64(0n), zeros(8), u32(1, 1)));

  test('a pause completes the last exit before the vCPU is parked', async (context) => {
    const { promise, resolve } = withResolver();
    const { guest, calls } = await scriptedGuest(context, [mmioWrite, completes], {
      handlers: {
        // Asked for before the exit is answered.
        exit: () => {
          void guest.pause().then(resolve);
          return undefined;
        },
      },
    });
    guest.run();
    await promise;
    expect(calls.calls().map(({ argument }) => argument[1])).toEqual([0, 1]);
  });

  test('a pause waits for the handler that a vCPU waits for', async (context) => {
    const { promise, resolve } = withResolver();
    const { promise: answer, resolve: giveAnswer } = withResolver();
    const { guest } = await scriptedGuest(context, [mmioWrite, completes], {
      handlers: {
        exit: async () => {
          resolve();
          await answer;
          return undefined;
        },
      },
    });
    guest.run();
    await promise;
    let paused = false;
    const pause = guest.pause().then(() => {
      paused = true;
    });
    for (let turn = 0; turn < 20; turn += 1) await new Promise((next) => setImmediate(next));
    expect(paused).toBe(false);
    giveAnswer();
    await pause;
  });

  test('a stop does not wait for a handler, whose answer comes too late', async (context) => {
    const { promise, resolve } = withResolver();
    const { promise: answer, resolve: giveAnswer } = withResolver();
    const { guest, seen } = await scriptedGuest(context, [mmioWrite], {
      handlers: {
        exit: async () => {
          resolve();
          await answer;
          return { retry: true };
        },
      },
    });
    guest.run();
    await promise;
    const pause = rejection(guest.pause());
    guest.stop();
    giveAnswer();
    expect(await pause).toMatchObject({ code: 'ECANCELED', message: 'the guest is stopped' });
    expect(await rejection(guest.pause())).toMatchObject({ code: 'EBADF' });
    expect(() => guest.run()).toThrow('the guest is stopped');
    expect(guest.input(zeros(1))).toBe(0);
    expect(seen.failures).toEqual([]);
    guest.stop();
  });

  test('a handler may stop the guest, and the console is told to its end', async (context) => {
    const stopping = withResolver();
    const { guest, seen } = await scriptedGuest(
      context,
      [writesPort(0x3f8, ascii('bye')), mmioWrite],
      {
        handlers: {
          exit: () => {
            guest.stop();
            stopping.resolve();
            return undefined;
          },
        },
      },
    );
    guest.run();
    await stopping.promise;
    expect(seen.console).toEqual(ascii('bye'));
  });

  test('run and pause in turn wait for what the threads do, whether they noticed or not', async (context) => {
    const { guest } = await scriptedGuest(
      context,
      Array.from({ length: 1000 }, () => runsOn),
      { vcpuCount: 3 },
    );
    for (let round = 0; round < 200; round += 1) {
      guest.run();
      if (round % 3 === 0) await new Promise((next) => setImmediate(next));
      await guest.pause();
    }
  });

  test('a run before all have parked cancels the pause', async (context) => {
    const { guest } = await scriptedGuest(context, [runsOn, runsOn, runsOn, runsOn]);
    guest.run();
    const pause = guest.pause();
    guest.run();
    await pause.then(
      () => {},
      (error) => expect(error).toMatchObject({ code: 'ECANCELED' }),
    );
    await guest.pause();
  });
});

test('a vCPU whose state was set runs with its own task priority, and is not asked again', async (context) => {
  const sregs = zeros(312);
  sregs[256] = 5; // CR8
  const { guest, vcpus, calls, script } = await scriptedGuest(context, [
    runsOn,
    { request: ioctlNumbers.KVM_GET_SREGS, argument: sregs },
    runsOn,
    runsOn,
  ]);
  const runAndPause = async (made: number) => {
    guest.run();
    while (calls.calls().length < made) await new Promise((next) => setImmediate(next));
    await guest.pause();
  };
  await runAndPause(1);
  const set = script({ request: ioctlNumbers.KVM_SET_SREGS });
  await vcpus[0]?.kvmSetSregs(sregs);
  set.end();
  await runAndPause(3);
  await runAndPause(4);
  const seen = calls.calls().map(({ request, argument }) => [request, argument[16]]);
  const { KVM_RUN, KVM_GET_SREGS } = ioctlNumbers;
  expect(seen).toEqual([
    [KVM_RUN, 0],
    [KVM_GET_SREGS, 0],
    [KVM_RUN, 5],
    [KVM_RUN, 5],
  ]);
});

test('while a guest runs, calls on its vCPUs are refused, and it does not run while one is in flight', async (context) => {
  const { guest, vcpus, script } = await scriptedGuest(context, [runsOn]);
  const [vcpu] = vcpus;
  if (!vcpu) throw new Error('no vCPU');
  guest.run();
  expect(await rejection(vcpu.kvmGetRegs())).toMatchObject({
    code: 'EBUSY',
    message: 'KVM_GET_REGS: the vCPU runs: pause its guest first',
  });
  await guest.pause();
  const { release } = script({ request: ioctlNumbers.KVM_GET_REGS, hold: true });
  const regs = vcpu.kvmGetRegs();
  expect(() => guest.run()).toThrow('a call on a vCPU of the guest is still in flight');
  release();
  await regs;
});
