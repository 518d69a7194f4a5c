/**
 * KVM_GET_x and KVM_SET_x of a vCPU's state. A TD's state is not KVM's to show: nearly all of it is
 * EINVAL, some of it before the caller's memory is touched and some after. Of another VM what was
 * written is kept, and shown beginning with what a reset leaves; values are checked only as far as the
 * rows say. Order: kvm_vcpu_ioctl() and kvm_arch_vcpu_ioctl(), Linux 7.3.
 */
import { capabilities } from '../../../abi/kvm/capabilities.ts';
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import { type VcpuStateRequestName, vcpuStateBytes } from '../../../abi/kvm/vcpu-state.ts';
import { xcr0Of } from '../../../abi/tdx/xfam.ts';
import type { Answer, Request, UserBytes } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import type { Kernel } from '../kernel.ts';
import type { StateName, Vcpu } from '../objects.ts';
import { xsaveBytes } from '../system/capability-values.ts';
import { checkExtension } from '../system/check-extension.ts';
import { nestedState } from './nested-state.ts';
import { resetState } from './reset-state.ts';

/** Why KVM cannot get at it: `guest state` of a TD without the attribute DEBUG, the others of any TD. */
type Protection = 'guest state' | 'fpu' | 'apic' | 'nothing';

interface StateRule {
  readonly access: 'get' | 'set';
  readonly state: StateName;
  readonly protectedAs: Protection;
  /** EINVAL for a protected state comes before the caller's memory is read. Of a get it always does. */
  readonly refusedFirst?: true;
  /** Without a local APIC in the kernel: EINVAL, first of all. */
  readonly needsLapic?: true;
  readonly accepts?: (bytes: DataView, vcpu: Vcpu) => boolean;
}

const XSAVE_SW_FEATURES = 464;

const rules: Readonly<Record<Exclude<VcpuStateRequestName, `${string}NESTED_STATE`>, StateRule>> = {
  KVM_GET_REGS: { access: 'get', state: 'REGS', protectedAs: 'guest state' },
  KVM_SET_REGS: { access: 'set', state: 'REGS', protectedAs: 'guest state' },
  KVM_GET_SREGS: { access: 'get', state: 'SREGS', protectedAs: 'guest state' },
  KVM_SET_SREGS: { access: 'set', state: 'SREGS', protectedAs: 'guest state' },
  KVM_GET_SREGS2: { access: 'get', state: 'SREGS', protectedAs: 'guest state' },
  KVM_SET_SREGS2: {
    access: 'set',
    state: 'SREGS',
    protectedAs: 'guest state',
    refusedFirst: true,
    // flags: PDPTRS_VALID
    accepts: (bytes) => (bytes.getBigUint64(280, true) & ~1n) === 0n,
  },
  KVM_GET_FPU: { access: 'get', state: 'FPU', protectedAs: 'fpu' },
  KVM_SET_FPU: { access: 'set', state: 'FPU', protectedAs: 'fpu' },
  KVM_GET_XSAVE: { access: 'get', state: 'XSAVE', protectedAs: 'fpu' },
  KVM_SET_XSAVE: { access: 'set', state: 'XSAVE', protectedAs: 'fpu' },
  KVM_GET_XSAVE2: { access: 'get', state: 'XSAVE', protectedAs: 'fpu' },
  KVM_GET_XCRS: { access: 'get', state: 'XCRS', protectedAs: 'guest state' },
  KVM_SET_XCRS: {
    access: 'set',
    state: 'XCRS',
    protectedAs: 'guest state',
    // nr_xcrs, flags
    accepts: (bytes) => bytes.getUint32(0, true) <= 16 && bytes.getUint32(4, true) === 0,
  },
  KVM_GET_LAPIC: { access: 'get', state: 'LAPIC', protectedAs: 'apic', needsLapic: true },
  KVM_SET_LAPIC: { access: 'set', state: 'LAPIC', protectedAs: 'apic', needsLapic: true },
  KVM_GET_DEBUGREGS: { access: 'get', state: 'DEBUGREGS', protectedAs: 'guest state' },
  KVM_SET_DEBUGREGS: {
    access: 'set',
    state: 'DEBUGREGS',
    protectedAs: 'guest state',
    // flags; DR6 and DR7 have 32 bits
    accepts: (bytes) =>
      bytes.getBigUint64(48, true) === 0n &&
      bytes.getBigUint64(32, true) >> 32n === 0n &&
      bytes.getBigUint64(40, true) >> 32n === 0n,
  },
  KVM_GET_VCPU_EVENTS: { access: 'get', state: 'VCPU_EVENTS', protectedAs: 'nothing' },
  KVM_SET_VCPU_EVENTS: {
    access: 'set',
    state: 'VCPU_EVENTS',
    protectedAs: 'nothing',
    accepts: acceptsEvents,
  },
  KVM_SET_GUEST_DEBUG: { access: 'set', state: 'GUEST_DEBUG', protectedAs: 'guest state' },
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
    // As without the module parameter `nested`.
    if (checkExtension(kernel, capabilities.KVM_CAP_NESTED_STATE, vcpu.vm) === 0) {
      return refuse('EINVAL');
    }
    return nestedState(request, user);
  }
  const rule = rules[request];
  if (rule.needsLapic && vcpu.vm.irqchip === 'none') return refuse('EINVAL');
  const bytes = rule.state === 'XSAVE' ? xsaveSize(kernel, vcpu) : vcpuStateBytes[request];
  // The old struct has no room for the area of a guest with AMX.
  if (request === 'KVM_GET_XSAVE' && bytes > vcpuStateBytes[request]) return refuse('EINVAL');
  return rule.access === 'get'
    ? getState(kernel, vcpu, rule, { bytes, user })
    : setState(vcpu, rule, { bytes, user });
}

