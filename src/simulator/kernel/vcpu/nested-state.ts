/**
 * KVM_GET_NESTED_STATE and KVM_SET_NESTED_STATE are modelled on arch/x86/kvm/x86.c and vmx/nested.c. No
 * guest here ever enters VMX operation, so there is the header alone.
 */
import { capabilities } from '../../../abi/kvm/capabilities.ts';
import { vcpuStateBytes } from '../../../abi/kvm/vcpu-state.ts';
import type { Answer, UserBytes } from '../../interface.ts';
import { done } from '../answer.ts';
import { type CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { checkExtension } from '../system/check-extension.ts';
import { copiedBytes } from './copied-bytes.ts';

const headerBytes = vcpuStateBytes.KVM_GET_NESTED_STATE;
/** Offsets in `struct kvm_nested_state`. */
const at = { flags: 0, format: 2, size: 4, vmxonPa: 8, vmcs12Pa: 16, smmFlags: 24 } as const;
const noAddress = (1n << 64n) - 1n;
const stateFlags = { guestMode: 1, runPending: 2, evmcs: 4, all: 0x10f } as const;

interface NestedStateCall {
  readonly kernel: Kernel;
  readonly vcpu: Vcpu;
  readonly user: UserBytes;
  /** What the kernel reads: the size alone, or the whole header. */
  readonly given: CopiedIn<DataView>;
}

/** The calls fail as they do without the module parameter `nested`. */
const isOff = ({ kernel, vcpu }: NestedStateCall) =>
  checkExtension(kernel, capabilities.KVM_CAP_NESTED_STATE, vcpu.vm) === 0;

const hasRoom = ({ given }: NestedStateCall) => given.value.getUint32(0, true) >= headerBytes;

const getSteps: Steps<NestedStateCall> = {
  'nested-state.off': isOff,
  'argument.unreadable': ({ given }) => given.fails(),
  // The kernel writes the header where it fits, and otherwise only its size.
  'argument.unwritable': (call) =>
    hasRoom(call)
      ? !call.user.write(stateOutsideVmx())
      : !call.user.write(stateOutsideVmx().subarray(at.size, at.size + 4), at.size),
  'nested-state.too-small': (call) => !hasRoom(call),
};

const flagsOf = ({ given }: NestedStateCall) => given.value.getUint16(at.flags, true);

const setSteps: Steps<NestedStateCall> = {
  'nested-state.off': isOff,
  'argument.unreadable': ({ given }) => given.fails(),
  'nested-state.size': ({ given }) => given.value.getUint32(at.size, true) < headerBytes,
  'nested-state.flags': (call) => (flagsOf(call) & ~stateFlags.all) !== 0,
  'nested-state.run-pending': (call) =>
    (flagsOf(call) & (stateFlags.runPending | stateFlags.guestMode)) === stateFlags.runPending,
  // Any other state would need its VMCS.
  'nested-state.not-off': (call) => {
    const { value } = call.given;
    return !(
      value.getUint16(at.format, true) === 0 &&
      value.getBigUint64(at.vmxonPa, true) === noAddress &&
      value.getBigUint64(at.vmcs12Pa, true) === noAddress &&
      value.getUint16(at.smmFlags, true) === 0 &&
      (flagsOf(call) & ~stateFlags.evmcs) === 0
    );
  },
};

export function nestedState(
  kernel: Kernel,
  vcpu: Vcpu,
  request: 'KVM_GET_NESTED_STATE' | 'KVM_SET_NESTED_STATE',
  user: UserBytes,
): Answer {
  const isGet = request === 'KVM_GET_NESTED_STATE';
  const given = isGet ? copiedBytes(user, 4, at.size) : copiedBytes(user, headerBytes);
  const call = { kernel, vcpu, user, given };
  return firstRefusal(kernel, request, { steps: isGet ? getSteps : setSteps, call }) ?? done;
}

function stateOutsideVmx(): Uint8Array {
  const header = new Uint8Array(headerBytes);
  const view = new DataView(header.buffer);
  view.setUint32(at.size, headerBytes, true);
  view.setBigUint64(at.vmxonPa, noAddress, true);
  view.setBigUint64(at.vmcs12Pa, noAddress, true);
  return header;
}
