/**
 * KVM_GET_NESTED_STATE and KVM_SET_NESTED_STATE are modelled on arch/x86/kvm/x86.c and vmx/nested.c. No
 * guest here enters VMX operation by itself, but user space may restore one that is in it. A guest of such
 * a guest is not modelled: a state in which one runs is refused, as KVM refuses one whose VMCS is no good.
 */
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import { vcpuStateBytes } from '../../../abi/kvm/vcpu-state.ts';
import type { Answer, UserBytes } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { copiedBytes } from './copied-bytes.ts';
import { isLegalGpa } from './cpuid.ts';
import { isNestedOn } from './enlightened-vmcs.ts';

const headerBytes = vcpuStateBytes.KVM_GET_NESTED_STATE;
/** Offsets in `struct kvm_nested_state`. */
const at = {
  flags: 0,
  format: 2,
  size: 4,
  vmxonPa: 8,
  vmcs12Pa: 16,
  smmFlags: 24,
  vmxFlags: 28,
} as const;
const noAddress = (1n << 64n) - 1n;
const stateFlags = { guestMode: 1, runPending: 2, evmcs: 4, all: 0x10f } as const;
const smmFlags = { guestMode: 1, all: 3 } as const;
const PREEMPTION_TIMER_DEADLINE = 1;
/** Size of `struct vmcs12` and what stands first in it (vmx/vmcs12.h). */
const vmcs12Bytes = 4096;
const VMCS12_REVISION = 0x11e5_7ed0;
const VMX_BIT = 1 << 5;

interface NestedStateCall {
  readonly kernel: Kernel;
  readonly vcpu: Vcpu;
  readonly user: UserBytes;
}

interface GetCall extends NestedStateCall {
  /** The size alone is read. */
  readonly given: CopiedIn<DataView>;
  readonly state: Uint8Array;
}

interface SetCall extends NestedStateCall {
  readonly header: CopiedIn<NestedState>;
  readonly vmcs12: CopiedIn<DataView>;
}

interface NestedState {
  readonly flags: number;
  readonly format: number;
  readonly size: number;
  readonly vmxonPa: bigint;
  readonly vmcs12Pa: bigint;
  readonly smmFlags: number;
  readonly vmxFlags: number;
}

/** The calls fail as they do without the module parameter `nested`. */
const isOff = ({ kernel, vcpu }: NestedStateCall) => !isNestedOn(kernel, vcpu);

const hasRoom = ({ given, state }: GetCall) => given.value.getUint32(0, true) >= state.length;

const getSteps: Steps<GetCall> = {
  'nested-state.off': isOff,
  'argument.unreadable': ({ given }) => given.fails(),
  // The kernel writes the state where it fits, and otherwise only its size.
  'argument.unwritable': (call) =>
    hasRoom(call)
      ? !call.user.write(call.state)
      : !call.user.write(call.state.subarray(at.size, at.size + 4), at.size),
  'nested-state.too-small': (call) => !hasRoom(call),
};

const has = ({ header }: SetCall, flags: number) => (header.value.flags & flags) !== 0;
const isOutsideVmx = ({ header }: SetCall) => header.value.vmxonPa === noAddress;
const hasVmx = ({ cpuid }: Vcpu) => ((findEntry(cpuid, 1)?.ecx ?? 0) & VMX_BIT) !== 0;
const isPage = (vcpu: Vcpu, address: bigint) =>
  (address & 0xfffn) === 0n && isLegalGpa(vcpu, address);

/** KVM then restores VMX operation without a VMCS. */
const holdsNoVmcs = ({ header }: SetCall) => header.value.size < headerBytes + vmcs12Bytes;

const isWithoutVmcs = (call: SetCall) => isOutsideVmx(call) || holdsNoVmcs(call);

