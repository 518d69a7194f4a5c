/**
 * KVM_GET_NESTED_STATE and KVM_SET_NESTED_STATE. No guest here ever enters VMX operation, so there is
 * the header alone. Order: arch/x86/kvm/x86.c and vmx/nested.c, Linux 7.3.
 */
import { vcpuStateBytes } from '../../../abi/kvm/vcpu-state.ts';
import type { Answer, UserBytes } from '../../interface.ts';
import { done, refuse } from '../answer.ts';

const headerBytes = vcpuStateBytes.KVM_GET_NESTED_STATE;
/** Offsets in `struct kvm_nested_state`. */
const at = { flags: 0, format: 2, size: 4, vmxonPa: 8, vmcs12Pa: 16, smmFlags: 24 } as const;
const noAddress = (1n << 64n) - 1n;
const stateFlags = { guestMode: 1, runPending: 2, evmcs: 4, all: 0x10f } as const;

export function nestedState(
  request: 'KVM_GET_NESTED_STATE' | 'KVM_SET_NESTED_STATE',
  user: UserBytes,
): Answer {
  return request === 'KVM_GET_NESTED_STATE' ? getNestedState(user) : setNestedState(user);
}

function getNestedState(user: UserBytes): Answer {
  const size = user.read(4, at.size);
  if (size === undefined) return refuse('EFAULT');
  if (viewOf(size).getUint32(0, true) < headerBytes) {
    const needed = new Uint8Array(4);
    viewOf(needed).setUint32(0, headerBytes, true);
    return refuse(user.write(needed, at.size) ? 'E2BIG' : 'EFAULT');
  }
  const header = new Uint8Array(headerBytes);
  const view = viewOf(header);
  view.setUint32(at.size, headerBytes, true);
  view.setBigUint64(at.vmxonPa, noAddress, true);
  view.setBigUint64(at.vmcs12Pa, noAddress, true);
  return user.write(header) ? done : refuse('EFAULT');
}

/** Only a guest that is not in VMX operation can be set: another would need its VMCS. */
function setNestedState(user: UserBytes): Answer {
  const bytes = user.read(headerBytes);
  if (bytes === undefined) return refuse('EFAULT');
  const view = viewOf(bytes);
  if (view.getUint32(at.size, true) < headerBytes) return refuse('EINVAL');
  const flags = view.getUint16(at.flags, true);
  const { guestMode, runPending, evmcs, all } = stateFlags;
  if ((flags & ~all) !== 0) return refuse('EINVAL');
  if ((flags & runPending) !== 0 && (flags & guestMode) === 0) return refuse('EINVAL');
  const isOff =
    view.getUint16(at.format, true) === 0 &&
    view.getBigUint64(at.vmxonPa, true) === noAddress &&
    view.getBigUint64(at.vmcs12Pa, true) === noAddress &&
    view.getUint16(at.smmFlags, true) === 0 &&
    (flags & ~evmcs) === 0;
  return isOff ? done : refuse('EINVAL');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
