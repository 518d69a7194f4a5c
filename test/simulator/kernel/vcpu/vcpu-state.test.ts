/** The answers for default VMs are also those of /dev/kvm (Linux 6.18), unless a test says so. */
import { describe, expect, test } from 'vitest';
import { type VcpuStateRequestName, vcpuStateBytes } from '../../../../src/abi/kvm/vcpu-state.ts';
import { StructValue } from '../../../../src/simulator/index.ts';
import { Driver, type Irqchip } from '../../drive.ts';
import { x2apicLeaf } from '../../structs.ts';
import { BytesValue, faultyAt, signalMask } from '../../values.ts';

const requests = Object.keys(vcpuStateBytes) as VcpuStateRequestName[];
const always: readonly VcpuStateRequestName[] = [
  'KVM_GET_VCPU_EVENTS',
  'KVM_SET_VCPU_EVENTS',
  'KVM_GET_NESTED_STATE',
];
const room = () => {
  const bytes = new BytesValue(16384);
  // Of a nested state, its size.
  bytes.view.setUint32(4, 128, true);
  return bytes;
};

function tdVcpu() {
  const driver = new Driver();
  const vcpu = driver.createVcpu(driver.initializedTd(), 0) as number;
  return { driver, vcpu };
}

function plainVcpu(irqchip: Irqchip = 'split', id = 0) {
  const driver = new Driver();
  const vm = driver.plainVm(irqchip);
  const vcpu = driver.createVcpu(vm, id) as number;
  return { driver, vm, vcpu };
}

describe('state of a TD’s vCPU', () => {
  const refused = requests.filter((name) => !always.includes(name));
  test.each(refused)('%s is EINVAL on the vCPU of a TD', (request) => {
    const { driver, vcpu } = tdVcpu();
    expect(driver.call(vcpu, { request, state: room() })).toBe('EINVAL');
  });

  test.each(requests.filter((name) => /^KVM_SET/.test(name)))(
    '%s of memory that cannot be read',
    (request) => {
      const { driver, vcpu } = tdVcpu();
      const state = faultyAt(room(), 'read');
      // SREGS2 is refused before it is read.
      const answer = request === 'KVM_SET_SREGS2' ? 'EINVAL' : 'EFAULT';
      expect(driver.call(vcpu, { request, state })).toBe(answer);
    },
  );

  test.each(always)('%s is answered on the vCPU of a TD', (request) => {
    const { driver, vcpu } = tdVcpu();
    expect(driver.call(vcpu, { request, state: room() })).toBe(0);
  });

  test('a TD has no kvmclock, and its own clock', () => {
    const { driver, vcpu } = tdVcpu();
    expect(driver.call(vcpu, { request: 'KVM_KVMCLOCK_CTRL' })).toBe('EINVAL');
    expect(driver.setTscKhz(vcpu, 1_000_000)).toBe('EINVAL');
    expect(driver.call(vcpu, { request: 'KVM_GET_TSC_KHZ' })).toBe(2_000_000);
  });

  test('what QEMU asks of it before it runs', () => {
    const { driver, vcpu } = tdVcpu();
    const control = new StructValue({ enabled: 1, flags: 0 });
    expect(driver.call(vcpu, { request: 'KVM_TPR_ACCESS_REPORTING', control })).toBe(0);
    const address = new StructValue(0n);
    expect(driver.call(vcpu, { request: 'KVM_SET_VAPIC_ADDR', address })).toBe(0);
  });

  test('a SIPI never comes: KVM_RUN refuses a vCPU that waits for it', async () => {
    const driver = new Driver();
    const { vcpus } = driver.runnableTd();
    const vcpu = vcpus[0] as number;
    const mpState = new StructValue(4);
    expect(driver.call(vcpu, { request: 'KVM_SET_MP_STATE', mpState })).toBe(0);
    expect(driver.call(vcpu, { request: 'KVM_GET_MP_STATE', mpState })).toBe(0);
    expect(mpState.value).toBe(2);
    expect(await driver.run(vcpu).result).toBe('EINVAL');
    expect(await driver.run(vcpu, { immediateExit: true }).result).toBe('EINTR');
  });
});

