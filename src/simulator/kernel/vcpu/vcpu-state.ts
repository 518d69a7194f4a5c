/**
 * KVM_GET_x and KVM_SET_x access a vCPU's state. KVM cannot show a TD's state: nearly all of it is
 * EINVAL, some of it before the caller's memory is touched and some after. For another VM, KVM shows
 * what a reset leaves until user space writes something else; values are checked only as far as the
 * rows say.
 */
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import { type VcpuStateRequestName, vcpuStateBytes } from '../../../abi/kvm/vcpu-state.ts';
import type { Answer, Request, UserBytes } from '../../interface.ts';
import { done } from '../answer.ts';
import { type CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import { supportedFeatures } from '../cpuid/cpu-caps.ts';
import type { Kernel } from '../kernel.ts';
import type { StateName, Vcpu } from '../objects.ts';
import { xsaveBytes } from '../system/capability-values.ts';
import { copiedBytes } from './copied-bytes.ts';
import { nestedState } from './nested-state.ts';
import { resetState } from './reset-state.ts';
import {
  acceptsException,
  eventFlags,
  eventFlagsOf,
  showEvents,
  takeEvents,
} from './vcpu-events.ts';

interface StateCall {
  readonly kernel: Kernel;
  readonly vcpu: Vcpu;
  readonly state: StateName;
  readonly bytes: number;
  readonly user: UserBytes;
  readonly given: CopiedIn<DataView>;
}

const XSAVE_SW_FEATURES = 464;

const steps: Steps<StateCall> = {
  'lapic-state.no-lapic': ({ vcpu }) => vcpu.vm.irqchip === 'none',
  'get-xsave.too-small': ({ bytes }) => bytes > vcpuStateBytes.KVM_GET_XSAVE,
  'vcpu-state.protected': isProtected,
  'argument.unreadable': ({ given }) => given.fails(),
  'argument.unwritable': (call) => !call.user.write(shown(call)),
  // Bit 0 is PDPTRS_VALID, the only flag that there is.
  'set-sregs2.flags': ({ given }) => (given.value.getBigUint64(280, true) & ~1n) !== 0n,
  // The header holds nr_xcrs and flags.
  'set-xcrs.header': ({ given: { value } }) =>
    value.getUint32(0, true) > 16 || value.getUint32(4, true) !== 0,
  'set-debugregs.flags': ({ given }) => given.value.getBigUint64(48, true) !== 0n,
  // DR6 and DR7 have 32 bits.
  'set-debugregs.value': ({ given: { value } }) =>
    value.getUint32(36, true) !== 0 || value.getUint32(44, true) !== 0,
  'vcpu-events.flags': ({ given }) => (eventFlagsOf(given.value) & ~eventFlags.all) !== 0,
  'vcpu-events.payload-not-enabled': ({ vcpu, given }) =>
    (eventFlagsOf(given.value) & eventFlags.payload) !== 0 && !vcpu.vm.caps.exceptionPayload,
  'vcpu-events.vector': ({ given }) => !acceptsException(given.value),
  'vcpu-events.triple-fault-not-enabled': (call) => {
    const { vcpu, given } = call;
    const isRefused =
      (eventFlagsOf(given.value) & eventFlags.tripleFault) !== 0 && !vcpu.vm.caps.tripleFaultEvent;
    if (isRefused) keep(call);
    return isRefused;
  },
};

interface StateRequest {
  readonly request: VcpuStateRequestName;
  readonly state: UserBytes;
}

export function isStateRequest(request: Request): request is StateRequest {
  return 'state' in request;
}

export function vcpuState(
  kernel: Kernel,
  vcpu: Vcpu,
  { request, state: user }: StateRequest,
): Answer {
  if (request === 'KVM_GET_NESTED_STATE' || request === 'KVM_SET_NESTED_STATE') {
    return nestedState(kernel, vcpu, request, user);
  }
  const state = stateOf(request);
  const bytes = state === 'XSAVE' ? xsaveSize(kernel, vcpu) : vcpuStateBytes[request];
  const given = copiedBytes(user, bytes);
  const call = { kernel, vcpu, state, bytes, user, given };
  const refused = firstRefusal(kernel, request, { steps, call });
  if (refused !== undefined) return refused;
  if (request.startsWith('KVM_SET_')) keep(call);
  return done;
}

/** SREGS2 and XSAVE2 are later structs of the same state. */
function stateOf(request: VcpuStateRequestName): StateName {
  return request.replace(/^KVM_[GS]ET_|2$/g, '') as StateName;
}

function shown({ kernel, vcpu, state, bytes }: StateCall): Uint8Array {
  const kept = vcpu.state.get(state) ?? resetState(state, vcpu);
  const copy = new Uint8Array(bytes);
  copy.set(kept.subarray(0, bytes));
  if (state === 'XSAVE') showFeatures(kernel, copy);
  if (state === 'VCPU_EVENTS') showEvents(vcpu, copy);
  return copy;
}

function keep({ vcpu, state, given: { value } }: StateCall): void {
  vcpu.state.set(state, new Uint8Array(value.buffer));
  if (state === 'VCPU_EVENTS') takeEvents(vcpu, value);
}

/**
 * The FPU and the APIC of a TD are always protected, and the rest is unless the TD has the attribute
 * DEBUG.
 */
function isProtected({ vcpu: { vm }, state }: StateCall): boolean {
  if (vm.td === undefined) return false;
  const isAlways = state === 'FPU' || state === 'XSAVE' || state === 'LAPIC';
  return isAlways || (vm.td.attributes & TDX_TD_ATTR_DEBUG) === 0n;
}

const TDX_TD_ATTR_DEBUG = 1n;

/** This is uabi_size, which grows when KVM_SET_CPUID2 gives the guest AMX. */
function xsaveSize(kernel: Kernel, { cpuid }: Vcpu): number {
  const xcr0 = findEntry(cpuid, 0xd)?.eax ?? 0;
  return (xcr0 & XTILE_DATA) === 0 ? vcpuStateBytes.KVM_GET_XSAVE : xsaveBytes(kernel);
}

const XTILE_DATA = 1 << 18;

/** KVM tells in the area itself which components it may hold. */
function showFeatures({ profile }: Kernel, xsave: Uint8Array): void {
  const { xcr0 } = supportedFeatures(profile.platform);
  new DataView(xsave.buffer).setBigUint64(XSAVE_SW_FEATURES, xcr0, true);
}
