/** KVM_GET_x and KVM_SET_x of a vCPU's state: asked on a VM that is no TD, which shows it. */
import { type VcpuStateRequestName, vcpuStateBytes } from '../../../../src/abi/kvm/vcpu-state.ts';
import { hostProfiles } from '../../../../src/simulator/index.ts';
import { type Driver, x2apicLeaf } from '../../drive.ts';
import { BytesValue } from '../../values.ts';
import type { Call, Conformance, ConformanceTable } from './case.ts';
import { tdVcpu } from './on-vcpu.ts';

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

const withoutNesting = {
  ...hostProfiles['spr-1.5'],
  recordedCapabilities: { KVM_CAP_NESTED_STATE: 0 },
};

const noLapic = (request: VcpuStateRequestName): StateCases => ({
  'lapic-state.no-lapic': refusing(request).on((driver) => plainVcpu(driver, 'none')),
});
const noNesting = (request: VcpuStateRequestName): StateCases => ({
  'nested-state.off': { profile: withoutNesting, provoke: refusing(request).on(plainVcpu) },
});

const ownCases: Readonly<Partial<Record<VcpuStateRequestName, StateCases>>> = {
  KVM_SET_SREGS2: { 'set-sregs2.flags': refusing('KVM_SET_SREGS2').words({ 280: 2 }) },
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
  },
  KVM_GET_LAPIC: noLapic('KVM_GET_LAPIC'),
  KVM_SET_LAPIC: noLapic('KVM_SET_LAPIC'),
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
    'nested-state.not-off': refusing(set).words({ 8: 0x1000 }),
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
