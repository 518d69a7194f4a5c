/** A run script, played on a simulated machine: what the VMM sees, and what it is held to. */
import { describe, expect, test } from 'vitest';
import { defaultRunScript, ScriptedGuest } from '../../../src/exec/run-script/index.ts';
import { parseRunScript } from '../../../src/exec/run-script/load.ts';
import type { VcpuExit } from '../../../src/simulator/index.ts';
import { Driver, expectOk } from '../../simulator/drive.ts';
import { addressSizes, x2apicLeaf } from '../../simulator/structs.ts';

function scriptOf(...programs: readonly { ids: number[] | 'others'; steps: object[] }[]) {
  const file = {
    apiVersion: 'tdctl.io/v1alpha1',
    kind: 'RunScript',
    metadata: { name: 'x' },
    spec: { vcpus: programs },
  };
  return parseRunScript(JSON.stringify(file), { path: 'x.yaml' });
}

function guestOf(...steps: object[]): ScriptedGuest {
  return new ScriptedGuest(scriptOf({ ids: [0], steps }));
}

function runnable(guest: ScriptedGuest, vcpuCount = 1) {
  const driver = new Driver({ guest });
  return { driver, ...newTd(driver, vcpuCount) };
}

/** A TD that may ask for MapGPA, with so many vCPUs. */
function newTd(driver: Driver, vcpuCount: number) {
  const { vm, vcpus, guestMemfd } = driver.builtTd(vcpuCount);
  // Else the shared bit lies beyond what the guest can address.
  for (const vcpu of vcpus) {
    const highest = { ...addressSizes, function: 0x8000_0000, eax: 0x8000_0008 };
    expectOk(driver.setCpuid2(vcpu, [x2apicLeaf, highest, { ...addressSizes, eax: 52 }]));
  }
  expectOk(driver.cap(vm, 'KVM_CAP_EXIT_HYPERCALL', 0x1000n));
  expectOk(driver.finalizeVm(vm));
  return { vm, vcpus: vcpus as [number, ...number[]], guestMemfd };
}

/** Enters the vCPU once for each answer that the VMM gives to the exit before. */
async function runAll(
  driver: Driver,
  vcpu: number,
  answers: readonly bigint[],
): Promise<VcpuExit[]> {
  const exits: VcpuExit[] = [];
  for (const result of answers) {
    const run = driver.run(vcpu, { result });
    await run.result;
    exits.push(...run.exits);
  }
  return exits;
}

async function interrupted(driver: Driver, vcpu: number, result = 0n) {
  const run = driver.run(vcpu, { result });
  run.cancel();
  return await run.result;
}

