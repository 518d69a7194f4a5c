/** The ioctls that more than one kind of file has. */
import { capabilities } from '../../../abi/kvm/capabilities.ts';
import { NO_FD } from '../../../abi/kvm/structs.ts';
import type { EnableCapStruct } from '../../../simulator/index.ts';
import type { ClientCall } from '../client-call.ts';
import { cpuidInMemory } from '../cpuid.ts';
import type { ValuesOf } from '../layout.ts';
import { msrsInMemory } from '../msrs.ts';
import { structs } from '../structs.ts';
import { mapped, u64InMemory } from '../user-structs.ts';
import { argument, type DecoderTable, pointee, structOf, u32, unsignedLong } from './decoder.ts';

/** /dev/kvm and a VM have it. The kernel takes a `long`, and has no capability beyond an int. */
export const checkExtension = {
  KVM_CHECK_EXTENSION: ({ arg }) => ({
    request: 'KVM_CHECK_EXTENSION',
    capability: unsignedLong(arg),
  }),
} satisfies DecoderTable;

/** A VM and a vCPU have these. */
export const vmAndVcpu = {
  KVM_SET_TSC_KHZ: ({ arg }) => ({ request: 'KVM_SET_TSC_KHZ', tscKhz: u32(arg) }),
  KVM_GET_TSC_KHZ: () => ({ request: 'KVM_GET_TSC_KHZ' }),
  KVM_GET_STATS_FD: () => ({ request: 'KVM_GET_STATS_FD' }),
} satisfies DecoderTable;

/** /dev/kvm and a vCPU have these. */
export const systemAndVcpu = {
  KVM_GET_MSRS: (call) => ({ request: 'KVM_GET_MSRS', msrs: msrsInMemory(argument(call)) }),
  KVM_SET_MSRS: (call) => ({ request: 'KVM_SET_MSRS', msrs: msrsInMemory(argument(call)) }),
  KVM_GET_SUPPORTED_HV_CPUID: (call) => ({
    request: 'KVM_GET_SUPPORTED_HV_CPUID',
    cpuid: cpuidInMemory(argument(call)),
  }),
  KVM_GET_DEVICE_ATTR: (call) => ({ request: 'KVM_GET_DEVICE_ATTR', ...deviceAttr(call) }),
  KVM_SET_DEVICE_ATTR: (call) => ({ request: 'KVM_SET_DEVICE_ATTR', ...deviceAttr(call) }),
  KVM_HAS_DEVICE_ATTR: (call) => ({ request: 'KVM_HAS_DEVICE_ATTR', ...deviceAttr(call) }),
} satisfies DecoderTable;

/** The first argument of these capabilities is the fd of a VM. */
const takesVmFd: ReadonlySet<number> = new Set([
  capabilities.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM,
  capabilities.KVM_CAP_VM_COPY_ENC_CONTEXT_FROM,
]);

/** The fds that some capabilities of a VM have as their argument are known by what they name. */
export function enableVmCap(call: ClientCall) {
  const struct = structOf(call, structs.kvm_enable_cap);
  return {
    request: 'KVM_ENABLE_CAP',
    cap: mapped(struct, (cap) => withHandle(call, cap)),
  } as const;
}

/** Some capabilities of a vCPU have a pointer. */
export function enableVcpuCap(call: ClientCall) {
  const cap = structOf(call, structs.kvm_enable_cap);
  const pointed = pointee(call, cap, ({ args: [first = 0n] }) => first);
  return { request: 'KVM_ENABLE_CAP', cap, pointee: pointed } as const;
}

function withHandle(
  call: ClientCall,
  cap: ValuesOf<typeof structs.kvm_enable_cap.fields>,
): EnableCapStruct {
  if (!takesVmFd.has(cap.cap)) return cap;
  const [fd = 0n, ...others] = cap.args;
  // A program that passes no fd asks what the kernel does, and the summary tells that from a mistake.
  if (BigInt(u32(fd)) === NO_FD) return { ...cap, args: [NO_FD, ...others] };
  const target = call.fd(u32(fd));
  return { ...cap, args: [target?.kind === 'ours' ? BigInt(target.handle) : 0n, ...others] };
}

function deviceAttr(call: ClientCall) {
  const struct = structOf(call, structs.kvm_device_attr);
  return {
    attr: mapped(struct, ({ addr: _, ...attr }) => attr),
    value: u64InMemory(pointee(call, struct, ({ addr }) => addr)),
  };
}
