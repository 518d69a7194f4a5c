/** KVM_GET_x and KVM_SET_x of a vCPU's state: asked on a VM that is no TD, which shows it. */
import { type VcpuStateRequestName, vcpuStateBytes } from '../../../../src/abi/kvm/vcpu-state.ts';
import type { Driver } from '../../drive.ts';
import { x2apicLeaf } from '../../structs.ts';
import { BytesValue } from '../../values.ts';
import type { Call, Conformance, ConformanceTable } from './case.ts';
import { tdVcpu, withoutNesting } from './on-vcpu.ts';

type StateCases = Conformance['cases'];

function plainVcpu(driver: Driver, irqchip: 'none' | 'split' = 'split'): number {
  const vm = driver.createVm('KVM_X86_DEFAULT_VM');
  if (irqchip === 'split') driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
  return driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
}

/** A struct of the request that is taken, with some 32-bit words changed. */
function structOf(request: VcpuStateRequestName, words: Readonly<Record<number, number>> = {}) {
  const struct = new BytesValue(16384);
  if (request.endsWith('NESTED_STATE')) {
    struct.view.setUint32(4, vcpuStateBytes[request], true);
    struct.bytes.fill(0xff, 8, 24);
  }
  for (const [at, word] of Object.entries(words)) struct.view.setUint32(Number(at), word, true);
  return struct;
}

const refusing = (request: VcpuStateRequestName) => ({
  /** With these words in the struct. */
  words:
    (words: Readonly<Record<number, number>>): Call =>
    (driver) =>
      driver.call(plainVcpu(driver), { request, state: structOf(request, words) }),
  on:
    (vcpu: (driver: Driver) => number): Call =>
    (driver) =>
      driver.call(vcpu(driver), { request, state: structOf(request) }),
});

const get = 'KVM_GET_NESTED_STATE';
const set = 'KVM_SET_NESTED_STATE';
const events = refusing('KVM_SET_VCPU_EVENTS');
const debugregs = refusing('KVM_SET_DEBUGREGS');
const xcrs = refusing('KVM_SET_XCRS');
const xsave = refusing('KVM_SET_XSAVE');

/** A vCPU in x2APIC mode, of a VM with ids of 32 bits. */
function x2apicVcpu(driver: Driver): number {
  const vm = driver.createVm('KVM_X86_DEFAULT_VM');
  driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
  driver.cap(vm, 'KVM_CAP_X2APIC_API', 1n);
  const vcpu = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 3 });
  driver.setCpuid2(vcpu);
  const state = structOf('KVM_SET_SREGS', { 272: 0xfee0_0c00 });
  driver.must(vcpu, { request: 'KVM_SET_SREGS', state });
  return vcpu;
}

function lapicOfVcpu(id: number) {
  const request = 'KVM_SET_LAPIC' as const;
  return { request, state: structOf(request, { 32: id }) };
}

const noLapic = (request: VcpuStateRequestName): StateCases => ({
  'lapic-state.no-lapic': refusing(request).on((driver) => plainVcpu(driver, 'none')),
});
const noNesting = (request: VcpuStateRequestName): StateCases => ({
  'nested-state.off': { profile: withoutNesting, provoke: refusing(request).on(plainVcpu) },
});

