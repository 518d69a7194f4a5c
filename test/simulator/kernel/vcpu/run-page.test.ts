/** What KVM_RUN takes from the page that it shares with user space, and leaves there besides an exit. */
import { describe, expect, test } from 'vitest';
import { type GuestScript, type Handle, StructValue } from '../../../../src/simulator/index.ts';
import { Driver } from '../../drive.ts';
import { BytesValue } from '../../values.ts';

const shutsDown: GuestScript = { run: () => ({ reason: 'KVM_EXIT_SHUTDOWN' }) };
const rflags = 136;
const cr8 = 256;
const sregs = 144;
const events = 456;

function plain(irqchip: 'none' | 'split' | 'kernel' = 'none') {
  const driver = new Driver({ guest: shutsDown });
  return { driver, vcpu: driver.plainVcpu(irqchip) };
}

function get(driver: Driver, vcpu: Handle, request: 'KVM_GET_REGS' | 'KVM_GET_SREGS'): DataView {
  const state = new BytesValue(312);
  driver.must(vcpu, { request, state });
  return state.view;
}

describe('the head that KVM_RUN leaves', () => {
  test('of the boot vCPU of a TD: its APIC in x2APIC mode, no interrupt flag, no task priority', async () => {
    const driver = new Driver({ guest: shutsDown });
    const { vcpus } = driver.runnableTd();
    const run = driver.run(vcpus[0] as Handle);
    expect(await run.result).toBe(0);
    expect(run.head).toEqual({
      flags: 0,
      ifFlag: false,
      readyForInterruptInjection: true,
      cr8: 0n,
      apicBase: 0xfee0_0d00n,
    });
  });

  test('of a vCPU of a TD that is not initialised, or not the first', async () => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    const first = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
    const second = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 1 });
    const bases = [first, second].map(async (vcpu) => {
      const run = driver.run(vcpu, { immediateExit: true });
      expect(await run.result).toBe('EINTR');
      return run.head.apicBase;
    });
    expect(await Promise.all(bases)).toEqual([0xfee0_0900n, 0xfee0_0800n]);
  });

  test('is there where the run was refused, but not for its argument or the death of the VM', async () => {
    const { driver, vcpu } = plain();
    const refused = driver.run(vcpu, { cr8: 16n });
    expect([await refused.result, refused.head.flags]).toEqual(['EINVAL', 0]);
    const argument = driver.run(vcpu, {}, 1n);
    expect([await argument.result, argument.head]).toEqual(['EINVAL', {}]);
    driver.mm = 2;
    const foreign = driver.run(vcpu);
    expect([await foreign.result, foreign.head]).toEqual(['EIO', {}]);
  });

  test('has flags cleared before the guest runs', async () => {
    const driver = new Driver();
    const { vcpus } = driver.runnableTd();
    const run = driver.run(vcpus[0] as Handle);
    expect(run.head).toEqual({ flags: 0 });
    run.cancel();
    await run.result;
  });

  test('shows the interrupt flag, and with it that an interrupt may be injected', async () => {
    const { driver, vcpu } = plain();
    const off = driver.run(vcpu);
    expect(await off.result).toBe(0);
    expect(off.head).toMatchObject({ ifFlag: false, readyForInterruptInjection: false });
    const registers = new Uint8Array(520);
    new DataView(registers.buffer).setUint32(rflags, 0x202, true);
    const on = driver.run(vcpu, { dirtyRegs: 1n }, 0n, registers);
    expect(await on.result).toBe(0);
    expect(on.head).toMatchObject({ ifFlag: true, readyForInterruptInjection: true });
  });

  test('with the PIC in the kernel, user space is always told to go on', async () => {
    const { driver, vcpu } = plain('kernel');
    const run = driver.run(vcpu);
    expect(await run.result).toBe(0);
    expect(run.head).toMatchObject({ ifFlag: false, readyForInterruptInjection: true });
  });

  test('tells of SMM', async () => {
    const { driver, vcpu } = plain();
    const registers = new Uint8Array(520);
    // VALID_SMM, and smm.
    registers[events + 20] = 8;
    registers[events + 24] = 1;
    const run = driver.run(vcpu, { dirtyRegs: 4n }, 0n, registers);
    expect([await run.result, run.head.flags]).toEqual([0, 1]);
  });
});

describe('cr8 of the page', () => {
  test('is the task priority where no APIC is in the kernel', async () => {
    const { driver, vcpu } = plain();
    const run = driver.run(vcpu, { cr8: 15n });
    expect([await run.result, run.head.cr8]).toEqual([0, 15n]);
    expect(get(driver, vcpu, 'KVM_GET_SREGS').getBigUint64(cr8, true)).toBe(15n);
  });

  test.each(['split', 'kernel'] as const)('is not looked at otherwise (%s)', async (irqchip) => {
    const { driver, vcpu } = plain(irqchip);
    const run = driver.run(vcpu, { cr8: 99n });
    expect([await run.result, run.head.cr8]).toEqual([0, 0n]);
  });
});

describe('synchronised registers', () => {
  test('that are dirty are taken before the guest runs, and are dirty no longer', async () => {
    const { driver, vcpu } = plain();
    const registers = new Uint8Array(520);
    registers.set(new BytesValue(new Uint8Array(144)).bytes);
    new DataView(registers.buffer).setBigUint64(128, 0x1234n, true);
    new DataView(registers.buffer).setBigUint64(rflags, 2n, true);
    const run = driver.run(vcpu, { dirtyRegs: 1n }, 0n, registers);
    expect([await run.result, run.head.dirtyRegs]).toEqual([0, 0n]);
    expect(get(driver, vcpu, 'KVM_GET_REGS').getBigUint64(128, true)).toBe(0x1234n);
  });

  test('that are asked for are shown after the run, also after one that failed', async () => {
    const { driver, vcpu } = plain();
    const shown = new Uint8Array(520);
    const run = driver.run(vcpu, { validRegs: 3n, immediateExit: true }, 0n, shown);
    expect(await run.result).toBe('EINTR');
    const view = new DataView(shown.buffer);
    expect(view.getBigUint64(128, true)).toBe(0xfff0n);
    expect(view.getBigUint64(sregs + 272, true)).toBe(0xfee0_0900n);
    expect(shown.subarray(events).every((byte) => byte === 0)).toBe(true);
    const unknown = new Uint8Array(520);
    expect(await driver.run(vcpu, { validRegs: 9n }, 0n, unknown).result).toBe('EINVAL');
    expect(new DataView(unknown.buffer).getBigUint64(128, true)).toBe(0xfff0n);
  });

  test('of a vCPU that waits for its INIT are not looked at', async () => {
    const driver = new Driver();
    const vm = driver.plainVm('split');
    driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
    const second = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 1 });
    const run = driver.run(second, { immediateExit: true, dirtyRegs: 8n });
    expect([await run.result, driver.refusedBy]).toEqual(['EINTR', 'run.waits-for-init']);
  });
});

test('a vCPU in SMM that is set to wait for a SIPI cannot run', async () => {
  const { driver, vcpu } = plain('split');
  const state = new BytesValue(64);
  state.bytes[20] = 8;
  state.bytes[24] = 1;
  driver.must(vcpu, { request: 'KVM_SET_VCPU_EVENTS', state });
  driver.must(vcpu, { request: 'KVM_SET_MP_STATE', mpState: new StructValue(2) });
  expect([await driver.run(vcpu).result, driver.refusedBy]).toEqual([
    'EINVAL',
    'run.waits-for-sipi',
  ]);
});
