/** Whether KVM took the vCPUs of a guest, and when; KVM_RUN is a script. */
import { describe, expect, test } from 'vitest';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import {
  ascii,
  completes,
  exits,
  powerOff,
  runsOn,
  scriptedGuest,
  writesPort,
} from './guest-support.ts';
import { concat, rejection, u32, u64, zeros } from './support.ts';

const request = ioctlNumbers.KVM_RUN;
const EIO = 5;
const now = () => process.hrtime.bigint();

describe('entered', () => {
  test('resolves for a guest that runs on, which is interrupted once for it', async (context) => {
    const { guest, calls } = await scriptedGuest(context, [runsOn, runsOn]);
    guest.run();
    await guest.entered();
    await guest.entered();
    await guest.pause();
    // The pause may come before it is back in KVM_RUN.
    expect(calls.calls().length).toBeLessThanOrEqual(2);
    // Paused, it still has been.
    await guest.entered();
  });

  test('resolves by an exit, for which nothing is interrupted', async (context) => {
    const { guest, seen, calls } = await scriptedGuest(context, [
      writesPort(0x3f8, ascii('a')),
      runsOn,
      completes,
    ]);
    guest.run();
    while (seen.console.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await guest.entered();
    // By the pause alone.
    await guest.pause();
    expect(calls.calls().length).toBeLessThanOrEqual(2);
  });

  test('waits until all vCPUs have been', async (context) => {
    const { guest, calls } = await scriptedGuest(
      context,
      Array.from({ length: 6 }, () => runsOn),
      { vcpuCount: 3 },
    );
    guest.run();
    await guest.entered();
    expect(new Set(calls.calls().map(({ fd }) => fd)).size).toBe(3);
    await guest.pause();
  });

  test('is not fooled by what came too early', async (context) => {
    // KVM_RUN came back for immediate_exit, before KVM looked at anything.
    const { guest, calls } = await scriptedGuest(context, [completes, completes, runsOn, runsOn]);
    guest.run();
    await guest.entered();
    expect(calls.calls().length).toBeGreaterThanOrEqual(3);
    await guest.pause();
  });

  test('rejects with the errno where KVM refuses', async (context) => {
    const { guest, ended } = await scriptedGuest(context, [{ request, errno: EIO }]);
    guest.run();
    const error = await rejection(guest.entered());
    expect(error).toMatchObject({
      message: 'KVM_RUN: EIO',
      syscall: 'ioctl',
      request: 'KVM_RUN',
      code: 'EIO',
      vcpu: 0,
    });
    expect(await ended).toMatchObject({ kind: 'run-failed', code: 'EIO' });
    // Also to one who asks later.
    expect(await rejection(guest.entered())).toMatchObject({ code: 'EIO' });
  });

  test.for(['KVM_EXIT_FAIL_ENTRY', 'KVM_EXIT_INTERNAL_ERROR'] as const)(
    'rejects where the first exit is %s',
    async (exit, context) => {
      const { guest, ended } = await scriptedGuest(context, [exits(exit), completes]);
      guest.run();
      expect(await rejection(guest.entered())).toMatchObject({
        message: 'vCPU 0 could not be entered: its exit says why',
        code: 'ESHUTDOWN',
        vcpu: 0,
      });
      await ended;
    },
  );

  test('rejects where one vCPU of several is refused', async (context) => {
    const { guest, ended } = await scriptedGuest(
      context,
      [{ request, errno: EIO }, runsOn, runsOn],
      { vcpuCount: 2 },
    );
    guest.run();
    expect(await rejection(guest.entered())).toMatchObject({ code: 'EIO' });
    await ended;
  });

  test('resolves where a guest ends by what it has done itself, or faults on memory', async (context) => {
    const off = await scriptedGuest(context, [powerOff, completes]);
    off.guest.run();
    await Promise.all([off.guest.entered(), off.ended]);
    const faultReason = concat(u64(0n), u64(0x1000n), u64(0x1000n));
    const { memory } = exits('KVM_EXIT_MEMORY_FAULT', faultReason);
    const faults = await scriptedGuest(context, [
      { request, errno: 14, memory: memory ?? zeros(0) },
    ]);
    faults.guest.run();
    await Promise.all([faults.guest.entered(), faults.ended]);
  });

  test('rejects where the guest has not run, is paused before, or stopped', async (context) => {
    const { guest } = await scriptedGuest(context, [
      exits('KVM_EXIT_MMIO', concat(u64(0n), zeros(8), u32(1, 1))),
      completes,
      ...[runsOn, runsOn],
    ]);
    const paused = 'the guest is paused, and not all of its vCPUs were entered since it ran';
    expect(await rejection(guest.entered())).toMatchObject({ code: 'ECANCELED', message: paused });
    guest.run();
    await guest.entered();
    await guest.pause();
    // A run of which no thread may have noticed.
    guest.run();
    const early = guest.entered().catch((error: unknown) => error);
    await guest.pause();
    expect([undefined, 'ECANCELED']).toContain(((await early) as { code?: string })?.code);
    guest.run();
    const stopped = rejection(guest.entered());
    guest.stop();
    expect((await stopped).message).toMatch(/the guest is stopped/);
    expect(await rejection(guest.entered())).toMatchObject({ code: 'EBADF' });
  });
});

describe('the times of a guest', () => {
  test('are on the clock of process.hrtime, each after what it follows', async (context) => {
    const { guest } = await scriptedGuest(context, [
      ...[runsOn, runsOn, writesPort(0x3f8, ascii('a')), completes],
      ...[runsOn, runsOn],
    ]);
    expect(guest.times()).not.toHaveProperty('enteredNs');
    const begun = now();
    guest.run();
    await guest.entered();
    const { enteredNs = 0n, exitedNs = 0n } = guest.times();
    expect(enteredNs).toBeGreaterThanOrEqual(begun);
    expect(exitedNs).toBeGreaterThanOrEqual(enteredNs);
    expect(now()).toBeGreaterThanOrEqual(exitedNs);
    await guest.pause();
    const { parkedNs = 0n, ...rest } = guest.times();
    expect(parkedNs).toBeGreaterThanOrEqual(exitedNs);
    expect(now()).toBeGreaterThanOrEqual(parkedNs);
    expect(rest).toEqual({ enteredNs, exitedNs });

    guest.run();
    await guest.entered();
    const again = guest.times();
    // The pause before is still that of the blackout.
    expect(again.parkedNs).toBe(parkedNs);
    expect(again.enteredNs).toBeGreaterThanOrEqual(parkedNs);
    expect(again.exitedNs).toBeGreaterThanOrEqual(again.enteredNs ?? 0n);
    await guest.pause();
    const last = guest.times();
    guest.stop();
    expect(guest.times()).toEqual(last);
  });

  test('are those of the vCPU that came last', async (context) => {
    const { guest } = await scriptedGuest(
      context,
      Array.from({ length: 8 }, () => runsOn),
      { vcpuCount: 4 },
    );
    guest.run();
    await guest.entered();
    const { enteredNs = 0n, exitedNs = 0n } = guest.times();
    expect(exitedNs).toBeGreaterThanOrEqual(enteredNs);
    await guest.pause();
    expect(guest.times().enteredNs).toBe(enteredNs);
  });
});