/** Offsets of EFER, CR0, CR4 and the APIC base, and what makes each alone refuse. */
const sregsCases = (request: 'KVM_SET_SREGS' | 'KVM_SET_SREGS2'): StateCases => ({
  'set-sregs.mode': [
    { title: 'LMA without paging', provoke: refusing(request).words({ 264: 0x400 }) },
    { title: 'a 64-bit code segment', provoke: refusing(request).words({ 16: 1 << 24 }) },
    {
      title: '64-bit paging without PAE',
      provoke: refusing(request).words({ 264: 0x500, 224: 0x8000_0001 }),
    },
  ],
  'set-sregs.cr4': [
    { title: 'a reserved bit', provoke: refusing(request).words({ 248: 1 << 15 }) },
    { title: 'a feature the guest has not', provoke: refusing(request).words({ 248: 1 << 20 }) },
  ],
  'set-sregs.cr0': [
    { title: 'a bit above 31', provoke: refusing(request).words({ 228: 1 }) },
    { title: 'NW without CD', provoke: refusing(request).words({ 224: 0x2000_0000 }) },
    { title: 'PG without PE', provoke: refusing(request).words({ 224: 0x8000_0000 }) },
  ],
  'set-sregs.efer': [
    { title: 'a reserved bit', provoke: refusing(request).words({ 264: 2 }) },
    { title: 'NX that the guest has not', provoke: refusing(request).words({ 264: 0x800 }) },
  ],
  'set-sregs.apic-base': [
    { title: 'a reserved bit', provoke: refusing(request).words({ 272: 1 }) },
    { title: 'x2APIC that is off', provoke: refusing(request).words({ 272: 0x400 }) },
  ],
});

/** VMX operation with a VMCS that is right, as words of KVM_SET_NESTED_STATE. */
const vmxWords = { 4: 128 + 4096, 8: 0x1000, 12: 0, 16: 0x2000, 20: 0, 128: 0x11e5_7ed0 };

function vmxVcpu(driver: Driver): number {
  const vcpu = plainVcpu(driver);
  driver.setCpuid2(vcpu, [{ ...x2apicLeaf, ecx: 1 << 5 }]);
  return vcpu;
}

/** The guest has VMX and its operation is restored, with these words changed. */
const withVmx =
  (words: Readonly<Record<number, number>>): Call =>
  (driver) =>
    driver.call(vmxVcpu(driver), { request: set, state: structOf(set, { ...vmxWords, ...words }) });