const setSteps: Steps<SetCall> = {
  'nested-state.off': isOff,
  'argument.unreadable': ({ header }) => header.fails(),
  'nested-state.size': ({ header }) => header.value.size < headerBytes,
  'nested-state.flags': (call) => has(call, ~stateFlags.all),
  'nested-state.run-pending': (call) =>
    has(call, stateFlags.runPending) && !has(call, stateFlags.guestMode),
  'nested-state.format': ({ header }) => header.value.format !== 0,
  'nested-state.not-off': (call) => {
    const { smmFlags, vmcs12Pa } = call.header.value;
    return (
      isOutsideVmx(call) &&
      (smmFlags !== 0 || vmcs12Pa !== noAddress || has(call, ~stateFlags.evmcs))
    );
  },
  'nested-state.no-vmx': (call) => !isOutsideVmx(call) && !hasVmx(call.vcpu),
  'nested-state.vmxon-address': (call) =>
    !isOutsideVmx(call) && !isPage(call.vcpu, call.header.value.vmxonPa),
  'nested-state.smm-guest-mode': (call) =>
    (call.header.value.smmFlags & smmFlags.guestMode) !== 0 && has(call, stateFlags.guestMode),
  'nested-state.smm-flags': ({ header }) => (header.value.smmFlags & ~smmFlags.all) !== 0,
  'nested-state.vmx-flags': ({ header }) =>
    (header.value.vmxFlags & ~PREEMPTION_TIMER_DEADLINE) !== 0,
  'nested-state.outside-smm': ({ header }) => header.value.smmFlags !== 0,
  'nested-state.evmcs-off': (call) =>
    has(call, stateFlags.evmcs) && !(hasVmx(call.vcpu) && call.vcpu.evmcsEnabled),
  'nested-state.no-room-for-vmcs': (call) => {
    // What was before is left here, whatever is refused from now on.
    call.vcpu.vmxOperation = undefined;
    if (isOutsideVmx(call)) return false;
    const { vmxonPa, vmcs12Pa } = call.header.value;
    call.vcpu.vmxOperation = { vmxonPa, vmcs12Pa: noAddress, vmcs12: new Uint8Array(0) };
    const needsVmcs = vmcs12Pa !== noAddress || has(call, stateFlags.guestMode | stateFlags.evmcs);
    return holdsNoVmcs(call) && needsVmcs;
  },
  'nested-state.vmcs-address': (call) => {
    if (isWithoutVmcs(call)) return false;
    const { vmxonPa, vmcs12Pa } = call.header.value;
    if (vmcs12Pa === noAddress) return !has(call, stateFlags.evmcs);
    return vmcs12Pa === vmxonPa || !isPage(call.vcpu, vmcs12Pa);
  },
  'nested-state.vmcs-unreadable': (call) => {
    if (isWithoutVmcs(call)) return false;
    if (call.vmcs12.fails()) return true;
    const { vmxonPa, vmcs12Pa } = call.header.value;
    const vmcs12 = new Uint8Array(call.vmcs12.value.buffer);
    call.vcpu.vmxOperation = { vmxonPa, vmcs12Pa, vmcs12 };
    return false;
  },
  'nested-state.vmcs-revision': (call) =>
    !isWithoutVmcs(call) && call.vmcs12.value.getUint32(0, true) !== VMCS12_REVISION,
  'nested-state.guest-runs': (call) => !isWithoutVmcs(call) && has(call, stateFlags.guestMode),
};

export function nestedState(
  kernel: Kernel,
  vcpu: Vcpu,
  request: 'KVM_GET_NESTED_STATE' | 'KVM_SET_NESTED_STATE',
  user: UserBytes,
): Answer {
  if (request === 'KVM_GET_NESTED_STATE') {
    const given = copiedBytes(user, 4, at.size);
    const call: GetCall = { kernel, vcpu, user, given, state: stateOf(vcpu) };
    return firstRefusal(kernel, request, { steps: getSteps, call }) ?? done;
  }
  const header = new CopiedIn(() => readHeader(user));
  const call: SetCall = {
    kernel,
    vcpu,
    user,
    header,
    vmcs12: copiedBytes(user, vmcs12Bytes, headerBytes),
  };
  return firstRefusal(kernel, request, { steps: setSteps, call }) ?? done;
}

function readHeader(user: UserBytes): NestedState | undefined {
  const bytes = user.read(headerBytes);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    flags: view.getUint16(at.flags, true),
    format: view.getUint16(at.format, true),
    size: view.getUint32(at.size, true),
    vmxonPa: view.getBigUint64(at.vmxonPa, true),
    vmcs12Pa: view.getBigUint64(at.vmcs12Pa, true),
    smmFlags: view.getUint16(at.smmFlags, true),
    vmxFlags: view.getUint32(at.vmxFlags, true),
  };
}

/** A guest that has lost VMX from its CPUID shows no VMX operation. */
function stateOf(vcpu: Vcpu): Uint8Array {
  const { vmxonPa, vmcs12Pa, vmcs12 } = (hasVmx(vcpu) ? vcpu.vmxOperation : undefined) ?? {
    vmxonPa: noAddress,
    vmcs12Pa: noAddress,
    vmcs12: new Uint8Array(0),
  };
  const state = new Uint8Array(headerBytes + vmcs12.length);
  const view = new DataView(state.buffer);
  view.setUint32(at.size, state.length, true);
  view.setBigUint64(at.vmxonPa, vmxonPa, true);
  view.setBigUint64(at.vmcs12Pa, vmcs12Pa, true);
  state.set(vmcs12, headerBytes);
  return state;
}