describe('state of a default VM’s vCPU', () => {
  test.each(requests.filter((name) => name.startsWith('KVM_GET_')))(
    '%s has its size, and faults where it is written',
    (request) => {
      const { driver, vcpu } = plainVcpu();
      const state = room();
      expect(driver.call(vcpu, { request, state })).toBe(0);
      expect(driver.call(vcpu, { request, state: faultyAt(room(), 'write') })).toBe('EFAULT');
    },
  );

  test('it begins as after a reset', () => {
    const { driver, vcpu } = plainVcpu();
    const get = (request: VcpuStateRequestName) => {
      const state = room();
      driver.call(vcpu, { request, state });
      return state.view;
    };
    const regs = get('KVM_GET_REGS');
    expect([regs.getUint32(24, true), regs.getUint32(128, true)]).toEqual([0x600, 0xfff0]);
    const sregs = get('KVM_GET_SREGS');
    expect(sregs.getUint32(224, true)).toBe(0x6000_0010);
    expect(sregs.getUint32(272, true)).toBe(0xfee0_0900);
    expect(get('KVM_GET_SREGS2').getUint32(224, true)).toBe(0x6000_0010);
    expect(get('KVM_GET_LAPIC').getUint32(0x350, true)).toBe(0x700);
    expect(get('KVM_GET_XCRS').getUint32(16, true)).toBe(1);
    expect(get('KVM_GET_DEBUGREGS').getUint32(32, true)).toBe(0xffff_0ff0);
    expect(get('KVM_GET_VCPU_EVENTS').getUint32(20, true)).toBe(0xd);
  });

  test('what is written is read back, SREGS as SREGS2 too', () => {
    const { driver, vcpu } = plainVcpu();
    const state = room();
    state.bytes.fill(3, 0, 200);
    // A code segment of 64 bits is for 64-bit mode.
    state.bytes[19] = 0;
    expect(driver.call(vcpu, { request: 'KVM_SET_SREGS', state })).toBe(0);
    const shown = room();
    driver.call(vcpu, { request: 'KVM_GET_SREGS2', state: shown });
    expect(shown.bytes.subarray(0, 200)).toEqual(state.bytes.subarray(0, 200));
  });

  test.each([
    ['KVM_SET_DEBUGREGS', 48, 1],
    ['KVM_SET_DEBUGREGS', 36, 1],
    ['KVM_SET_XCRS', 0, 17],
    ['KVM_SET_XCRS', 4, 1],
    ['KVM_SET_SREGS2', 280, 2],
    ['KVM_SET_VCPU_EVENTS', 20, 64],
    ['KVM_SET_VCPU_EVENTS', 20, 16],
    ['KVM_SET_VCPU_EVENTS', 20, 32],
  ] as const)('%s with byte %i = %i is EINVAL', (request, offset, value) => {
    const { driver, vcpu } = plainVcpu();
    const state = new BytesValue(512);
    expect(driver.call(vcpu, { request, state })).toBe(0);
    state.bytes[offset] = value;
    expect(driver.call(vcpu, { request, state })).toBe('EINVAL');
  });

  test('an exception has one of 32 vectors and is no NMI; a pending one counts with its payload', () => {
    const { driver, vm, vcpu } = plainVcpu();
    const set = (bytes: Record<number, number>) => {
      const state = new BytesValue(64);
      for (const [at, value] of Object.entries(bytes)) state.bytes[Number(at)] = value;
      return driver.call(vcpu, { request: 'KVM_SET_VCPU_EVENTS', state });
    };
    expect([set({ 0: 1, 1: 31 }), set({ 0: 1, 1: 32 }), set({ 0: 1, 1: 2 })]).toEqual([
      0,
      'EINVAL',
      'EINVAL',
    ]);
    expect(set({ 3: 1, 1: 32 })).toBe(0);
    driver.cap(vm, 'KVM_CAP_EXCEPTION_PAYLOAD', 1n);
    driver.cap(vm, 'KVM_CAP_X86_TRIPLE_FAULT_EVENT', 1n);
    expect(set({ 20: 16, 3: 1, 1: 32 })).toBe('EINVAL');
    expect(set({ 20: 16 | 32 })).toBe(0);
    const shown = room();
    driver.call(vcpu, { request: 'KVM_GET_VCPU_EVENTS', state: shown });
    expect(shown.view.getUint32(20, true)).toBe(0xd | 16 | 32);
  });

  test('a triple fault that is not enabled is refused last: every other event is set', () => {
    const { driver, vcpu } = plainVcpu();
    const state = new BytesValue(64);
    // VALID_NMI_PENDING, VALID_TRIPLE_FAULT
    state.bytes[20] = 1 | 32;
    state.bytes[13] = 1;
    expect(driver.call(vcpu, { request: 'KVM_SET_VCPU_EVENTS', state })).toBe('EINVAL');
    const shown = room();
    driver.call(vcpu, { request: 'KVM_GET_VCPU_EVENTS', state: shown });
    expect(shown.bytes[13]).toBe(1);
  });

  test('without an APIC in the kernel its state is EINVAL, before memory is looked at', () => {
    const { driver, vcpu } = plainVcpu('none');
    const state = faultyAt(room(), 'read');
    for (const request of ['KVM_GET_LAPIC', 'KVM_SET_LAPIC'] as const) {
      expect(driver.call(vcpu, { request, state })).toBe('EINVAL');
    }
    const address = faultyAt(new StructValue(0n), 'read');
    expect(driver.call(vcpu, { request: 'KVM_SET_VAPIC_ADDR', address })).toBe('EINVAL');
  });

  test('a guest with AMX needs XSAVE2, which is as large as KVM_CAP_XSAVE2 says', () => {
    const { driver, vcpu } = plainVcpu();
    expect(driver.call(vcpu, { request: 'KVM_GET_XSAVE', state: room() })).toBe(0);
    const amx = { ...x2apicLeaf, function: 0xd, flags: 1, eax: 3 << 17, ecx: 0 };
    driver.setCpuid2(vcpu, [amx]);
    expect(driver.call(vcpu, { request: 'KVM_GET_XSAVE', state: room() })).toBe('EINVAL');
    const bytes = driver.check(driver.kvm, 'KVM_CAP_XSAVE2') as number;
    const small = new BytesValue(bytes - 1);
    expect(() => driver.call(vcpu, { request: 'KVM_GET_XSAVE2', state: small })).toThrow(
      RangeError,
    );
    const exact = new BytesValue(bytes);
    expect(driver.call(vcpu, { request: 'KVM_GET_XSAVE2', state: exact })).toBe(0);
  });

  test('nested state: the size is compared, then the header goes out; without VMX only VMX off goes in', () => {
    const { driver, vcpu } = plainVcpu();
    const state = new BytesValue(128);
    expect(driver.call(vcpu, { request: 'KVM_GET_NESTED_STATE', state })).toBe('E2BIG');
    expect(state.view.getUint32(4, true)).toBe(128);
    expect(driver.call(vcpu, { request: 'KVM_GET_NESTED_STATE', state })).toBe(0);
    expect(driver.call(vcpu, { request: 'KVM_SET_NESTED_STATE', state })).toBe(0);
    state.view.setBigUint64(8, 0x1000n, true);
    expect(driver.call(vcpu, { request: 'KVM_SET_NESTED_STATE', state })).toBe('EINVAL');
  });

  test('nested state: VMX operation that is restored is told again, VMCS and all, until it is left', () => {
    const { driver, vcpu } = plainVcpu();
    driver.setCpuid2(vcpu, [{ ...x2apicLeaf, ecx: 1 << 5 }]);
    const nested = (request: 'KVM_SET_NESTED_STATE' | 'KVM_GET_NESTED_STATE', state: BytesValue) =>
      driver.call(vcpu, { request, state });
    const given = new BytesValue(128 + 4096);
    given.view.setUint32(4, 128 + 4096, true);
    given.view.setBigUint64(8, 0x1000n, true);
    given.view.setBigUint64(16, 0x2000n, true);
    given.bytes.fill(0x5a, 132);
    given.view.setUint32(128, 0x11e5_7ed0, true);
    expect(nested('KVM_SET_NESTED_STATE', given)).toBe(0);
    const told = room();
    expect(nested('KVM_GET_NESTED_STATE', told)).toBe('E2BIG');
    expect(nested('KVM_GET_NESTED_STATE', told)).toBe(0);
    expect(told.bytes.subarray(0, 128 + 4096)).toEqual(given.bytes);

    const off = room();
    off.bytes.fill(0xff, 8, 24);
    expect(nested('KVM_SET_NESTED_STATE', off)).toBe(0);
    expect(nested('KVM_GET_NESTED_STATE', told)).toBe(0);
    expect(told.view.getUint32(4, true)).toBe(128);
  });
});