describe('a step becomes what KVM makes of it', () => {
  test('port I/O and MMIO, with what is read coming back to the guest', async () => {
    const guest = guestOf(
      { out: { port: 0x402, sizeBytes: 1, data: 0x41 } },
      { in: { port: 0x71, sizeBytes: 1, expect: 0x26 } },
      { mmioWrite: { address: 0xfec00000, sizeBytes: 4, data: 1 } },
      { mmioRead: { address: 0xfec00010, sizeBytes: 4, expect: 7 } },
      { shutdown: true },
    );
    const { driver, vcpus } = runnable(guest);
    const exits = await runAll(driver, vcpus[0], [0n, 0n, 0x26n, 0n, 8n]);
    expect(exits).toMatchObject([
      { reason: 'KVM_EXIT_IO', direction: 'out', port: 0x402, data: 0x41n },
      { reason: 'KVM_EXIT_IO', direction: 'in', port: 0x71, sizeBytes: 1 },
      { reason: 'KVM_EXIT_MMIO', physAddr: 0xfec00000n, isWrite: true, data: 1n },
      { reason: 'KVM_EXIT_MMIO', physAddr: 0xfec00010n, isWrite: false },
      { reason: 'KVM_EXIT_SHUTDOWN' },
    ]);
    const [first, second, ...more] = guest.results();
    expect(more).toEqual([]);
    expect(first).toMatchObject({ step: 'in', expected: 'success r11=0x26', met: true, times: 1 });
    expect(second).toMatchObject({ step: 'mmioRead', got: 'success r11=0x8', met: false });
    expect(guest.unreached()).toEqual([]);
  });

  test('MapGPA in pieces of 2MiB, with the status that the guest gets in the end', async () => {
    const guest = guestOf(
      { mapGpa: { gpa: 0x1000000, size: '4MiB', to: 'shared', expect: 'success' } },
      { mapGpa: { gpa: 0x1000000, size: '4KiB', to: 'private', expect: 'success' } },
      { shutdown: true },
    );
    const { driver, vcpus } = runnable(guest);
    const exits = await runAll(driver, vcpus[0], [0n, 0n, 0n, 11n]);
    expect(exits.map((exit) => ('args' in exit ? exit.args : exit.reason))).toEqual([
      [0x1000000n, 512n, 0n],
      [0x1200000n, 512n, 0n],
      [0x1000000n, 1n, 0x10n],
      'KVM_EXIT_SHUTDOWN',
    ]);
    expect(guest.results()).toMatchObject([
      { got: 'success', met: true },
      { expected: 'success', got: 'retry', met: false },
    ]);
    expect(guest.results()[0]?.place).toMatch(/^x\.yaml:1:\d+$/);
  });

  test('what KVM answers itself is no exit', async () => {
    const guest = guestOf(
      { getTdVmCallInfo: { leaf: 0, expect: { status: 'success', r11: 0 } } },
      { setupEventNotifyInterrupt: { vector: 8, expect: 'invalidOperand' } },
      { getQuote: { gpa: 0x1000000, size: '16KiB', expect: 'subfuncUnsupported' } },
      { shutdown: true },
    );
    const { driver, vcpus } = runnable(guest);
    const exits = await runAll(driver, vcpus[0], [0n, 0x8000_0000_0000_0003n]);
    expect(exits).toMatchObject([
      { reason: 'KVM_EXIT_TDX', nr: 0x10002, data: [0x1000000n, 0x4000n] },
      { reason: 'KVM_EXIT_SHUTDOWN' },
    ]);
    expect(guest.results().map(({ met }) => met)).toEqual([true, true, true]);
  });

  test('a fatal error has its message where QEMU looks for it', async () => {
    const message = 'out of memory at the very start';
    const guest = guestOf({ reportFatalError: { code: 3, message, gpa: 0x1000000 } });
    const { driver, vcpus } = runnable(guest);
    const [exit] = await runAll(driver, vcpus[0], [0n]);
    expect(exit).toMatchObject({ reason: 'KVM_EXIT_SYSTEM_EVENT', type: 7 });
    const { data } = exit as { readonly data: readonly bigint[] };
    expect(data[12]).toBe((1n << 63n) | 3n);
    expect(data[13]).toBe((1n << 47n) | 0x1000000n);
    const words = [14, 15, 3, 7, 6, 8, 9, 2].map((register) => data[register] ?? 0n);
    const text = Buffer.alloc(64);
    for (const [index, word] of words.entries()) text.writeBigUInt64LE(word, 8 * index);
    expect(text.toString().replaceAll('\0', '')).toBe(message);
    // RCX shows the host every register that has a word for it.
    for (const register of [14, 15, 3, 7, 6, 8, 9, 2, 12, 13]) {
      expect(((data[1] ?? 0n) >> BigInt(register)) & 1n).toBe(1n);
    }
  });

  test('accidents: a fault that KVM_RUN fails with, and the death of the VM', async () => {
    const guest = guestOf(
      { memoryFault: { gpa: 0x2000000, size: '4KiB', access: 'private' } },
      { touchUnacceptedMemory: true },
    );
    const { driver, vcpus } = runnable(guest);
    const fault = driver.run(vcpus[0]);
    await expect(fault.result).resolves.toBe('EFAULT');
    expect(fault.exits).toMatchObject([{ reason: 'KVM_EXIT_MEMORY_FAULT', flags: 8n }]);
    await expect(driver.run(vcpus[0]).result).resolves.toBe('EIO');
    await expect(driver.run(vcpus[0]).result).resolves.toBe('EIO');
  });
});

