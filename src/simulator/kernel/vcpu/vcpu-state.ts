/**
 * KVM_GET_x and KVM_SET_x access a vCPU's state. KVM cannot show a TD's state: nearly all of it is
 * EINVAL, some of it before the caller's memory is touched and some after. For another VM, KVM shows
 * what a reset leaves until user space writes something else; values are checked as the rows say.
 */
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import { type VcpuStateRequestName, vcpuStateBytes } from '../../../abi/kvm/vcpu-state.ts';
import type { Answer, Request, UserBytes } from '../../interface.ts';
import { done } from '../answer.ts';
import { type CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import { supportedFeatures } from '../cpuid/cpu-caps.ts';
import type { Kernel } from '../kernel.ts';
import { isX2apic } from '../msrs/lapic-registers.ts';
import type { StateName, Vcpu } from '../objects.ts';
import { xsaveBytes } from '../system/capability-values.ts';
import { copiedBytes } from './copied-bytes.ts';
import { nestedState } from './nested-state.ts';
import { resetState } from './reset-state.ts';
import { keepSregs, showSregs, sregsSteps } from './sregs.ts';
import {
  acceptsException,
  eventFlags,
  eventFlagsOf,
  showEvents,
  takeEvents,
} from './vcpu-events.ts';
import { keepXcrs, xstateSteps } from './xstate.ts';

interface StateCall {
  readonly kernel: Kernel;
  readonly vcpu: Vcpu;
  readonly request: VcpuStateRequestName;
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
  ...sregsSteps,
  ...xstateSteps,
  // KVM_CAP_X2APIC_API has ids of 32 bits; without it the id in the page is ignored.
  'set-lapic.id': ({ vcpu, given }) =>
    isX2apic(vcpu) &&
    (vcpu.vm.caps.x2apicApi & USE_32BIT_IDS) !== 0n &&
    given.value.getUint32(lapicId, true) !== vcpu.id,
  'set-guest-debug.exception-pending': ({ vcpu, given }) =>
    injectedException(given.value) !== undefined && vcpu.pending.exception !== undefined,
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
  const call = { kernel, vcpu, request, state, bytes, user, given };
  const refused = firstRefusal(kernel, request, { steps, call });
  if (refused !== undefined) return refused;
  if (request.startsWith('KVM_SET_')) keep(call);
  return done;
}

/** SREGS2 and XSAVE2 are later structs of the same state. */
function stateOf(request: VcpuStateRequestName): StateName {
  return request.replace(/^KVM_[GS]ET_|2$/g, '') as StateName;
}

function shown(call: StateCall): Uint8Array {
  const { kernel, vcpu, request, state, bytes } = call;
  const kept = vcpu.state.get(state) ?? resetState(state, vcpu);
  const copy = new Uint8Array(bytes);
  copy.set(kept.subarray(0, bytes));
  if (state === 'XSAVE') showFeatures(kernel, copy);
  if (state === 'VCPU_EVENTS') showEvents(vcpu, copy);
  if (state === 'SREGS') showSregs(call, copy, request.endsWith('2') ? 'SREGS2' : 'SREGS');
  if (state === 'LAPIC') showLapic(vcpu, copy);
  return copy;
}

function keep(call: StateCall): void {
  const { vcpu, request, state, given } = call;
  const bytes = new Uint8Array(given.value.buffer);
  if (state === 'SREGS') keepSregs(call, request.endsWith('2') ? 'SREGS2' : 'SREGS');
  else if (state === 'XCRS') keepXcrs(call);
  else vcpu.state.set(state, bytes);
  if (state === 'VCPU_EVENTS') takeEvents(vcpu, given.value);
  if (state === 'REGS') {
    given.value.setUint32(rflags, given.value.getUint32(rflags, true) | X86_EFLAGS_FIXED, true);
    if (vcpu.pending.exception?.state === 'pending') vcpu.pending.exception = undefined;
  }
  if (state === 'GUEST_DEBUG') {
    const vector = injectedException(given.value);
    if (vector !== undefined) vcpu.pending.exception = { vector, state: 'pending' };
  }
}

const rflags = 136;
const X86_EFLAGS_FIXED = 2;
const lapicId = 0x20;
const USE_32BIT_IDS = 1n;
const inject = { db: 0x4_0000, bp: 0x8_0000 } as const;
const vectors = { db: 1, bp: 3 } as const;

/** The exception that KVM_SET_GUEST_DEBUG is to inject. */
function injectedException(debug: DataView): number | undefined {
  const control = debug.getUint32(0, true);
  if ((control & inject.db) !== 0) return vectors.db;
  return (control & inject.bp) === 0 ? undefined : vectors.bp;
}

/** In x2APIC mode the id is that of the vCPU, and shown in eight bits unless user space knows of 32. */
function showLapic(vcpu: Vcpu, page: Uint8Array): void {
  if (!isX2apic(vcpu)) return;
  const is32Bit = (vcpu.vm.caps.x2apicApi & USE_32BIT_IDS) !== 0n;
  new DataView(page.buffer).setUint32(lapicId, is32Bit ? vcpu.id : vcpu.id << 24, true);
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