const ownCases: Readonly<Partial<Record<VcpuStateRequestName, StateCases>>> = {
  KVM_SET_SREGS: sregsCases('KVM_SET_SREGS'),
  KVM_SET_SREGS2: {
    'set-sregs2.flags': refusing('KVM_SET_SREGS2').words({ 280: 2 }),
    'set-sregs2.pdptrs': refusing('KVM_SET_SREGS2').words({ 280: 1 }),
    ...sregsCases('KVM_SET_SREGS2'),
  },
  KVM_GET_XSAVE: {
    'get-xsave.too-small': refusing('KVM_GET_XSAVE').on((driver) => {
      const vcpu = plainVcpu(driver);
      driver.setCpuid2(vcpu, [{ ...x2apicLeaf, function: 0xd, flags: 1, eax: 3 << 17, ecx: 0 }]);
      return vcpu;
    }),
  },
  KVM_SET_XCRS: {
    'set-xcrs.header': [
      { title: '17 registers', provoke: xcrs.words({ 0: 17 }) },
      { title: 'flags', provoke: xcrs.words({ 4: 1 }) },
    ],
    'set-xcrs.xcr0': [
      { title: 'without x87', provoke: xcrs.words({ 0: 1 }) },
      { title: 'SSE that the guest has not', provoke: xcrs.words({ 0: 1, 16: 3 }) },
    ],
  },
  KVM_GET_LAPIC: noLapic('KVM_GET_LAPIC'),
  KVM_SET_LAPIC: {
    ...noLapic('KVM_SET_LAPIC'),
    'set-lapic.id': (driver) => driver.call(x2apicVcpu(driver), lapicOfVcpu(2)),
  },
  KVM_SET_XSAVE: {
    'set-xsave.components': [
      { title: 'MPX', provoke: xsave.words({ 512: 3 << 3 }) },
      { title: 'AMX tiles', provoke: xsave.words({ 512: 1 << 18 }) },
    ],
    'set-xsave.header': [
      { title: 'the compact format', provoke: xsave.words({ 524: 0x8000_0000 }) },
      { title: 'a reserved byte', provoke: xsave.words({ 572: 1 }) },
    ],
    'set-xsave.mxcsr': xsave.words({ 512: 2, 24: 0x1_0000 }),
  },
  KVM_SET_GUEST_DEBUG: {
    'set-guest-debug.exception-pending': (driver) => {
      const vcpu = plainVcpu(driver);
      const request = 'KVM_SET_GUEST_DEBUG';
      const inject = { request, state: structOf(request, { 0: 0x8_0000 }) } as const;
      driver.must(vcpu, inject);
      return driver.call(vcpu, inject);
    },
  },
  KVM_SET_DEBUGREGS: {
    'set-debugregs.flags': debugregs.words({ 48: 1 }),
    'set-debugregs.value': [
      { title: 'DR6', provoke: debugregs.words({ 36: 1 }) },
      { title: 'DR7', provoke: debugregs.words({ 44: 1 }) },
    ],
  },
  KVM_SET_VCPU_EVENTS: {
    'vcpu-events.flags': events.words({ 20: 64 }),
    'vcpu-events.payload-not-enabled': events.words({ 20: 16 }),
    // injected, nr
    'vcpu-events.vector': events.words({ 0: 0x2001 }),
    'vcpu-events.triple-fault-not-enabled': events.words({ 20: 32 }),
  },
  KVM_GET_NESTED_STATE: {
    ...noNesting(get),
    'nested-state.too-small': refusing(get).words({ 4: 127 }),
  },
  KVM_SET_NESTED_STATE: {
    ...noNesting(set),
    'nested-state.size': refusing(set).words({ 4: 127 }),
    'nested-state.flags': refusing(set).words({ 0: 0x10 }),
    'nested-state.run-pending': refusing(set).words({ 0: 2 }),
    'nested-state.format': refusing(set).words({ 0: 1 << 16 }),
    'nested-state.not-off': [
      { title: 'a VMCS', provoke: refusing(set).words({ 16: 0x2000, 20: 0 }) },
      { title: 'a flag', provoke: refusing(set).words({ 0: 1 }) },
      { title: 'a flag of SMM', provoke: refusing(set).words({ 24: 1 }) },
    ],
    'nested-state.no-vmx': refusing(set).words({ 8: 0x1000, 12: 0 }),
    'nested-state.vmxon-address': [
      { title: 'no page', provoke: withVmx({ 8: 0x1001 }) },
      { title: 'above 36 bits', provoke: withVmx({ 12: 0x10 }) },
    ],
    'nested-state.smm-guest-mode': withVmx({ 0: 1, 24: 1 }),
    'nested-state.smm-flags': withVmx({ 24: 4 }),
    'nested-state.vmx-flags': withVmx({ 28: 2 }),
    'nested-state.outside-smm': withVmx({ 24: 1 }),
    'nested-state.evmcs-off': withVmx({ 0: 4 }),
    'nested-state.no-room-for-vmcs': withVmx({ 4: 4096 + 127 }),
    'nested-state.vmcs-address': [
      { title: 'that of the VMXON region', provoke: withVmx({ 16: 0x1000 }) },
      { title: 'no page', provoke: withVmx({ 16: 0x2001 }) },
      { title: 'none', provoke: withVmx({ 16: 0xffff_ffff, 20: 0xffff_ffff }) },
    ],
    'nested-state.vmcs-unreadable': (driver) => {
      const struct = structOf(set, vmxWords);
      const state = {
        read: (length: number, offset = 0) =>
          offset < 128 ? struct.read(length, offset) : undefined,
        write: () => true,
      };
      return driver.call(vmxVcpu(driver), { request: set, state });
    },
    'nested-state.vmcs-revision': withVmx({ 128: 1 }),
    'nested-state.guest-runs': withVmx({ 0: 1 }),
  },
};

const hasNoProtection = /VCPU_EVENTS|NESTED_STATE/;

/** Every request of vCPU state. */
export const vcpuStates: ConformanceTable = Object.fromEntries(
  (Object.keys(vcpuStateBytes) as VcpuStateRequestName[]).map((request) => [
    request,
    {
      handle: plainVcpu,
      request: () => ({ request, state: structOf(request) }),
      cases: {
        ...(hasNoProtection.test(request)
          ? {}
          : { 'vcpu-state.protected': refusing(request).on(tdVcpu) }),
        ...ownCases[request],
      },
    } satisfies Conformance,
  ]),
);