describe('vCPUs', () => {
  test('hold until they are interrupted, go on, and hold for good after the last step', async () => {
    const guest = guestOf({ hold: true }, { out: { port: 1, sizeBytes: 1, data: 0 } });
    const { driver, vcpus } = runnable(guest);
    await expect(interrupted(driver, vcpus[0])).resolves.toBe('EINTR');
    await expect(driver.run(vcpus[0]).result).resolves.toBe(0);
    await expect(interrupted(driver, vcpus[0])).resolves.toBe('EINTR');
    await expect(interrupted(driver, vcpus[0])).resolves.toBe('EINTR');
  });

  test('each do what their program says', async () => {
    const script = scriptOf(
      { ids: [1], steps: [{ shutdown: true }] },
      { ids: 'others', steps: [{ out: { port: 2, sizeBytes: 1, data: 0 } }] },
    );
    const { driver, vcpus } = runnable(new ScriptedGuest(script), 3);
    const exits = await Promise.all(vcpus.map((vcpu) => runAll(driver, vcpu, [0n])));
    expect(exits.map(([exit]) => exit?.reason)).toEqual([
      'KVM_EXIT_IO',
      'KVM_EXIT_SHUTDOWN',
      'KVM_EXIT_IO',
    ]);
  });

  test('of two TDs play the script each for itself, also when one gets the pages of the other', async () => {
    const guest = guestOf({ in: { port: 1, sizeBytes: 1, expect: 5 } }, { shutdown: true });
    const driver = new Driver({ guest });
    const one = newTd(driver, 1);
    await runAll(driver, one.vcpus[0], [0n, 5n]);
    driver.release(one.guestMemfd, ...one.vcpus, one.vm);
    const other = newTd(driver, 1);
    expect(await runAll(driver, other.vcpus[0], [0n, 6n])).toMatchObject([
      { reason: 'KVM_EXIT_IO' },
      { reason: 'KVM_EXIT_SHUTDOWN' },
    ]);
    expect(guest.results()).toMatchObject([
      { guest: 1, vcpu: 0, got: 'success r11=0x5', met: true },
      { guest: 2, vcpu: 0, got: 'success r11=0x6', met: false },
    ]);
  });

  test('by default the boot vCPU powers the machine off, in one way after another, and the others hold', async () => {
    const { driver, vcpus } = runnable(new ScriptedGuest(defaultRunScript), 2);
    const exits = await runAll(driver, vcpus[0], Array(15).fill(0n));
    expect(exits.map((exit) => ('port' in exit ? exit.port : exit.reason))).toEqual([
      ...[0xcf8, 0xcfc, 0xcf8, 0xcfc, 0x604],
      ...[0xcf8, 0xcfc, 0xcf8, 0xcfc, 0x604],
      'KVM_EXIT_MMIO',
      ...[0x600, 0x64],
      'KVM_EXIT_SHUTDOWN',
      // The machine was reset, and begins anew.
      0xcf8,
    ]);
    await expect(interrupted(driver, vcpus[1] as number)).resolves.toBe('EINTR');
  });
});

describe('the account of a run', () => {
  test('judges a repeated step as a whole, and keeps the first answer that was wrong', async () => {
    const guest = guestOf({
      repeat: { times: 3, steps: [{ in: { port: 1, sizeBytes: 1, expect: 5 } }] },
    });
    const { driver, vcpus } = runnable(guest);
    await runAll(driver, vcpus[0], [0n, 5n, 9n]);
    await interrupted(driver, vcpus[0], 5n);
    expect(guest.results()).toMatchObject([{ times: 3, got: 'success r11=0x9', met: false }]);
  });

  test('a VMM that never enters again has not answered', async () => {
    const guest = guestOf({ in: { port: 1, sizeBytes: 1, expect: 5 } });
    const { driver, vcpus } = runnable(guest);
    await runAll(driver, vcpus[0], [0n]);
    expect(guest.results()).toMatchObject([{ got: undefined, met: false, times: 1 }]);
  });

  test('names the steps that no vCPU came to', async () => {
    const script = scriptOf(
      { ids: [0, 7], steps: [{ out: { port: 1, sizeBytes: 1, data: 0 } }, { shutdown: true }] },
      { ids: 'others', steps: [{ hold: true }] },
    );
    const missing = (guest: ScriptedGuest) =>
      guest.unreached().map(({ guest: number, vcpu, step }) => [number, vcpu, step]);
    expect(missing(new ScriptedGuest(script))).toEqual([
      [undefined, 0, 'out'],
      [undefined, 0, 'shutdown'],
      [undefined, 7, 'out'],
      [undefined, 7, 'shutdown'],
      [undefined, 'others', 'hold'],
    ]);
    const guest = new ScriptedGuest(script);
    const { driver, vcpus } = runnable(guest, 2);
    await runAll(driver, vcpus[0], [0n]);
    await interrupted(driver, vcpus[1] as number);
    expect(missing(guest)).toEqual([
      [1, 0, 'shutdown'],
      [1, 7, 'out'],
      [1, 7, 'shutdown'],
    ]);
  });
});