describe('events and the state of running', () => {
  test('an NMI waits, and one more; an SMI is a default VM’s only', () => {
    const { driver, vcpu } = plainVcpu();
    for (let i = 0; i < 3; i++) expect(driver.call(vcpu, { request: 'KVM_NMI' })).toBe(0);
    expect(driver.call(vcpu, { request: 'KVM_SMI' })).toBe(0);
    const state = room();
    driver.call(vcpu, { request: 'KVM_GET_VCPU_EVENTS', state });
    expect([state.bytes[13], state.bytes[25]]).toEqual([2, 1]);
  });

  test.each([
    ['none', [0, 0]],
    ['split', [0, 'EEXIST']],
    ['kernel', ['ENXIO', 'ENXIO']],
  ] as const)('KVM_INTERRUPT with irqchip %s, twice: %j', (irqchip, answers) => {
    const { driver, vcpu } = plainVcpu(irqchip);
    const interrupt = (vector: number) =>
      driver.call(vcpu, { request: 'KVM_INTERRUPT', vector: new StructValue(vector) });
    expect([interrupt(5), interrupt(5)]).toEqual(answers);
  });

  test('MP states: the kernel’s APIC is needed for all but RUNNABLE', () => {
    const set = (irqchip: 'none' | 'split', state: number) => {
      const { driver, vcpu } = plainVcpu(irqchip);
      const mpState = new StructValue(state);
      const answer = driver.call(vcpu, { request: 'KVM_SET_MP_STATE', mpState });
      driver.call(vcpu, { request: 'KVM_GET_MP_STATE', mpState });
      return [answer, mpState.value];
    };
    expect(set('none', 0)).toEqual([0, 0]);
    expect(set('none', 3)).toEqual(['EINVAL', 0]);
    expect(set('none', 4)).toEqual(['EINVAL', 0]);
    expect(set('split', 3)).toEqual([0, 3]);
    expect(set('split', 4)).toEqual([0, 0]);
    expect(set('split', 5)).toEqual(['EINVAL', 0]);
  });

  test('a halted vCPU blocks in KVM_RUN, until an event waits for it', async () => {
    const driver = new Driver({ guest: { run: () => ({ reason: 'KVM_EXIT_SHUTDOWN' }) } });
    const vm = driver.createVm('KVM_X86_DEFAULT_VM');
    driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
    const vcpu = driver.createVcpu(vm, 0) as number;
    driver.call(vcpu, { request: 'KVM_SET_MP_STATE', mpState: new StructValue(3) });
    const blocked = driver.run(vcpu);
    blocked.cancel();
    expect(await blocked.result).toBe('EINTR');
    driver.call(vcpu, { request: 'KVM_NMI' });
    expect(await driver.run(vcpu).result).toBe(0);
  });

  test('a signal mask has eight bytes; NULL takes it away', () => {
    const { driver, vcpu } = plainVcpu();
    const set = (mask: ReturnType<typeof signalMask> | undefined) =>
      driver.call(vcpu, { request: 'KVM_SET_SIGNAL_MASK', mask });
    expect([set(undefined), set(signalMask(4)), set(signalMask(8, 5n))]).toEqual([0, 'EINVAL', 0]);
    expect(set(faultyAt(signalMask(4), 'readLength'))).toBe('EFAULT');
    expect(set(faultyAt(signalMask(8), 'readSignals'))).toBe('EFAULT');
  });

  test('a virtual APIC page is in a memory slot, or 0', () => {
    const { driver, vm, vcpu } = plainVcpu();
    driver.setSlot(vm, undefined);
    const set = (address: bigint) =>
      driver.call(vcpu, { request: 'KVM_SET_VAPIC_ADDR', address: new StructValue(address) });
    expect([set(0n), set(0x10_0000n)]).toEqual([0, 0]);
  });
});