interface Copy {
  readonly bytes: number;
  readonly user: UserBytes;
}

function getState(kernel: Kernel, vcpu: Vcpu, rule: StateRule, { bytes, user }: Copy): Answer {
  if (isProtected(vcpu, rule.protectedAs)) return refuse('EINVAL');
  const kept = vcpu.state.get(rule.state) ?? resetState(rule.state, vcpu);
  const shown = new Uint8Array(bytes);
  shown.set(kept.subarray(0, bytes));
  if (rule.state === 'XSAVE') showFeatures(kernel, shown);
  if (rule.state === 'VCPU_EVENTS') showEvents(vcpu, shown);
  return user.write(shown) ? done : refuse('EFAULT');
}

function setState(vcpu: Vcpu, rule: StateRule, { bytes, user }: Copy): Answer {
  const refused = isProtected(vcpu, rule.protectedAs);
  if (rule.refusedFirst && refused) return refuse('EINVAL');
  const given = user.read(bytes);
  if (given === undefined) return refuse('EFAULT');
  if (refused) return refuse('EINVAL');
  const view = new DataView(given.buffer, given.byteOffset, given.byteLength);
  if (rule.accepts?.(view, vcpu) === false) return refuse('EINVAL');
  vcpu.state.set(rule.state, new Uint8Array(given));
  if (rule.state === 'VCPU_EVENTS') takeEvents(vcpu, view);
  return done;
}

function isProtected({ vm }: Vcpu, protection: Protection): boolean {
  if (vm.td === undefined || protection === 'nothing') return false;
  return protection !== 'guest state' || (vm.td.attributes & TDX_TD_ATTR_DEBUG) === 0n;
}

const TDX_TD_ATTR_DEBUG = 1n;

/** uabi_size: it grows when KVM_SET_CPUID2 gives the guest AMX. */
function xsaveSize(kernel: Kernel, { cpuid }: Vcpu): number {
  const xcr0 = findEntry(cpuid, 0xd)?.eax ?? 0;
  return (xcr0 & XTILE_DATA) === 0 ? vcpuStateBytes.KVM_GET_XSAVE : xsaveBytes(kernel);
}

const XTILE_DATA = 1 << 18;

/** KVM says in the area itself which components it may hold. */
function showFeatures({ profile }: Kernel, xsave: Uint8Array): void {
  new DataView(xsave.buffer).setBigUint64(XSAVE_SW_FEATURES, xcr0Of(profile.platform.xfam), true);
}

const eventFlags = {
  nmiPending: 1,
  shadow: 4,
  smm: 8,
  payload: 16,
  tripleFault: 32,
  /** With SIPI_VECTOR, which is only ever given. */
  all: 63,
} as const;
const EVENTS_FLAGS = 20;
const EVENTS_NMI_PENDING = 13;
const EVENTS_SMI_PENDING = 25;
const NMI_VECTOR = 2;

function showEvents({ vm, pending }: Vcpu, events: Uint8Array): void {
  events[EVENTS_NMI_PENDING] = pending.nmis;
  events[EVENTS_SMI_PENDING] = Number(pending.smi);
  const { nmiPending, shadow, smm, payload, tripleFault } = eventFlags;
  const flags =
    nmiPending |
    shadow |
    smm |
    (vm.caps.exceptionPayload ? payload : 0) |
    (vm.caps.tripleFaultEvent ? tripleFault : 0);
  new DataView(events.buffer).setUint32(EVENTS_FLAGS, flags, true);
}

function takeEvents({ pending }: Vcpu, events: DataView): void {
  const flags = events.getUint32(EVENTS_FLAGS, true);
  if ((flags & eventFlags.nmiPending) !== 0) pending.nmis = events.getUint8(EVENTS_NMI_PENDING);
  if ((flags & eventFlags.smm) !== 0) pending.smi = events.getUint8(EVENTS_SMI_PENDING) !== 0;
}

/** What a flag announces must be enabled; an exception has one of 32 vectors and is no NMI. */
function acceptsEvents(events: DataView, { vm }: Vcpu): boolean {
  const flags = events.getUint32(EVENTS_FLAGS, true);
  if ((flags & ~eventFlags.all) !== 0) return false;
  const hasPayload = (flags & eventFlags.payload) !== 0;
  if (hasPayload && !vm.caps.exceptionPayload) return false;
  const [injected, vector, , pending] = [0, 1, 2, 3].map((at) => events.getUint8(at));
  const isException = injected !== 0 || (hasPayload && pending !== 0);
  if (isException && ((vector ?? 0) > 31 || vector === NMI_VECTOR)) return false;
  return (flags & eventFlags.tripleFault) === 0 || vm.caps.tripleFaultEvent;
}
